"""The service as a process of its own, asked over HTTP and Socket.IO."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import av
import numpy as np
import pytest
import socketio

SOURCE = Path(__file__).parents[1]
RATE = 44_100
FRAMES = 2 * RATE
STEREO = np.random.default_rng(0).normal(0, 3000, (FRAMES, 2)).astype("<i2")


@dataclass
class Service:
    process: subprocess.Popen[str]
    url: str
    log_file: Path

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /health; status 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except urllib.error.URLError:
            return 0, {}

    def wait(self, done: Callable[[int, dict[str, Any]], bool], within_s: float = 20) -> tuple[int, dict[str, Any]]:
        """The first answer of /health that is `done`; fails with the last one."""
        deadline = time.monotonic() + within_s
        while not done(*(answer := self.health())):
            assert self.process.poll() is None, self.log_file.read_text()
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)
        return answer

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@contextmanager
def running(folder: Path, env: dict[str, str]) -> Iterator[Service]:
    """stdout and stderr go to files `out` and `err` of the folder."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log_file = folder / "out"
    with log_file.open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "sts_service"],
            env={**os.environ, "PYTHONPATH": str(SOURCE), "HOST": "127.0.0.1", "PORT": str(port), **env},
            stdout=out,
            stderr=err,
            text=True,
        )
    try:
        yield Service(process, f"http://127.0.0.1:{port}", log_file)
    finally:
        process.kill()
        process.wait()


def log_of(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log_file.read_text().splitlines()]


def init(**config: Any) -> dict[str, Any]:
    return {
        "stream_id": "s",
        "worker_id": "w",
        "max_inflight": 3,
        "timeout_ms": 8000,
        "config": {
            "source_language": "en",
            "target_language": "es",
            "voice_profile": "default",
            "chunk_duration_ms": 2000,
            "sample_rate_hz": RATE,
            "channels": 2,
            "format": "pcm_s16le",
            **config,
        },
    }


def fragment(number: int, data: bytes, **audio: Any) -> dict[str, Any]:
    return {
        "fragment_id": f"f{number}",
        "stream_id": "s",
        "sequence_number": number,
        "timestamp": 2000 * number,
        "audio": {
            "format": "pcm_s16le",
            "sample_rate_hz": RATE,
            "channels": 2,
            "duration_ms": 2000,
            "data_base64": base64.b64encode(data).decode(),
            **audio,
        },
        "metadata": {"pts_ns": 0},
    }


def talk(service: Service, sent: list[tuple[str, dict[str, Any]]], last: str) -> list[tuple[str, dict[str, Any]]]:
    """Send events on one connection; what comes back until `last` came, or for 10 s."""

    async def conversation() -> list[tuple[str, dict[str, Any]]]:
        client = socketio.AsyncClient(reconnection=False)
        received: list[tuple[str, dict[str, Any]]] = []
        done = asyncio.Event()

        async def receive(event: str, payload: dict[str, Any]) -> None:
            received.append((event, payload))
            if event == last:
                done.set()

        handler: Callable[[str, dict[str, Any]], Awaitable[None]] = receive
        client.on("*", handler)
        await client.connect(service.url, transports=["websocket"])
        try:
            for event, payload in sent:
                await client.emit(event, payload)
            async with asyncio.timeout(10):
                await done.wait()
        finally:
            await client.disconnect()
        return received

    return asyncio.run(conversation())


def m4a(samples: np.ndarray[Any, Any], path: Path) -> bytes:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path.read_bytes()


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("echo")
    # Settings of the other engine do not matter to this one.
    with running(folder, {"ENGINE": "echo", "ASR_MODEL": "/nowhere", "TTS_PROVIDER": "nobody"}) as service:
        service.wait(lambda status, _: status == 200)
        yield service


def test_echo_is_healthy_at_once(echo: Service) -> None:
    status, body = echo.health()
    assert (status, body["status"], body["device"], list(body["engines"])) == (200, "ok", "cpu", ["echo"])
    ready = next(record for record in log_of(echo) if record["message"] == "ready")
    # It takes 0.1 s; the rest is for a machine that is busy.
    assert ready["startup_s"] < 1


def test_echo_answers_with_the_same_audio(echo: Service) -> None:
    begin = time.monotonic()
    parts = [STEREO[i * 1000 :].tobytes() + STEREO[: i * 1000].tobytes() for i in range(3)]
    events = talk(
        echo,
        [
            ("stream:init", init()),
            *(("fragment:data", fragment(number, part)) for number, part in enumerate(parts)),
            ("stream:end", {"stream_id": "s", "reason": "test"}),
        ],
        "stream:complete",
    )
    assert time.monotonic() - begin < 3
    answers = [payload for event, payload in events if event == "fragment:processed"]
    assert [base64.b64decode(answer["dubbed_audio"].pop("data_base64")) for answer in answers] == parts
    for number, answer in enumerate(answers):
        timings = answer["stage_timings"]
        assert (answer["fragment_id"], answer["sequence_number"]) == (f"f{number}", number)
        assert (answer["status"], answer["error"]) == ("success", None)
        assert answer["transcript"] == answer["translated_text"] == f"[ECHO] fragment {number}"
        assert answer["dubbed_audio"] == {
            "format": "pcm_s16le",
            "sample_rate_hz": RATE,
            "channels": 2,
            "duration_ms": 2000.0,
        }
        assert (timings["asr_ms"], timings["translation_ms"]) == (0, 0)
        assert 0 < timings["tts_ms"] <= answer["processing_time_ms"] < 500
    complete = events[-1][1]
    assert (complete["total_fragments"], complete["statistics"]["success_count"]) == (3, 3)


@pytest.mark.parametrize("rate", [RATE, 16_000])
def test_echo_answers_in_the_format_of_the_stream(echo: Service, tmp_path: Path, rate: int) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(FRAMES) / RATE)).astype(np.int16)
    sent = fragment(0, m4a(tone, tmp_path / "tone.m4a"), format="m4a", channels=1)
    events = talk(echo, [("stream:init", init(sample_rate_hz=rate)), ("fragment:data", sent)], "fragment:processed")
    dub = np.frombuffer(base64.b64decode(events[-1][1]["dubbed_audio"]["data_base64"]), "<i2").reshape(-1, 2)
    assert len(dub) == 2 * rate
    assert np.array_equal(dub[:, 0], dub[:, 1])
    spectrum = np.abs(np.fft.rfft(dub[:, 0] * np.hanning(len(dub))))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=1)


def test_echo_says_what_it_cannot_decode(echo: Service) -> None:
    sent = fragment(0, b"this is no mp4 file", format="m4a")
    events = talk(echo, [("stream:init", init()), ("fragment:data", sent)], "fragment:processed")
    answer = events[-1][1]
    assert (answer["status"], answer["dubbed_audio"], answer["error"]["retryable"]) == ("failed", None, False)
    assert "m4a audio does not decode" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"ASR_MODEL": "/nowhere"}, "ASR_MODEL: seen '/nowhere', expected an existing folder with a faster-whisper model"),
        ({"TRANSLATION_PROVIDER": "google"}, "GOOGLE_TRANSLATE_API_KEY: seen '', expected an API key"),
        ({"TTS_PROVIDER": "piper", "TTS_MODEL": "/nowhere.onnx"}, "TTS_MODEL: seen '/nowhere.onnx', expected the path"),
        ({"ENGINE": "mock"}, "ENGINE: seen 'mock', expected one of speech, echo"),
        ({"PATH": "/nowhere"}, "program 'rubberband' is not on PATH; install the Debian package 'rubberband-cli'"),
    ],
)
def test_a_setting_that_cannot_be_used(tmp_path: Path, env: dict[str, str], reason: str) -> None:
    with running(tmp_path, env) as service:
        status, body = service.wait(lambda status, body: body.get("reason", "loading") != "loading")
        assert (status, body["status"]) == (503, "unhealthy")
        assert body["reason"].startswith(reason)
        assert (tmp_path / "err").read_text() == f"{body['reason']}\n"
        assert [(line["level"], line["reason"]) for line in log_of(service)] == [("ERROR", body["reason"])]
        event, error = talk(service, [("stream:init", init())], "error")[-1]
        assert (event, error["code"], error["retryable"], error["stream_id"]) == ("error", "INVALID_CONFIG", False, "s")
        assert reason in error["message"]
        assert service.stop() == 0


def test_a_port_that_cannot_be_used(tmp_path: Path) -> None:
    with running(tmp_path, {"PORT": "none"}) as service:
        assert service.process.wait(10) == 2
    assert "PORT: seen 'none', expected a whole number" in (tmp_path / "err").read_text()


def test_google_key_is_neither_in_the_log_nor_in_health(tmp_path: Path) -> None:
    env = {"TRANSLATION_PROVIDER": "google", "GOOGLE_TRANSLATE_API_KEY": "AIza-secret", "LOG_LEVEL": "DEBUG"}
    with running(tmp_path, env) as service:
        status, loading = service.wait(lambda status, _: status != 0)
        assert (status, loading) == (503, {"status": "starting", "reason": "loading"})
        status, body = service.wait(lambda status, _: status == 200)
        assert body["engines"]["translation"] == {"name": "google", "version": "v2"}
        assert service.stop() == 0
        shown = json.dumps(body) + service.log_file.read_text() + (tmp_path / "err").read_text()
    assert "ready" in shown
    assert "secret" not in shown
