"""Settings of the service, read once from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class ConfigError(ValueError):
    """A setting has a value that cannot be used; the message names the variable, what was seen and what is expected."""

    def __init__(self, variable: str, seen: str, expected: str) -> None:
        super().__init__(f"{variable}: seen {seen!r}, expected {expected}")


@dataclass(frozen=True)
class Config:
    """Everything that can be set from outside."""

    host: str
    port: int
    asr_model: str
    """`bundled`, a folder with a CTranslate2 Whisper model, or a faster-whisper model name."""
    translation_provider: str
    google_api_key: str
    tts_provider: str
    tts_model: str
    """Path of a Piper voice or path/name of a Coqui model; unused by espeak."""
    tts_voice: str
    """espeak-ng voice name; its language is the one the service speaks."""
    device: str
    max_inflight: int
    log_level: str

    @property
    def asr_is_local(self) -> bool:
        """Whether the ASR model is on disk, so that nothing has to be asked from a model hub."""
        return self.asr_model == "bundled" or Path(self.asr_model).is_dir()


def read_config(env: Mapping[str, str]) -> Config:
    """Read and check the settings. An empty variable counts as unset, as Compose passes `${X:-}` so.

    Raises ConfigError for the first value that cannot be used.
    """

    def text(name: str, default: str) -> str:
        return env.get(name, "").strip() or default

    def integer(name: str, default: int, low: int, high: int) -> int:
        seen = text(name, str(default))
        if not seen.isascii() or not seen.isdigit() or not low <= int(seen) <= high:
            raise ConfigError(name, seen, f"a whole number from {low} to {high}")
        return int(seen)

    def choice(name: str, default: str, *allowed: str) -> str:
        seen = text(name, default)
        for value in allowed:
            if seen.lower() == value.lower():
                return value
        raise ConfigError(name, seen, f"one of {', '.join(allowed)}")

    config = Config(
        host=text("HOST", "0.0.0.0"),
        port=integer("PORT", 3000, 1, 65535),
        asr_model=text("ASR_MODEL", "bundled"),
        translation_provider=choice("TRANSLATION_PROVIDER", "apertium", "apertium", "google"),
        google_api_key=text("GOOGLE_TRANSLATE_API_KEY", ""),
        tts_provider=choice("TTS_PROVIDER", "espeak", "espeak", "piper", "coqui"),
        tts_model=text("TTS_MODEL", ""),
        tts_voice=text("TTS_VOICE", "es"),
        device=choice("DEVICE", "cpu", "cpu", "cuda", "auto"),
        max_inflight=integer("MAX_INFLIGHT", 3, 1, 64),
        log_level=choice("LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR"),
    )
    if config.asr_model.startswith(("/", ".", "~")) and not config.asr_is_local:
        raise ConfigError("ASR_MODEL", config.asr_model, "an existing folder with a faster-whisper model")
    if config.translation_provider == "google" and not config.google_api_key:
        raise ConfigError("GOOGLE_TRANSLATE_API_KEY", "", "an API key, because TRANSLATION_PROVIDER is google")
    if config.tts_provider != "espeak" and not config.tts_model:
        raise ConfigError("TTS_MODEL", "", f"a path or name of a model, because TTS_PROVIDER is {config.tts_provider}")
    return config
