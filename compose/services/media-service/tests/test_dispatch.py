from dataclasses import dataclass, field

import pytest

from media_service.breaker import BreakerState, CircuitBreaker, is_retryable
from media_service.dispatch import Decision, Dispatcher, Pacing


@dataclass
class Bench:
    """A dispatcher with its breaker, ready to send at time 0, and the breaker's transitions."""

    changes: list[tuple[BreakerState, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(5, 30.0, lambda *change: self.changes.append(change))
        self.pacing = Pacing()
        self.dispatcher = Dispatcher(self.breaker, self.pacing, max_inflight=3, timeout_s=8.0)
        self.dispatcher.ready(None)

    def state(self) -> BreakerState:
        return self.breaker.state

    def add(self, *indexes: int, at: float = 0.0) -> None:
        for index in indexes:
            self.dispatcher.add(index, at)

    def open_breaker(self, now: float = 0.0) -> None:
        for _ in range(5):
            self.breaker.failure(now, "TIMEOUT")


@pytest.fixture
def bench() -> Bench:
    return Bench()


# -- breaker


def test_opens_after_exactly_five_failures_in_a_row(bench: Bench) -> None:
    for _ in range(4):
        bench.breaker.failure(0.0, "MODEL_ERROR")
    assert bench.state() is BreakerState.CLOSED
    bench.breaker.failure(0.0, "MODEL_ERROR")
    assert bench.changes == [(BreakerState.OPEN, "MODEL_ERROR", 5)]


def test_success_ends_the_row(bench: Bench) -> None:
    for _ in range(4):
        bench.breaker.failure(0.0, "TIMEOUT")
    bench.breaker.success()
    for _ in range(4):
        bench.breaker.failure(0.0, "TIMEOUT")
    assert bench.state() is BreakerState.CLOSED


def test_refusal_neither_counts_nor_ends_the_row(bench: Bench) -> None:
    for _ in range(4):
        bench.breaker.failure(0.0, "TIMEOUT")
    bench.breaker.refused()
    assert bench.state() is BreakerState.CLOSED
    bench.breaker.failure(0.0, "TIMEOUT")
    assert bench.state() is BreakerState.OPEN


def test_half_open_after_thirty_seconds(bench: Bench) -> None:
    bench.open_breaker()
    bench.breaker.tick(29.9)
    assert bench.state() is BreakerState.OPEN
    bench.breaker.tick(30.0)
    assert bench.state() is BreakerState.HALF_OPEN


def test_failed_probe_opens_again_for_thirty_seconds(bench: Bench) -> None:
    bench.open_breaker()
    bench.breaker.tick(30.0)
    bench.breaker.sent()
    bench.breaker.failure(38.0, "TIMEOUT")
    bench.breaker.tick(67.9)
    assert bench.state() is BreakerState.OPEN
    bench.breaker.tick(68.0)
    assert bench.state() is BreakerState.HALF_OPEN


@pytest.mark.parametrize(
    ("code", "flag", "expected"),
    [
        ("TIMEOUT", False, True),
        ("QUEUE_FULL", True, True),
        ("INVALID_CONFIG", True, False),
        ("NEW_CODE", True, True),
        ("NEW_CODE", False, False),
    ],
)
def test_retryable_codes(code: str, flag: bool, expected: bool) -> None:
    assert is_retryable(code, flag) is expected


# -- dispatcher and breaker


def test_open_breaker_sends_nothing_and_falls_back(bench: Bench) -> None:
    bench.open_breaker()
    bench.add(0, 1)
    decision = bench.dispatcher.advance(1.0)
    assert decision.send == []
    assert decision.fall_back == [(0, "circuit_open"), (1, "circuit_open")]


def test_half_open_sends_exactly_one_probe(bench: Bench) -> None:
    bench.open_breaker()
    bench.add(0, 1, 2, at=30.0)
    decision = bench.dispatcher.advance(30.0)
    assert decision.send == [0]
    assert decision.fall_back == [(1, "circuit_open"), (2, "circuit_open")]
    bench.dispatcher.answered(0)
    bench.breaker.success()
    assert bench.state() is BreakerState.CLOSED
    bench.add(3, 4, at=31.0)
    assert bench.dispatcher.advance(31.0).send == [3, 4]


def test_lost_probe_is_sent_again_after_the_reconnection(bench: Bench) -> None:
    bench.open_breaker()
    bench.add(0, at=30.0)
    assert bench.dispatcher.advance(30.0).send == [0]
    assert bench.dispatcher.lost() == [(0, "disconnected")]
    bench.dispatcher.ready(None)
    bench.add(1, at=33.0)
    assert bench.dispatcher.advance(33.0).send == [1]


def test_five_own_timeouts_open_the_breaker(bench: Bench) -> None:
    now = 0.0
    for index in range(5):
        bench.add(index, at=now)
        assert bench.dispatcher.advance(now).send == [index]
        now += 8.0
        assert bench.dispatcher.advance(now).fall_back == [(index, "timeout")]
    assert bench.state() is BreakerState.OPEN


# -- in-flight limit and timeout


def test_never_more_than_the_limit_outstanding(bench: Bench) -> None:
    bench.add(0, 1, 2, 3, 4)
    assert bench.dispatcher.advance(0.0).send == [0, 1, 2]
    assert bench.dispatcher.inflight == 3
    assert bench.dispatcher.advance(0.1).send == []
    assert bench.dispatcher.answered(1) == 0.0
    assert bench.dispatcher.advance(0.2).send == [3]
    assert bench.dispatcher.inflight == 3


@pytest.mark.parametrize(("sts_limit", "expected"), [(None, 3), (1, 1), (10, 3)])
def test_the_smaller_limit_counts(bench: Bench, sts_limit: int | None, expected: int) -> None:
    bench.dispatcher.ready(sts_limit)
    bench.add(0, 1, 2, 3)
    assert len(bench.dispatcher.advance(0.0).send) == expected


def test_timeout_frees_the_slot_for_the_next(bench: Bench) -> None:
    bench.add(0, 1, 2)
    bench.dispatcher.advance(0.0)
    bench.add(3, at=6.0)
    assert bench.dispatcher.advance(7.9) == Decision()
    assert bench.dispatcher.advance(8.0) == Decision([3], [(0, "timeout"), (1, "timeout"), (2, "timeout")])
    assert bench.dispatcher.inflight == 1


def test_timeout_runs_from_the_sending(bench: Bench) -> None:
    bench.add(0, 1, 2, 3)
    bench.dispatcher.advance(0.0)
    bench.dispatcher.answered(0)
    assert bench.dispatcher.advance(5.0).send == [3]
    # 3 was cut at 0 and sent at 5; the others were sent at 0.
    assert bench.dispatcher.advance(8.0).fall_back == [(1, "timeout"), (2, "timeout")]
    assert bench.dispatcher.advance(12.9) == Decision()
    assert bench.dispatcher.advance(13.0).fall_back == [(3, "timeout")]


def test_fragment_waits_one_timeout_for_its_sending(bench: Bench) -> None:
    bench.dispatcher.ready(1)
    bench.add(0, 1)
    bench.dispatcher.advance(1.0)
    # The slot is free only when 0 is given up, at 9 s.
    assert bench.dispatcher.advance(8.0).fall_back == [(1, "timeout")]
    assert bench.dispatcher.advance(9.0).fall_back == [(0, "timeout")]


def test_late_result_is_nobodys(bench: Bench) -> None:
    bench.add(0)
    bench.dispatcher.advance(0.0)
    bench.dispatcher.advance(8.0)
    assert bench.dispatcher.answered(0) is None


def test_fragment_that_was_never_sent_is_no_failure_of_the_sts(bench: Bench) -> None:
    bench.pacing.apply("pause", 0)
    bench.add(0, 1, 2, 3, 4, 5)
    assert len(bench.dispatcher.advance(8.0).fall_back) == 6
    assert bench.state() is BreakerState.CLOSED


# -- backpressure


def test_pause_holds_until_none(bench: Bench) -> None:
    bench.pacing.apply("pause", 0)
    bench.add(0)
    assert bench.dispatcher.advance(1.0).send == []
    bench.pacing.apply("none", 0)
    assert bench.dispatcher.advance(2.0).send == [0]


def test_slow_down_spaces_the_sends(bench: Bench) -> None:
    bench.pacing.apply("slow_down", 500)
    bench.add(0, 1)
    assert bench.dispatcher.advance(1.0).send == [0]
    assert bench.dispatcher.advance(1.549).send == []
    assert bench.dispatcher.advance(1.551).send == [1]


def test_distance_counts_from_the_end_of_what_is_still_on_its_way_out(bench: Bench) -> None:
    bench.pacing.apply("slow_down", 500)
    bench.add(0, 1)
    assert bench.dispatcher.advance(1.0).send == [0]
    bench.dispatcher.sent(0, 1.0)
    bench.pacing.sent(1.3)
    assert bench.dispatcher.advance(1.849).send == []
    assert bench.dispatcher.advance(1.851).send == [1]
    assert bench.dispatcher.advance(9.0).fall_back == [(0, "timeout")]


def test_distance_and_time_out_count_from_when_a_fragment_left(bench: Bench) -> None:
    bench.pacing.apply("slow_down", 500)
    bench.add(0, 1)
    assert bench.dispatcher.advance(1.0).send == [0]
    bench.dispatcher.sent(0, 1.2)
    assert bench.dispatcher.advance(1.7).send == []
    assert bench.dispatcher.advance(1.76).send == [1]
    assert bench.dispatcher.advance(9.1).fall_back == []
    assert bench.dispatcher.advance(9.2).fall_back == [(0, "timeout")]


def test_unknown_action_changes_nothing(bench: Bench) -> None:
    bench.pacing.apply("pause", 0)
    bench.pacing.apply("faster", 0)
    assert not bench.pacing.may_send(1.0)


def test_new_session_forgets_a_pause(bench: Bench) -> None:
    bench.pacing.apply("pause", 0)
    bench.dispatcher.lost()
    bench.dispatcher.ready(None)
    bench.add(0)
    assert bench.dispatcher.advance(0.0).send == [0]


# -- connection


def test_fragments_wait_for_the_first_connection() -> None:
    bench = Bench()
    bench.dispatcher = Dispatcher(bench.breaker, bench.pacing, 3, 8.0)
    bench.add(0)
    decision = bench.dispatcher.advance(1.0)
    assert (decision.send, decision.fall_back) == ([], [])
    bench.dispatcher.ready(3)
    assert bench.dispatcher.advance(1.1).send == [0]


def test_lost_connection_falls_back_at_once_and_until_the_next_session(bench: Bench) -> None:
    bench.add(0, 1, 2, 3)
    bench.dispatcher.advance(0.0)
    assert bench.dispatcher.lost() == [(i, "disconnected") for i in range(4)]
    assert bench.dispatcher.inflight == 0
    bench.add(4)
    assert bench.dispatcher.advance(1.0).fall_back == [(4, "disconnected")]
    bench.dispatcher.ready(3)
    bench.add(5, at=2.0)
    assert bench.dispatcher.advance(2.0).send == [5]
