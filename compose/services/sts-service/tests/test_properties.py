"""What holds for every input: parsers, sequence numbers, audio, statistics."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sts_testing import fragment, init

from sts_service.audio import AudioDecodeError, decode_file, encode_pcm, resample
from sts_service.contract import (
    MAX_FRAGMENT_BYTES,
    MAX_FRAGMENT_MS,
    MAX_ID_LENGTH,
    RATES_HZ,
    ContractError,
    Fragment,
    StreamConfig,
    parse_fragment,
    parse_init,
    parse_stream_id,
    readable_ids,
)
from sts_service.echo import own_audio
from sts_service.fit import fit_speech
from sts_service.sessions import Sequence
from sts_service.statistics import StreamStatistics, percentile

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
"""Whatever JSON and binary attachments can hold."""
RATES = st.sampled_from((8_000, 16_000, 22_050, 44_100, 48_000, 192_000))


def changed(payload: dict[str, Any], inner: str) -> st.SearchStrategy[dict[str, Any]]:
    """`payload` with some of its fields, and of those of its object `inner`, missing or something else."""

    def change(of: dict[str, Any], changes: dict[str, Any], gone: set[str]) -> dict[str, Any]:
        return {key: changes.get(key, value) for key, value in of.items() if key not in gone}

    def changes(of: dict[str, Any]) -> Any:
        keys = st.sampled_from(sorted(of))
        return st.builds(change, st.just(of), st.dictionaries(keys, VALUES, max_size=2), st.sets(keys, max_size=1))

    return st.builds(lambda outside, inside: {**outside, inner: inside}, changes(payload), changes(payload[inner]))


def check_error(error: ContractError, event: str, *codes: str) -> None:
    assert error.code in codes
    assert str(error).startswith(event)
    assert len(json.dumps(error.event())) < 20 * MAX_ID_LENGTH


@given(VALUES | changed(init(), "config"))
def test_init_is_parsed_or_refused(payload: Any) -> None:
    try:
        config = parse_init(payload)
    except ContractError as error:
        check_error(error, "stream:init", "INVALID_CONFIG")
        return
    assert 1 <= len(config.stream_id) <= MAX_ID_LENGTH
    assert config.channels in (1, 2)
    assert RATES_HZ[0] <= config.sample_rate_hz <= RATES_HZ[1]
    assert 1 <= config.max_inflight <= 1000


@given(VALUES | changed(fragment(0, bytes(352_800)), "audio"))
def test_fragment_is_parsed_or_refused(payload: Any) -> None:
    try:
        parsed = parse_fragment(payload)
    except ContractError as error:
        check_error(error, "fragment:data", "INVALID_CONFIG", "FRAGMENT_TOO_LARGE")
        return
    assert len(parsed.data) <= MAX_FRAGMENT_BYTES
    assert 0 <= parsed.sequence_number <= 2**53
    assert 1 <= parsed.duration_ms <= MAX_FRAGMENT_MS


@given(st.binary(min_size=1, max_size=1000), st.sampled_from((1, 2)), RATES)
def test_valid_pcm_arrives_as_it_was_sent(data: bytes, channels: int, rate: int) -> None:
    frames = len(data) // (2 * channels)
    sent = fragment(0, data, channels=channels, sample_rate_hz=rate, duration_ms=max(1, frames * 1000 / rate))
    if len(data) % (2 * channels):
        with pytest.raises(ContractError, match="no multiple"):
            parse_fragment(sent)
    else:
        assert parse_fragment(sent).data == data


@given(st.text(max_size=100))
def test_text_is_base64_or_refused(text: str) -> None:
    sent = fragment(0, b"", format="m4a", data_base64=text)
    try:
        assert base64.b64encode(parse_fragment(sent).data).decode() == text
    except ContractError as error:
        check_error(error, "fragment:data", "INVALID_CONFIG")


@given(VALUES)
def test_ids_are_read_of_anything(payload: Any) -> None:
    stream_id, fragment_id, number = readable_ids(payload)
    assert all(not isinstance(name, str) or len(name) <= MAX_ID_LENGTH for name in (stream_id, fragment_id))
    assert number is None or type(number) is int
    try:
        assert parse_stream_id(payload, "stream:end") == stream_id
    except ContractError as error:
        check_error(error, "stream:end", "INVALID_CONFIG")


@given(st.lists(st.tuples(st.booleans(), st.integers(-2, 12) | st.just(2**53)), max_size=30))
def test_numbers_are_accepted_once_and_in_order(numbers: list[tuple[bool, int]]) -> None:
    sequence, accepted, refused = Sequence(), [-1], set()
    for valid, number in numbers:
        if not valid:
            sequence.refuse(number)
            refused.add(number)
            continue
        # What was refused may be left out; everything else has to come.
        fits = (
            number > accepted[-1]
            and len(range(accepted[-1] + 1, number)) < 20
            and (refused.issuperset(range(accepted[-1] + 1, number)))
        )
        if fits:
            sequence.accept(number)
            accepted.append(number)
        else:
            with pytest.raises(ContractError, match=f"expected {accepted[-1] + 1}"):
                sequence.accept(number)
    assert accepted == sorted(set(accepted))


@given(st.integers(1, 5000), RATES, RATES)
def test_resampled_sound_is_as_long(frames: int, rate_from: int, rate_to: int) -> None:
    samples = np.arange(frames, dtype=np.int16)
    resampled = resample(samples, rate_from, rate_to)
    assert abs(len(resampled) - frames * rate_to / rate_from) <= 32 + 32 * rate_to / rate_from
    if rate_from == rate_to:
        assert np.array_equal(resampled, samples)


@given(st.integers(1, 3000), RATES, RATES, st.sampled_from((1, 2)), st.sampled_from((1, 2)))
def test_echo_is_exactly_as_long(frames: int, rate_from: int, rate_to: int, channels_from: int, channels_to: int) -> None:
    data = encode_pcm(np.arange(frames, dtype=np.int16), channels_from)
    stream = StreamConfig("s", "w", "en", "es", rate_to, channels_to, "pcm_s16le", 3)
    sent = Fragment("f", "s", 0, "pcm_s16le", rate_from, channels_from, frames * 1000 / rate_from, data)
    echoed = own_audio(sent, stream)
    assert len(echoed) == round(frames * rate_to / rate_from) * 2 * channels_to
    if rate_from == rate_to:
        assert echoed[: 2 * channels_to] == data[:2] * channels_to


@given(st.integers(0, 200_000), st.integers(1, 50_000), RATES, st.floats(0, 10))
@settings(max_examples=50)
def test_speech_is_fitted_exactly(spoken: int, frames: int, rate: int, start_s: float) -> None:
    """Speech at 22 050 Hz that the synthesizer alone can make short enough, or that needs no shortening."""
    speech = np.full(spoken, 1000, np.int16)

    def speak(speed: float) -> tuple[Any, int]:
        return speech[: round(spoken / speed)], 22_050

    fitted = fit_speech(speak, 1000.0, frames, rate, start_s)
    assert len(fitted.samples) == frames


@given(st.binary(max_size=3000))
@settings(max_examples=50)
def test_bytes_are_a_file_or_refused(data: bytes) -> None:
    for file in (data, b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + data, b"OggS" + data):
        with pytest.raises(AudioDecodeError):
            decode_file(file, 44_100)


@given(st.lists(st.floats(0, 1e6), max_size=50), st.integers(1, 100))
def test_percentile_is_the_smallest_that_covers(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    if not values:
        assert found == 0
        return
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_statistics_of_a_long_stream_are_bounded() -> None:
    statistics = StreamStatistics()
    for number in range(30_000):
        statistics.add("success", float(number), 6000)
    report = statistics.report()
    assert (report["total_fragments"], report["total_duration_ms"]) == (30_000, 180_000_000)
    assert report["statistics"]["avg_processing_time_ms"] == 14_999.5
    assert report["statistics"]["p95_processing_time_ms"] == 29_499
    assert len(statistics._times_ms) == 10_000
