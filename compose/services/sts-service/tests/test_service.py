"""The service as a process of its own, asked over HTTP and Socket.IO: settings, and how it fails."""

import json
from pathlib import Path
from typing import Any

import pytest
from sts_testing import init, log_of, running, talk


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"ASR_MODEL": "/nowhere"}, "ASR_MODEL: seen '/nowhere', expected an existing folder with a faster-whisper model"),
        (
            {"ASR_MODEL": "whisper-small", "HF_ENDPOINT": "http://127.0.0.1:1", "HF_HOME": "/nowhere"},
            "ASR_MODEL=whisper-small: the model is not on this machine and cannot be had from its hub: ",
        ),
        ({"TTS_MODEL": "/nowhere"}, "TTS_MODEL: seen '/nowhere', expected a folder with one Kokoro model"),
        ({"TTS_VOICE": "es"}, "TTS_VOICE: seen 'es', expected one of ef_dora, em_alex"),
        ({"TRANSLATION_PROVIDER": "google"}, "GOOGLE_TRANSLATE_API_KEY: seen '', expected an API key"),
        ({"TTS_PROVIDER": "piper", "TTS_MODEL": "/nowhere.onnx"}, "TTS_MODEL: seen '/nowhere.onnx', expected the path"),
        (
            {"ENGINE": "echo", "ECHO_PROCESSING_DELAY_MS": "soon"},
            "ECHO_PROCESSING_DELAY_MS: seen 'soon', expected ms like 500, or a range like 0-500, of at most 600000",
        ),
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


@pytest.mark.parametrize("content", [None, b"", b"no model"], ids=["missing", "empty", "garbage"])
def test_a_model_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    model = tmp_path / "model"
    model.mkdir()
    if content is not None:
        for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
            (model / name).write_bytes(content)
    with running(tmp_path, {"ASR_MODEL": str(model)}) as service:
        status, body = service.wait(lambda status, body: body.get("reason", "loading") != "loading")
        assert (status, body["status"]) == (503, "unhealthy")
        assert body["reason"].startswith(f"ASR_MODEL={model}, DEVICE=cpu: the model cannot be loaded: ")
        assert service.stop() == 0


@pytest.mark.parametrize("env", [{}, {"ASR_MODEL": "/nowhere"}], ids=["speech", "unhealthy"])
def test_controls_of_the_echo_are_unknown(tmp_path: Path, env: dict[str, str]) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("config:error_simulation", {"enabled": False}),
        ("config:processing_delay", {"min_ms": 0, "max_ms": 0}),
        ("simulate:backpressure", {"stream_id": "s", "action": "none"}),
        ("simulate:disconnect", {"delay_ms": 0, "reason": "test"}),
    ]
    # Settings of the echo do not matter here.
    with running(tmp_path, {"ECHO_PROCESSING_DELAY_MS": "soon", **env}) as service:
        service.wait(lambda _, body: body.get("reason") != "loading" and bool(body))
        events = talk(service, [*asked, ("stream:end", {"stream_id": "s"})], "error")
    assert [(event, payload["code"]) for event, payload in events] == [("error", "STREAM_NOT_FOUND")]


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
