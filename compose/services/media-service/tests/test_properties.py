"""What holds for every input: pacing, breaker and dispatcher together, segmenter, audio, what STS and MediaMTX say."""

import array
import base64
import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from media_service.audio import AudioError, fit_length, to_stream_format
from media_service.breaker import BreakerState, CircuitBreaker
from media_service.config import Config
from media_service.dispatch import Decision, Dispatcher, Pacing
from media_service.segmenter import (
    BYTES_PER_FRAME,
    MAX_JUMP_NS,
    AccessUnit,
    PcmChunk,
    Segment,
    Segmenter,
    TimestampError,
)
from media_service.supervisor import Supervisor
from media_service.track_sync import packet_duration_ns
from media_service.worker import Worker

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
"""Whatever JSON and binary attachments can hold."""
RATE = 8_000
SECOND = 1_000_000_000
THRESHOLD, OPEN_S, TIMEOUT_S, LIMIT = 3, 30.0, 8.0, 3


class Dispatching(RuleBasedStateMachine):
    """Fragments on their way, with an STS that answers, fails, is lost and asks for patience as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = CircuitBreaker(THRESHOLD, OPEN_S, self.changed)
        self.pacing = Pacing()
        self.dispatcher = Dispatcher(self.breaker, self.pacing, LIMIT, TIMEOUT_S)
        self.limit = LIMIT
        self.count = 0
        self.inflight: set[int] = set()
        self.ended: dict[int, str] = {}
        self.is_ready = False
        self.paused, self.delay_s, self.last_sent = False, 0.0, float("-inf")
        self.failures = 0
        self.opened_at = 0.0
        self.probes = 0

    def changed(self, state: BreakerState, _trigger: str, _failures: int) -> None:
        if state is BreakerState.OPEN:
            self.opened_at = self.now
        elif state is BreakerState.HALF_OPEN:
            assert self.now - self.opened_at >= OPEN_S
            self.probes = 0

    def end(self, index: int, how: str) -> None:
        assert index not in self.ended, f"{index} ended as {self.ended[index]} and as {how}"
        self.ended[index] = how
        self.inflight.discard(index)

    @initialize(at_once=st.booleans())
    def connect(self, at_once: bool) -> None:
        if at_once:
            self.ready(None)

    @rule(count=st.integers(1, 3))
    def add(self, count: int) -> None:
        for _ in range(count):
            self.dispatcher.add(self.count, self.now)
            self.count += 1

    @rule(seconds=st.floats(0, 2) | st.sampled_from((TIMEOUT_S, OPEN_S)), converted=st.booleans())
    def advance(self, seconds: float, converted: bool) -> None:
        self.now += seconds
        decision = self.dispatcher.advance(self.now)
        for index, reason in decision.fall_back:
            assert reason in ("timeout", "circuit_open", "disconnected")
            assert (reason == "disconnected") is (not self.is_ready and reason != "timeout")
            self.end(index, reason)
        for index in decision.send:
            assert self.is_ready
            assert not self.paused
            assert self.breaker.state is not BreakerState.OPEN
            assert self.now - self.last_sent >= self.delay_s
            self.last_sent = self.now
            assert index not in self.ended
            self.inflight.add(index)
            if self.breaker.state is BreakerState.HALF_OPEN:
                self.probes += 1
                assert self.probes == 1
            self.dispatcher.sent(index, self.now)
            if not converted:
                self.dispatcher.unsent(index)
                self.end(index, "unsent")
                self.probes = 0
        assert decision.send == sorted(decision.send)

    @rule(limit=st.none() | st.integers(1, 5))
    def ready(self, limit: int | None) -> None:
        if self.is_ready:
            self.lose()
        self.dispatcher.ready(limit)
        self.is_ready = True
        self.limit = min(LIMIT, limit or LIMIT)
        self.paused, self.delay_s = False, 0.0

    @precondition(lambda self: self.is_ready or self.count)
    @rule()
    def lose(self) -> None:
        self.is_ready = False
        self.probes = 0
        for index, reason in self.dispatcher.lost():
            assert reason == "disconnected"
            self.end(index, reason)
        assert not self.inflight

    @rule(index=st.integers(0, 40), outcome=st.sampled_from(("success", "failure", "refused")))
    def answer(self, index: int, outcome: str) -> None:
        """Of a fragment on its way, or of one that nobody waits for any more, or not yet."""
        sent_at = self.dispatcher.answered(index)
        assert (sent_at is not None) is (index in self.inflight)
        if sent_at is None:
            return
        self.end(index, "dub" if outcome == "success" else outcome)
        if outcome == "success":
            self.breaker.success()
        elif outcome == "failure":
            self.breaker.failure(self.now, "MODEL_ERROR")
        else:
            self.breaker.refused()

    @rule(action=st.sampled_from(("pause", "slow_down", "none", "faster")), delay_ms=st.floats(0, 3000))
    def press(self, action: str, delay_ms: float) -> None:
        self.pacing.apply(action, delay_ms)
        if action == "pause":
            self.paused = True
        elif action in ("slow_down", "none"):
            self.paused = False
            self.delay_s = delay_ms / 1000 if action == "slow_down" else 0.0

    @invariant()
    def never_more_than_the_limit(self) -> None:
        assert self.dispatcher.inflight == len(self.inflight) <= self.limit

    def teardown(self) -> None:
        """Whatever has happened, each fragment ends, and once."""
        self.advance(0, True)
        self.lose()
        assert sorted(self.ended) == list(range(self.count))
        assert self.dispatcher.advance(self.now + 1000) == Decision()


Dispatching.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestDispatching = Dispatching.TestCase


# -- segmenter


COUNTING = array.array("I", range(5 * RATE)).tobytes()


def stretch(_before: bytes, pcm: bytes, _after: bytes, samples: int) -> bytes:
    return pcm[: samples * BYTES_PER_FRAME].ljust(samples * BYTES_PER_FRAME, b"\xff")


def feed(events: list[AccessUnit | PcmChunk]) -> list[Segment]:
    segmenter = Segmenter(2000, RATE, stretch)
    segments = []
    for event in events:
        segments += segmenter.add_video(event) if isinstance(event, AccessUnit) else segmenter.add_audio(event)
    return segments + segmenter.finish()


@st.composite
def broadcasts(draw: st.DrawFn, shortest_chunk: int = 1) -> tuple[int, list[PcmChunk], list[AccessUnit], list[Any]]:
    """Samples, chunks of them in any size, frames in decoding order, and both in any interleaving."""
    total = draw(st.integers(1, 5 * RATE))
    sizes = draw(st.lists(st.integers(shortest_chunk, RATE), min_size=1, max_size=8))
    start = draw(st.integers(0, 10 * SECOND))
    chunks: list[PcmChunk] = []
    position = 0
    while position < total:
        size = min(sizes[len(chunks) % len(sizes)] + len(chunks), total - position)
        data = COUNTING[position * BYTES_PER_FRAME : (position + size) * BYTES_PER_FRAME]
        jitter = draw(st.integers(-1_000_000, 1_000_000)) if len(chunks) in (1, 2) and shortest_chunk == 1 else 0
        chunks.append(PcmChunk(start + position * SECOND // RATE + jitter, data))
        position += size
    # B frames are shown before the frame that they follow in the stream.
    reorder = draw(st.sampled_from(((0,), (0, 3, 1, 2), (0, 2, 1))))
    rate = draw(st.sampled_from((5, 25, 30)))
    count = total * rate // RATE + 1
    times = [n - n % len(reorder) + reorder[n % len(reorder)] for n in range(count)]
    units = [AccessUnit(start + time * SECOND // rate, n == 0, n.to_bytes(4, "big")) for n, time in enumerate(times)]
    waiting: list[list[Any]] = [list(chunks), list(units)]
    events: list[Any] = []
    turns = draw(st.lists(st.integers(1, 20), min_size=1, max_size=6))
    turn = 0
    while any(waiting):
        track = waiting[turn % 2]
        events += track[: turns[turn % len(turns)]]
        del track[: turns[turn % len(turns)]]
        turn += 1
    return total, chunks, units, events


@given(broadcasts())
def test_no_sample_and_no_picture_is_lost_or_comes_twice(broadcast: Any) -> None:
    total, _, units, events = broadcast
    segments = feed(events)
    assert b"".join(s.pcm for s in segments) == COUNTING[: total * BYTES_PER_FRAME]
    assert [unit.data for s in segments for unit in s.video] == [unit.data for unit in units]
    assert [s.index for s in segments] == list(range(len(segments)))
    assert all(s.samples == 2 * RATE for s in segments[:-1])


@given(broadcasts(shortest_chunk=RATE // 20), st.data())
def test_gaps_are_silence_and_repetitions_are_dropped(broadcast: Any, data: st.DataObject) -> None:
    total, chunks, units, _ = broadcast
    expected, events = bytearray(), list(units)
    for chunk in chunks:
        times = data.draw(st.sampled_from((1, 1, 0, 2))) if chunk is not chunks[0] else 1
        # The last one may be too short to be more than jitter.
        times = min(times, 1) if len(chunk.data) < RATE // 20 * BYTES_PER_FRAME else times
        expected += chunk.data if times else bytes(len(chunk.data))
        events += [chunk] * times
    seen = b"".join(s.pcm for s in feed(events))
    # Nothing says how long the audio would have been.
    assert seen.rstrip(b"\0") == bytes(expected).rstrip(b"\0")
    assert len(seen) <= total * BYTES_PER_FRAME


TIMES = st.integers(-60, 60).map(lambda tenths: tenths * SECOND // 2) | st.integers(-(2**62), 2**62)


@given(st.lists(st.tuples(st.booleans(), TIMES, st.booleans(), st.integers(0, RATE)), max_size=30))
def test_times_that_jump_are_followed_or_refused(events: list[tuple[bool, int, bool, int]]) -> None:
    segmenter = Segmenter(2000, RATE, stretch)
    segments, taken = [], 0
    for n, (is_video, pts, keyframe, samples) in enumerate(events):
        try:
            if is_video:
                segments += segmenter.add_video(AccessUnit(pts, keyframe, n.to_bytes(4, "big")))
            else:
                segments += segmenter.add_audio(PcmChunk(pts, COUNTING[: samples * BYTES_PER_FRAME]))
        except TimestampError as error:
            assert "expected at most 30 s" in str(error)  # noqa: PT017
            break
        taken += 1
    segments += segmenter.finish()
    frames = [int.from_bytes(unit.data, "big") for s in segments for unit in s.video]
    assert frames == sorted(set(frames))
    # Each event adds what it holds, and no more silence than a jump may be long.
    assert sum(s.samples for s in segments) <= taken * (MAX_JUMP_NS // SECOND + 8) * RATE


# -- audio


@given(st.binary(max_size=2000), st.integers(1, 400))
def test_sound_is_fitted_exactly_or_refused(pcm: bytes, samples: int) -> None:
    seen = len(pcm) // BYTES_PER_FRAME
    if abs(seen - samples) > samples * 0.1:
        with pytest.raises(AudioError, match=rf"has {seen} samples, expected {samples} \+/- 10 %"):
            fit_length(pcm, samples)
        return
    fitted = fit_length(pcm, samples)
    assert len(fitted) == samples * BYTES_PER_FRAME
    kept = min(len(pcm), len(fitted))
    assert fitted == pcm[:kept] + bytes(len(fitted) - kept)


@given(
    st.binary(max_size=4000),
    st.sampled_from(("pcm_s16le", "pcm_s16le", "pcm_s16le", "wav", "m4a", "mp3", "")),
    st.integers(-1, 400_000) | st.sampled_from((8000, 16_000, 44_100)),
    st.integers(-1, 9) | st.integers(),
)
@settings(max_examples=60)
def test_any_bytes_are_converted_or_refused(data: bytes, audio_format: str, rate: int, channels: int) -> None:
    try:
        pcm = to_stream_format(data, audio_format, rate, channels, RATE, RATE)
    except AudioError:
        return
    assert audio_format == "pcm_s16le"
    assert len(pcm) % BYTES_PER_FRAME == 0
    assert len(pcm) <= RATE * BYTES_PER_FRAME
    assert abs(len(pcm) / BYTES_PER_FRAME - len(data) / (2 * channels) * RATE / rate) <= 16 + 16 * RATE / rate


# -- what others say


WORKER = Worker(Config.from_env({"SEGMENT_DIR": "/nowhere"}), "properties", "w", threading.Event())
NAMES = st.sampled_from(("fragment:processed", "fragment:ack", "backpressure", "error", "stream:complete"))
FIELDS = st.sampled_from(
    ("fragment_id", "status", "error", "dubbed_audio", "action", "recommended_delay_ms", "code", "message", "statistics")
)


@given(NAMES, st.dictionaries(FIELDS, VALUES, max_size=5))
def test_any_message_of_the_sts_is_taken(name: str, payload: dict[str, Any]) -> None:
    WORKER._on_message(name, payload)
    assert WORKER._pacing._delay_s >= 0
    assert WORKER._jobs == {}


@given(VALUES | st.dictionaries(st.sampled_from(("data_base64", "sample_rate_hz", "channels", "format")), VALUES))
def test_any_dub_is_decoded_or_refused(audio: Any) -> None:
    try:
        assert len(WORKER._decode(audio, 100)) == 100 * BYTES_PER_FRAME
    except AudioError as error:
        assert str(error)  # noqa: PT017


@given(st.binary(min_size=1, max_size=300).filter(lambda data: len(data) % 2))
def test_half_a_sample_is_refused(data: bytes) -> None:
    with pytest.raises(AudioError, match="expected a multiple of 2"):
        WORKER._decode(base64.b64encode(data).decode(), 100)


ITEM = st.fixed_dictionaries({}, optional={"name": st.text(max_size=20) | VALUES, "ready": VALUES, "source": VALUES})
GOOD = {"name": "live/good/in", "ready": True, "source": {"id": "1"}, "readyTime": "now"}


@given(st.lists(ITEM | VALUES, max_size=5))
def test_any_path_of_mediamtx_leaves_the_good_one(items: list[Any]) -> None:
    supervisor = Supervisor(Config.from_env({}), "unused")
    ready = supervisor._ready([*items, GOOD])
    assert ready["live/good/in"] == "1 now"
    assert all(name.startswith("live/") and name.endswith("/in") and "/../" not in name for name in ready)
    assert all(len(json.dumps(seen)) < 2000 for seen in supervisor._refused)


@given(st.sampled_from(("MPEG4-GENERIC", "H264", "")), st.binary(max_size=64), st.integers(1, 10**6))
def test_any_packet_has_a_length(encoding: str, packet: bytes, clock_rate: int) -> None:
    assert 0 <= packet_duration_ns(encoding, packet, clock_rate) <= 4096 * 1024 * SECOND // clock_rate
