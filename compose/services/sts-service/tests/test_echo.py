"""The Echo STS as a process of its own, asked over HTTP and Socket.IO."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from sts_testing import RATE, Service, fragment, init, log_of, running, talk

FRAMES = 2 * RATE
STEREO = np.random.default_rng(0).normal(0, 3000, (FRAMES, 2)).astype("<i2")


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


def test_a_name_that_no_encoding_writes_is_logged(echo: Service) -> None:
    talk(echo, [("stream:init", {**init(), "stream_id": "half \ud83d"})], "stream:ready")
    assert any(record.get("stream_id") == "half \ud83d" for record in log_of(echo))
    assert (echo.log_file.parent / "err").read_text() == ""
