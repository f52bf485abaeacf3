"""Counts and times of one stream."""

import math
from collections import deque
from collections.abc import Collection
from typing import Any

KEPT_TIMES = 10_000
"""Of the latest fragments, for the percentile: 16 hours of 6 s each. A stream may go on for weeks."""


class StreamStatistics:
    """Collects what `stream:complete` reports."""

    def __init__(self) -> None:
        self._counts = {"success": 0, "partial": 0, "failed": 0}
        self._times_ms: deque[float] = deque(maxlen=KEPT_TIMES)
        self._time_ms = 0.0
        self._duration_ms = 0.0

    @property
    def average_ms(self) -> float:
        """Mean processing time; 0 before the first fragment."""
        return self._time_ms / self._fragments if self._fragments else 0.0

    @property
    def _fragments(self) -> int:
        return sum(self._counts.values())

    def add(self, status: str, processing_time_ms: float, duration_ms: float) -> None:
        """Count a fragment of `duration_ms` of audio."""
        self._counts[status] += 1
        self._times_ms.append(processing_time_ms)
        self._time_ms += processing_time_ms
        self._duration_ms += duration_ms

    def report(self) -> dict[str, Any]:
        """total_fragments, total_duration_ms and statistics of `stream:complete`."""
        return {
            "total_fragments": self._fragments,
            "total_duration_ms": round(self._duration_ms),
            "statistics": {
                **{f"{status}_count": count for status, count in self._counts.items()},
                "avg_processing_time_ms": round(self.average_ms, 1),
                "p95_processing_time_ms": round(percentile(self._times_ms, 95), 1),
            },
        }


def percentile(values: Collection[float], percent: float) -> float:
    """Nearest-rank percentile: the smallest value that `percent` % of the values do not exceed; 0 for none."""
    if not values:
        return 0.0
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]
