from pathlib import Path

import pytest

from sts_service.config import (
    GOOGLE_URL,
    ConfigError,
    DelayRange,
    read_config,
    read_engine,
    read_processing_delay,
    read_speech_config,
)

KEY = "a-secret-key"


def test_defaults() -> None:
    assert (read_config({"PORT": ""}).port, read_engine({"ENGINE": ""})) == (3000, "speech")
    config = read_speech_config({})
    assert (config.asr_model, config.translation_provider, config.tts_provider) == ("bundled", "apertium", "espeak")
    assert config.asr_is_local
    assert config.google_url == GOOGLE_URL


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "65536"), ("PORT", "-1"), ("MAX_INFLIGHT", "three"), ("LOG_LEVEL", "loud")]
)
def test_bad_server_setting_is_named_with_what_is_expected(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{variable}: seen '{value}', expected "):
        read_config({variable: value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRANSLATION_PROVIDER", "deepl"),
        ("TTS_PROVIDER", "festival"),
        ("DEVICE", "tpu"),
        ("ASR_MODEL", "/no/such/folder"),
    ],
)
def test_bad_speech_setting_is_named_with_what_is_expected(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{variable}: seen '{value}', expected "):
        read_speech_config({variable: value})


@pytest.mark.parametrize(
    ("value", "low", "high"), [("", 0, 0), ("500", 500, 500), ("0-500", 0, 500), ("7-7", 7, 7), ("0-600000", 0, 600_000)]
)
def test_processing_delay(value: str, low: int, high: int) -> None:
    assert read_processing_delay({"ECHO_PROCESSING_DELAY_MS": value}) == DelayRange(low, high)


@pytest.mark.parametrize("value", ["-1", "500-0", "600001", "0-600001", "0-", "1.5", "0 - 500", "٣", "0-500-600"])
def test_bad_processing_delay_is_named_with_what_is_expected(value: str) -> None:
    with pytest.raises(ConfigError, match=f"ECHO_PROCESSING_DELAY_MS: seen '{value}', expected "):
        read_processing_delay({"ECHO_PROCESSING_DELAY_MS": value})


def test_unknown_engine() -> None:
    with pytest.raises(ConfigError, match="ENGINE: seen 'mock', expected one of speech, echo"):
        read_engine({"ENGINE": "mock"})


def test_providers_need_their_key_or_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="GOOGLE_TRANSLATE_API_KEY"):
        read_speech_config({"TRANSLATION_PROVIDER": "google"})
    for provider in ("piper", "coqui"):
        with pytest.raises(ConfigError, match=f"TTS_MODEL.*{provider}"):
            read_speech_config({"TTS_PROVIDER": provider})
    assert read_speech_config({"ASR_MODEL": str(tmp_path)}).asr_is_local


@pytest.mark.parametrize(
    ("key", "url"),
    [
        (f"{KEY}\nX-Other: header", ""),
        (KEY, f"https://gateway.example/v2?key={KEY}"),
        (KEY, f"https://user:{KEY}@gateway.example/v2"),
        (KEY, "ftp://gateway.example/v2"),
    ],
)
def test_no_message_shows_a_key(key: str, url: str) -> None:
    env = {"TRANSLATION_PROVIDER": "google", "GOOGLE_TRANSLATE_API_KEY": key, "GOOGLE_TRANSLATE_URL": url}
    with pytest.raises(ConfigError, match=r"GOOGLE_TRANSLATE_(API_KEY|URL): seen .*, expected ") as caught:
        read_speech_config(env)
    assert KEY not in str(caught.value)


def test_settings_can_be_shown_without_the_key() -> None:
    env = {
        "TRANSLATION_PROVIDER": "google",
        "GOOGLE_TRANSLATE_API_KEY": KEY,
        "GOOGLE_TRANSLATE_URL": "http://127.0.0.1:8000/language/translate/v2",
    }
    config = read_speech_config(env)
    assert config.google_api_key == KEY
    assert config.google_url == env["GOOGLE_TRANSLATE_URL"]
    assert KEY not in repr(config)
