"""Settings of the service, read from environment variables once at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

# The supervisor gives each worker the write end of a pipe; the worker closes it when it could take a stream at once.
WARM_FD_VARIABLE = "WORKER_WARM_FD"


class ConfigError(ValueError):
    """An environment variable has a value that cannot be used; the message names variable, value and what is expected."""


@dataclass(frozen=True)
class Config:
    """All settings. Durations are in the unit their name ends with, rates in Hz."""

    host: str
    port: int
    mediamtx_api_url: str
    mediamtx_rtsp_url: str
    mediamtx_rtmp_url: str
    sts_service_url: str
    segment_duration_ms: int
    source_language: str
    target_language: str
    voice_profile: str
    max_inflight: int
    sts_timeout_ms: int
    audio_sample_rate_hz: int
    breaker_failure_threshold: int
    breaker_open_ms: int
    reconnect_base_delay_ms: int
    reconnect_max_attempts: int
    spare_workers: int
    segment_dir: str
    segments_kept: int
    log_level: str

    @staticmethod
    def from_env(env: Mapping[str, str]) -> "Config":
        """Read the settings from `env`; raises ConfigError on the first value that cannot be used."""
        return Config(
            host=_text(env, "HOST", "0.0.0.0"),
            port=_integer(env, "PORT", 8080, 1, 65535),
            mediamtx_api_url=_url(env, "MEDIAMTX_API_URL", "http://mediamtx:9997", ("http", "https")),
            mediamtx_rtsp_url=_url(env, "MEDIAMTX_RTSP_URL", "rtsp://mediamtx:8554", ("rtsp",)),
            mediamtx_rtmp_url=_url(env, "MEDIAMTX_RTMP_URL", "rtmp://mediamtx:1935", ("rtmp",)),
            sts_service_url=_url(env, "STS_SERVICE_URL", "http://host.docker.internal:3000", ("http", "https")),
            # A segment must be longer than the remainder rule's 1 s, see segmenter.py.
            segment_duration_ms=_integer(env, "SEGMENT_DURATION_MS", 6000, 2000, 60_000),
            source_language=_text(env, "SOURCE_LANGUAGE", "en"),
            target_language=_text(env, "TARGET_LANGUAGE", "es"),
            voice_profile=_text(env, "VOICE_PROFILE", "default"),
            max_inflight=_integer(env, "MAX_INFLIGHT", 3, 1, 100),
            sts_timeout_ms=_integer(env, "STS_TIMEOUT_MS", 30_000, 100, 600_000),
            audio_sample_rate_hz=_integer(env, "AUDIO_SAMPLE_RATE_HZ", 44_100, 8_000, 48_000),
            breaker_failure_threshold=_integer(env, "BREAKER_FAILURE_THRESHOLD", 5, 1, 1000),
            breaker_open_ms=_integer(env, "BREAKER_OPEN_MS", 30_000, 100, 600_000),
            reconnect_base_delay_ms=_integer(env, "RECONNECT_BASE_DELAY_MS", 2_000, 10, 60_000),
            reconnect_max_attempts=_integer(env, "RECONNECT_MAX_ATTEMPTS", 5, 1, 20),
            # A stream that finds no waiting worker loses most of a second more at its start.
            spare_workers=_integer(env, "SPARE_WORKERS", 1, 0, 16),
            segment_dir=_text(env, "SEGMENT_DIR", "/segments"),
            segments_kept=_integer(env, "SEGMENTS_KEPT", 20, 1, 100_000),
            log_level=_choice(env, "LOG_LEVEL", "INFO", LOG_LEVELS),
        )


def _raw(env: Mapping[str, str], name: str, default: str) -> str:
    # Compose passes variables that are not set as empty strings, so empty means the default.
    return env.get(name, "").strip() or default


def _text(env: Mapping[str, str], name: str, default: str) -> str:
    return _raw(env, name, default)


def _integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = _raw(env, name, str(default))
    expected = f"an integer from {low} to {high}"
    try:
        value = int(raw)
    except ValueError:
        raise ConfigError(f"{name} is {raw!r}, expected {expected}") from None
    if not low <= value <= high:
        raise ConfigError(f"{name} is {raw!r}, expected {expected}")
    return value


def _url(env: Mapping[str, str], name: str, default: str, schemes: tuple[str, ...]) -> str:
    raw = _raw(env, name, default)
    error = ConfigError(f"{name} is {raw!r}, expected a URL like {schemes[0]}://host:port")
    try:
        parts = urlsplit(raw)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise error from None
    if not usable:
        raise error
    return raw.rstrip("/")


def _choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    raw = _raw(env, name, default)
    if raw.upper() not in choices:
        raise ConfigError(f"{name} is {raw!r}, expected one of {', '.join(choices)}")
    return raw.upper()
