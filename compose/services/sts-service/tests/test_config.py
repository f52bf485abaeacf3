from pathlib import Path

import pytest

from sts_service.config import ConfigError, read_config


def test_defaults() -> None:
    config = read_config({"PORT": ""})
    assert (config.port, config.asr_model, config.translation_provider, config.tts_provider) == (
        3000,
        "bundled",
        "apertium",
        "espeak",
    )
    assert config.asr_is_local


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("MAX_INFLIGHT", "three"),
        ("TRANSLATION_PROVIDER", "deepl"),
        ("DEVICE", "tpu"),
        ("LOG_LEVEL", "loud"),
        ("ASR_MODEL", "/no/such/folder"),
    ],
)
def test_bad_value_is_named_with_what_is_expected(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{variable}: seen '{value}', expected "):
        read_config({variable: value})


def test_providers_need_their_key_or_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="GOOGLE_TRANSLATE_API_KEY"):
        read_config({"TRANSLATION_PROVIDER": "google"})
    with pytest.raises(ConfigError, match="TTS_MODEL"):
        read_config({"TTS_PROVIDER": "piper"})
    assert read_config({"ASR_MODEL": str(tmp_path)}).asr_is_local
