"""Decoding times of H.264 frames. Pure.

RTP carries the time at which a frame is shown (PTS), but not the one at which it is decoded (DTS), which RTMP and MP4 need.
Where there are B-frames, a frame is sent before those that are shown before it and refer to it. An encoder gives the k-th
frame that it sends the k-th time at which one is shown, moved ahead by as much as is needed for none to be shown before
it is decoded. So does this: the times are those of the encoder, but for a delay that it would have had room for and
never used.
"""

import heapq

# 16 frames are the most that may wait (H.264, A.3.1), and encoders use 1 to 3. More is no reordering, but times that jump.
MAX_DELAY_NS = 500_000_000


class DecodingTimes:
    """Knows the DTS of frames; times in ns.

    `add` the PTS of each frame as it comes, and `take` the DTS of each in the same order, once all that are shown before it
    have come. Without B-frames, each DTS is its PTS.
    """

    def __init__(self) -> None:
        self._waiting: list[int] = []  # heap of the PTS that no frame has got as its DTS
        self._ordered: list[int] = []  # PTS in decoding order of what is not taken yet, until the delay is known
        self._delay_ns: int | None = None
        self._last_ns: int | None = None

    def add(self, pts_ns: int) -> None:
        """A frame has come."""
        heapq.heappush(self._waiting, pts_ns)
        if self._delay_ns is None:
            self._ordered.append(pts_ns)

    def shift(self, by_ns: int) -> None:
        """All times count from another moment. Before anything is taken."""
        self._waiting = [pts + by_ns for pts in self._waiting]  # the order stays
        self._ordered = [pts + by_ns for pts in self._ordered]

    def take(self, pts_ns: int) -> int:
        """The DTS of the next frame, which is shown at `pts_ns`."""
        if self._delay_ns is None:
            self._delay_ns = reorder_delay_ns(self._ordered)
            self._ordered.clear()
        due = heapq.heappop(self._waiting) - self._delay_ns
        # Deeper reordering than has been seen so far: later ones are moved ahead as well, and it evens out.
        dts = min(due, pts_ns)
        self._last_ns = dts if self._last_ns is None else max(dts, self._last_ns + 1)
        return self._last_ns


def reorder_delay_ns(pts_ns: list[int]) -> int:
    """How much earlier than shown frames must be decoded, by their PTS in decoding order; 0 without B-frames."""
    delay = max((shown - pts for shown, pts in zip(sorted(pts_ns), pts_ns, strict=True)), default=0)
    return min(delay, MAX_DELAY_NS)
