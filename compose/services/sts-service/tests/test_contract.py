import base64
from typing import Any

import pytest

from sts_service.contract import MAX_FRAGMENT_BYTES, ContractError, parse_fragment, parse_init

RATE = 44_100


def init(**config: Any) -> dict[str, Any]:
    return {
        "stream_id": "s",
        "worker_id": "w",
        "max_inflight": 3,
        "timeout_ms": 8000,
        "config": {
            "source_language": "en-US",
            "target_language": "es",
            "voice_profile": "default",
            "chunk_duration_ms": 6000,
            "sample_rate_hz": RATE,
            "channels": 1,
            "format": "pcm_s16le",
            **config,
        },
    }


def fragment(pcm: bytes = bytes(RATE * 2), fields: dict[str, Any] | None = None, **audio: Any) -> dict[str, Any]:
    return {
        "fragment_id": "f",
        "stream_id": "s",
        "sequence_number": 0,
        "timestamp": 0,
        "audio": {
            "format": "pcm_s16le",
            "sample_rate_hz": RATE,
            "channels": 1,
            "duration_ms": 1000,
            "data_base64": base64.b64encode(pcm).decode(),
            **audio,
        },
        "metadata": {"pts_ns": 0},
        **(fields or {}),
    }


def test_what_the_contract_leaves_out() -> None:
    least = {key: value for key, value in init().items() if key not in ("max_inflight", "timeout_ms")}
    assert parse_init(least).max_inflight == 3


@pytest.mark.parametrize("timeout_ms", [1000, 30_000])
def test_timeouts_at_their_bounds(timeout_ms: int) -> None:
    assert parse_init({**init(), "timeout_ms": timeout_ms}).stream_id == "s"


@pytest.mark.parametrize("fragment_id", ["f", "stream_0001", 0, 7, 1.5])
@pytest.mark.parametrize("timestamp", [None, 6000, 1_800_000_000_000.5, "2026-01-01T00:00:00Z"])
def test_names_and_times_of_any_kind(fragment_id: str | float, timestamp: Any) -> None:
    parsed = parse_fragment(fragment(fields={"fragment_id": fragment_id, "timestamp": timestamp}))
    assert (parsed.fragment_id, type(parsed.fragment_id)) == (fragment_id, type(fragment_id))


def refusal(payload: Any) -> ContractError:
    with pytest.raises(ContractError) as caught:
        parse_fragment(payload)
    return caught.value


def test_valid_events() -> None:
    assert parse_init(init()).source_language == "en"
    assert len(parse_fragment(fragment()).data) == RATE * 2


@pytest.mark.parametrize(
    "config",
    [
        {"format": "mp3"},
        {"format": ["m4a"]},
        {"channels": 3},
        {"channels": True},
        {"sample_rate_hz": "44100"},
        {"sample_rate_hz": 44100.0},
        {"target_language": ""},
        {"chunk_duration_ms": 0},
    ],
)
def test_bad_stream_config(config: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=next(iter(config))) as caught:
        parse_init(init(**config))
    assert (caught.value.code, caught.value.stream_id) == ("INVALID_CONFIG", "s")


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        (None, "object"),
        ([], "object"),
        (fragment(data_base64="!!!!"), "base64"),
        (fragment(data_base64="AAA"), "base64"),
        (fragment(data_base64=5), "data_base64"),
        (fragment(fields={"sequence_number": -1}), "sequence_number"),
        (fragment(fields={"sequence_number": True}), "sequence_number"),
        (fragment(fields={"audio": "x"}), "audio"),
        (fragment(bytes(RATE * 2 + 1)), "frame"),
        (fragment(duration_ms=float("nan")), "duration_ms"),
        (fragment(duration_ms=3000), "duration_ms"),
    ],
)
def test_malformed_fragment(payload: Any, word: str) -> None:
    error = refusal(payload)
    assert error.code == "INVALID_CONFIG"
    assert word in str(error)
    assert error.event()["retryable"] is False


def test_duration_may_differ_from_the_samples_by_100_ms() -> None:
    parse_fragment(fragment(duration_ms=1100))
    assert refusal(fragment(duration_ms=1101)).fragment_id == "f"


def test_too_large() -> None:
    assert refusal(fragment(bytes(MAX_FRAGMENT_BYTES + 4))).code == "FRAGMENT_TOO_LARGE"
    assert refusal(fragment(duration_ms=30_001)).code == "FRAGMENT_TOO_LARGE"
