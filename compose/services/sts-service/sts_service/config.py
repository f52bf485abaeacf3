"""Settings of the service, read once from the environment.

An empty variable counts as unset, as Compose passes `${X:-}` so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

GOOGLE_URL = "https://translation.googleapis.com/language/translate/v2"
MAX_DELAY_MS = 600_000
"""Of the echo engine, wherever it is told to wait."""
MAX_TIMEOUT_S = 600
TTS_PROVIDERS = ("kokoro", "espeak", "piper", "coqui")
DEFAULT_VOICES = {"kokoro": "ef_dora", "espeak": "es"}
"""The other providers' models have one voice."""


class ConfigError(ValueError):
    """A setting has a value that cannot be used; the message names the variable, what was seen and what is expected."""

    def __init__(self, variable: str, seen: str, expected: str) -> None:
        super().__init__(f"{variable}: seen {seen!r}, expected {expected}")


@dataclass(frozen=True)
class Config:
    """What the server needs, whatever its engine is."""

    host: str
    port: int
    max_inflight: int
    processing_timeout_s: float
    """A fragment whose processing takes longer is answered with TIMEOUT."""
    log_level: str


@dataclass(frozen=True)
class SpeechConfig:
    """What the speech engine needs."""

    models_dir: Path
    """Where the bundled models are, each in its folder."""
    asr_model: str
    """`bundled`, a folder with a CTranslate2 Whisper model, or a faster-whisper model name, with or without `whisper-`."""
    translation_provider: str
    google_url: str
    google_api_key: str = field(repr=False)
    tts_provider: str
    tts_model: str
    """Folder of a Kokoro model (empty: the bundled one), path of a Piper voice, path or name of a Coqui model; unused by
    espeak."""
    tts_voice: str
    """Name of a Kokoro or espeak-ng voice; its language is the one the service speaks."""
    device: str


@dataclass(frozen=True)
class DelayRange:
    """How much longer answers take, at least and at most."""

    min_ms: float
    max_ms: float


def read_config(env: Mapping[str, str]) -> Config:
    """The server's settings. Raises ConfigError for the first value that cannot be used."""
    return Config(
        host=_text(env, "HOST", "0.0.0.0"),
        port=_integer(env, "PORT", 3000, 1, 65535),
        max_inflight=_integer(env, "MAX_INFLIGHT", 3, 1, 64),
        processing_timeout_s=_seconds(env, "PROCESSING_TIMEOUT", 30),
        log_level=_choice(env, "LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR"),
    )


def read_engine(env: Mapping[str, str]) -> str:
    """Which engine answers: `speech` or `echo`. Raises ConfigError."""
    return _choice(env, "ENGINE", "speech", "speech", "echo")


def read_speech_config(env: Mapping[str, str]) -> SpeechConfig:
    """The speech engine's settings. Raises ConfigError for the first value that cannot be used."""
    tts_provider = _choice(env, "TTS_PROVIDER", TTS_PROVIDERS[0], *TTS_PROVIDERS)
    config = SpeechConfig(
        models_dir=Path(_text(env, "MODELS_DIR", "/opt/models")),
        asr_model=_text(env, "ASR_MODEL", "bundled"),
        translation_provider=_choice(env, "TRANSLATION_PROVIDER", "apertium", "apertium", "google"),
        google_url=_text(env, "GOOGLE_TRANSLATE_URL", GOOGLE_URL),
        google_api_key=_text(env, "GOOGLE_TRANSLATE_API_KEY", ""),
        tts_provider=tts_provider,
        tts_model=_text(env, "TTS_MODEL", ""),
        tts_voice=_text(env, "TTS_VOICE", DEFAULT_VOICES.get(tts_provider, "")),
        device=_choice(env, "DEVICE", "cpu", "cpu", "cuda", "auto"),
    )
    if config.asr_model.startswith(("/", ".", "~")) and not Path(config.asr_model).is_dir():
        raise ConfigError("ASR_MODEL", config.asr_model, "an existing folder with a faster-whisper model")
    if config.translation_provider == "google":
        _check_google(config)
    if tts_provider in ("piper", "coqui") and not config.tts_model:
        raise ConfigError("TTS_MODEL", "", f"a path or name of a model, because TTS_PROVIDER is {tts_provider}")
    return config


def read_processing_delay(env: Mapping[str, str]) -> DelayRange:
    """The echo engine's delay until a client sets another. Raises ConfigError."""
    name = "ECHO_PROCESSING_DELAY_MS"
    seen = _text(env, name, "0")
    match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", seen, re.ASCII)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not low <= high <= MAX_DELAY_MS:
        raise ConfigError(name, seen, f"ms like 500, or a range like 0-500, of at most {MAX_DELAY_MS}")
    return DelayRange(low, high)


def _check_google(config: SpeechConfig) -> None:
    """Messages end up in logs and in /health: nothing that may be a key is shown."""
    if not config.google_api_key:
        raise ConfigError("GOOGLE_TRANSLATE_API_KEY", "", "an API key, because TRANSLATION_PROVIDER is google")
    if not re.fullmatch(r"[!-~]+", config.google_api_key):
        raise ConfigError("GOOGLE_TRANSLATE_API_KEY", "(not shown)", "printable ASCII characters without spaces")
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", config.google_url):
        shown = re.sub(r"//[^/]*@|[?#].*", "(not shown)", config.google_url)
        raise ConfigError("GOOGLE_TRANSLATE_URL", shown, "an http or https address without user, query and fragment")


def _text(env: Mapping[str, str], name: str, default: str) -> str:
    return env.get(name, "").strip() or default


def _integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    seen = _text(env, name, str(default))
    if not seen.isascii() or not seen.isdigit() or not low <= int(seen) <= high:
        raise ConfigError(name, seen, f"a whole number from {low} to {high}")
    return int(seen)


def _seconds(env: Mapping[str, str], name: str, default: int) -> float:
    seen = _text(env, name, str(default))
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", seen, re.ASCII) or not 0 < float(seen) <= MAX_TIMEOUT_S:
        raise ConfigError(name, seen, f"seconds like 30 or 0.5, more than 0 and at most {MAX_TIMEOUT_S}")
    return float(seen)


def _choice(env: Mapping[str, str], name: str, default: str, *allowed: str) -> str:
    seen = _text(env, name, default)
    for value in allowed:
        if seen.lower() == value.lower():
            return value
    raise ConfigError(name, seen, f"one of {', '.join(allowed)}")
