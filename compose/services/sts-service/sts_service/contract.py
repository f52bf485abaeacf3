"""The events that a worker sends: validation into typed values.

Codes are those of the contract; what is malformed is INVALID_CONFIG, the contract's code for input no retry can mend.
"""

import base64
import math
import reprlib
from dataclasses import dataclass
from typing import Any, cast

FORMATS = ("pcm_s16le", "m4a", "aac", "adts", "wav", "opus")
"""As clients call them; what holds is what the bytes are, see audio.decode_file."""
DEFAULT_MAX_INFLIGHT = 3
TIMEOUT_MS = (1000, 30_000)
MAX_FRAGMENT_BYTES = 8 * 1024 * 1024
MAX_FRAGMENT_MS = 30_000
"""Whisper hears 30 s at a time."""
MAX_MESSAGE_BYTES = 24 * 1024 * 1024
"""The transport closes the connection above this; so high that FRAGMENT_TOO_LARGE, which keeps it, comes first."""
RATES_HZ = (8_000, 192_000)
MAX_ID_LENGTH = 1000
"""Characters of a name that a client gives."""
MAX_DURATION_ERROR_MS = 100.0
"""How far duration_ms may be from the number of samples sent."""

RETRYABLE = frozenset({"TIMEOUT", "MODEL_ERROR", "GPU_OOM", "QUEUE_FULL", "RATE_LIMIT"})


FragmentId = str | int | float


class ContractError(ValueError):
    """Input that is refused; becomes an `error` event."""

    def __init__(
        self, code: str, message: str, stream_id: str | None = None, fragment_id: FragmentId | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.stream_id = stream_id
        self.fragment_id = fragment_id

    def event(self) -> dict[str, Any]:
        """Payload of the `error` event."""
        retryable = self.code in RETRYABLE
        return {
            "code": self.code,
            "message": str(self),
            "severity": "warning" if retryable else "error",
            "retryable": retryable,
            "stream_id": self.stream_id,
            "fragment_id": self.fragment_id,
        }


@dataclass(frozen=True, eq=False)
class StreamConfig:
    """What `stream:init` asks for. Dubbed audio is PCM with `sample_rate_hz` and `channels`.

    Compared by identity, so that it stands for its session: a stream begun anew has another one, even if it asks the same.
    """

    stream_id: str
    worker_id: str
    source_language: str
    target_language: str
    sample_rate_hz: int
    channels: int
    format: str
    max_inflight: int


@dataclass(frozen=True)
class Fragment:
    """A piece of audio as received; `data` is PCM or a file. Answers have the ID as it was sent, a text or a number."""

    fragment_id: FragmentId
    stream_id: str
    sequence_number: int
    format: str
    sample_rate_hz: int
    channels: int
    duration_ms: float
    data: bytes


def parse_init(payload: Any) -> StreamConfig:
    """Check `stream:init`. Raises ContractError (INVALID_CONFIG)."""
    fields = Fields(payload, "stream:init")
    stream_id = fields.name("stream_id")
    fields.stream_id = stream_id
    config = fields.object("config")
    config.number("chunk_duration_ms", 1, MAX_FRAGMENT_MS)
    fields.number("timeout_ms", *TIMEOUT_MS, optional=True)
    return StreamConfig(
        stream_id=stream_id,
        worker_id=fields.name("worker_id"),
        # "en-US" and "en" are the same to every engine here.
        source_language=config.name("source_language").split("-")[0].lower(),
        target_language=config.name("target_language").split("-")[0].lower(),
        sample_rate_hz=config.integer("sample_rate_hz", *RATES_HZ),
        channels=config.integer("channels", 1, 2),
        format=config.choice("format", FORMATS),
        max_inflight=fields.integer("max_inflight", 1, 1000) if fields.has("max_inflight") else DEFAULT_MAX_INFLIGHT,
    )


def parse_stream_id(payload: Any, event: str) -> str:
    """The stream_id of an event that needs nothing else. Raises ContractError (INVALID_CONFIG)."""
    return Fields(payload, event).name("stream_id")


def parse_fragment(payload: Any) -> Fragment:
    """Check `fragment:data`. Raises ContractError (INVALID_CONFIG, FRAGMENT_TOO_LARGE)."""
    fields = Fields(payload, "fragment:data")
    fields.stream_id = fields.name("stream_id")
    fields.fragment_id = fields.id("fragment_id")
    sequence_number = fields.integer("sequence_number", 0, 2**53)
    audio = fields.object("audio")
    audio_format = audio.choice("format", FORMATS)
    rate = audio.integer("sample_rate_hz", *RATES_HZ)
    channels = audio.integer("channels", 1, 2)
    duration_ms = audio.number("duration_ms", 1, math.inf)
    encoded = audio.text("data_base64")
    if len(encoded) > MAX_FRAGMENT_BYTES * 4 // 3 + 4 or duration_ms > MAX_FRAGMENT_MS:
        raise audio.error(
            f"{len(encoded) * 3 // 4} bytes, {duration_ms:g} ms; "
            f"expected at most {MAX_FRAGMENT_BYTES} bytes and {MAX_FRAGMENT_MS} ms",
            "FRAGMENT_TOO_LARGE",
        )
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise audio.error(f"data_base64 is not base64: {error}") from error
    if audio_format == "pcm_s16le":
        frame = 2 * channels
        if len(data) % frame:
            raise audio.error(f"{len(data)} bytes of PCM are no multiple of a {frame} byte frame")
        held_ms = len(data) / frame / rate * 1000
        if abs(held_ms - duration_ms) > MAX_DURATION_ERROR_MS:
            raise audio.error(f"duration_ms is {duration_ms:g}, the PCM lasts {held_ms:.1f} ms")
    return Fragment(
        fragment_id=fields.fragment_id,
        stream_id=fields.stream_id,
        sequence_number=sequence_number,
        format=audio_format,
        sample_rate_hz=rate,
        channels=channels,
        duration_ms=duration_ms,
        data=data,
    )


def readable_ids(payload: Any) -> tuple[str | None, FragmentId | None, int | None]:
    """stream_id, fragment_id, sequence_number of a malformed fragment, as far as they can be read."""
    if not isinstance(payload, dict):
        return None, None, None
    stream_id, fragment_id, number = (payload.get(key) for key in ("stream_id", "fragment_id", "sequence_number"))
    return (
        stream_id if _is_name(stream_id) else None,
        fragment_id if _is_id(fragment_id) else None,
        number if isinstance(number, int) and not isinstance(number, bool) else None,
    )


class Fields:
    """Typed access to a JSON object; every error names the event, the field, what was seen and what is expected."""

    def __init__(self, payload: Any, where: str) -> None:
        self._where = where
        self.stream_id: str | None = None
        self.fragment_id: FragmentId | None = None
        if not isinstance(payload, dict):
            raise self.error(f"seen {_shown(payload)}, expected an object")
        self._payload = payload

    def error(self, message: str, code: str = "INVALID_CONFIG") -> ContractError:
        return ContractError(code, f"{self._where}: {message}", self.stream_id, self.fragment_id)

    def has(self, key: str) -> bool:
        """Whether the field is there; null counts as absent."""
        return self._payload.get(key) is not None

    def name(self, key: str) -> str:
        """A text that ends up in logs and answers."""
        return self.text(key, MAX_ID_LENGTH)

    def id(self, key: str) -> FragmentId:
        """What names a fragment: a text or a number."""
        value = self._payload.get(key)
        if value == "" or not _is_id(value):
            raise self.wrong(key, value, f"a string of 1 to {MAX_ID_LENGTH} characters, or a number")
        return cast(FragmentId, value)

    def text(self, key: str, longest: int | None = None) -> str:
        value = self._payload.get(key)
        if not isinstance(value, str) or not value or (longest and len(value) > longest):
            raise self.wrong(key, value, f"a string of 1 to {longest} characters" if longest else "a non-empty string")
        return value

    def flag(self, key: str) -> bool:
        value = self._payload.get(key)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self._payload.get(key)
        if value not in allowed:
            raise self.wrong(key, value, f"one of {', '.join(allowed)}")
        return str(value)

    def number(self, key: str, low: float, high: float, optional: bool = False) -> float:
        value = self._payload.get(key)
        if value is None and optional:
            return 0.0
        # True is an int in Python, and NaN passes every comparison's negation.
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise self.wrong(key, value, f"a number from {low:g} to {high:g}")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        value = self._payload.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(key, value, f"a whole number from {low} to {high}")
        return value

    def object(self, key: str) -> "Fields":
        value = self._payload.get(key)
        if not isinstance(value, dict):
            raise self.wrong(key, value, "an object")
        inner = Fields(value, f"{self._where} {key}")
        inner.stream_id, inner.fragment_id = self.stream_id, self.fragment_id
        return inner

    def objects(self, key: str, most: int) -> "list[Fields]":
        """The objects of a list of at most `most`."""
        value = self._payload.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, value, "a list")
        if len(value) > most:
            raise self.error(f"{key}: seen {len(value)} of them, expected at most {most}")
        return [Fields(entry, f"{self._where} {key}[{index}]") for index, entry in enumerate(value)]

    def wrong(self, key: str, value: Any, expected: str) -> ContractError:
        return self.error(f"{key}: seen {_shown(value)}, expected {expected}")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_ID_LENGTH


def _is_id(value: Any) -> bool:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return abs(value) <= 2**53
    return _is_name(value)


def _shown(value: Any) -> str:
    # Only the begin is looked at: the value may be as long as a message may be.
    shown = repr(value[:60]) if isinstance(value, (str, bytes)) else reprlib.repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
