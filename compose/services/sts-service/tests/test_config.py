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
    server = read_config({"PROCESSING_TIMEOUT": "", "MAX_INFLIGHT": "", "LOG_LEVEL": ""})
    assert (server.processing_timeout_s, server.max_inflight, server.log_level) == (30, 3, "INFO")
    config = read_speech_config({"TTS_VOICE": ""})
    assert (config.asr_model, config.translation_provider, config.tts_provider) == ("bundled", "apertium", "kokoro")
    assert (config.tts_voice, config.tts_model, config.device) == ("ef_dora", "", "cpu")
    assert config.google_url == GOOGLE_URL


@pytest.mark.parametrize(("provider", "voice"), [("kokoro", "ef_dora"), ("Kokoro", "ef_dora"), ("espeak", "es")])
def test_each_provider_has_its_own_voice(provider: str, voice: str) -> None:
    assert read_speech_config({"TTS_PROVIDER": provider}).tts_voice == voice
    assert read_speech_config({"TTS_PROVIDER": provider, "TTS_VOICE": "em_alex"}).tts_voice == "em_alex"


@pytest.mark.parametrize(("value", "seconds"), [("30", 30), ("0.5", 0.5), ("0.001", 0.001), ("600", 600), (" 8 ", 8)])
def test_processing_timeout(value: str, seconds: float) -> None:
    assert read_config({"PROCESSING_TIMEOUT": value}).processing_timeout_s == seconds


@pytest.mark.parametrize(("value", "limit"), [("1", 1), ("64", 64)])
def test_max_inflight(value: str, limit: int) -> None:
    assert read_config({"MAX_INFLIGHT": value}).max_inflight == limit


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_log_level_in_any_case(level: str) -> None:
    assert read_config({"LOG_LEVEL": level}).log_level == read_config({"LOG_LEVEL": level.lower()}).log_level == level


@pytest.mark.parametrize("device", ["cpu", "cuda", "auto"])
def test_device(device: str) -> None:
    assert read_speech_config({"DEVICE": device.upper()}).device == device


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        *(("MAX_INFLIGHT", value) for value in ("three", "0", "65", "-1", "1.5")),
        *(("PROCESSING_TIMEOUT", value) for value in ("0", "0.0", "-1", "600.1", "601", "30s", "1e2", "nan", "inf", "٣")),
        *(("LOG_LEVEL", value) for value in ("loud", "20", "CRITICAL")),
    ],
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
    assert read_speech_config({"ASR_MODEL": str(tmp_path)}).asr_model == str(tmp_path)


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
