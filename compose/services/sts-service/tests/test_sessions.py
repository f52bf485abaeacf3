import pytest

from sts_service.contract import ContractError
from sts_service.sessions import Sequence, pressure_of
from sts_service.statistics import StreamStatistics, percentile


def test_sequence_refuses_gap_and_repetition() -> None:
    sequence = Sequence()
    sequence.accept(0)
    for number in (0, 2, 100):
        with pytest.raises(ContractError, match=f"seen {number}, expected 1"):
            sequence.accept(number)
    sequence.accept(1)


def test_number_of_a_refused_fragment_may_be_sent_again_or_left_out() -> None:
    again, left_out = Sequence(), Sequence()
    for sequence in (again, left_out):
        sequence.accept(0)
        sequence.refuse(1)
    again.accept(1)
    again.accept(2)
    left_out.accept(2)
    with pytest.raises(ContractError):
        left_out.accept(1)


@pytest.mark.parametrize(
    ("depth", "action"), [(0, "none"), (3, "none"), (4, "slow_down"), (5, "slow_down"), (6, "pause"), (12, "pause")]
)
def test_pressure(depth: int, action: str) -> None:
    assert pressure_of(depth, 3).action == action


@pytest.mark.parametrize(
    ("values", "p95"),
    [([], 0), ([7], 7), (list(range(1, 11)), 10), (list(range(1, 21)), 19), (list(range(100, 0, -1)), 95)],
)
def test_p95_is_nearest_rank(values: list[float], p95: float) -> None:
    assert percentile(values, 95) == p95


def test_report() -> None:
    statistics = StreamStatistics()
    assert statistics.report()["statistics"]["avg_processing_time_ms"] == 0
    for status, ms in (("success", 100.0), ("success", 300.0), ("partial", 200.0), ("failed", 50.0)):
        statistics.add(status, ms, 6000)
    assert statistics.report() == {
        "total_fragments": 4,
        "total_duration_ms": 24_000,
        "statistics": {
            "success_count": 2,
            "partial_count": 1,
            "failed_count": 1,
            "avg_processing_time_ms": 162.5,
            "p95_processing_time_ms": 300.0,
        },
    }
