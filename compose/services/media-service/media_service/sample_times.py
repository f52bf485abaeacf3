"""Times of resampled audio. Pure.

A resampler gives its output the time of its first sample and counts from there. A source whose audio clock is off says so
in the times of its buffers only, so those are carried past the resampler.
"""

from collections import deque


class SampleTimes:
    """Knows when samples that come out of a resampler are due, by the times of those that went in; times in ns."""

    def __init__(self) -> None:
        self._in_ns = self._out_ns = 0.0  # length of what went in, and of what came out, by their samples
        self._known: deque[tuple[float, int]] = deque()  # where a buffer begins by the samples before it, and its time

    def went_in(self, pts_ns: int, samples: int, rate_hz: int) -> None:
        """The resampler gets `samples` samples at `rate_hz`, the first of them due at `pts_ns`."""
        self._known.append((self._in_ns, pts_ns))
        self._in_ns += samples * 1e9 / rate_hz

    def came_out(self, samples: int, rate_hz: int) -> int:
        """The next `samples` samples have come out, at `rate_hz`: when the first of them is due."""
        # Half a sample of tolerance: what went in as a buffer of its own shall keep its time exactly.
        while len(self._known) > 1 and self._known[1][0] <= self._out_ns + 0.5e9 / rate_hz:
            self._known.popleft()
        begin_ns, pts_ns = self._known[0]
        due_ns = pts_ns + round(self._out_ns - begin_ns)
        self._out_ns += samples * 1e9 / rate_hz
        return due_ns
