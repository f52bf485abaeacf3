"""Cuts a stream into segments. Pure: no clock, no GStreamer.

Times are ns of the stream's running time. Segment k covers [k * duration, (k + 1) * duration) counted from the first
content (the earlier of first key picture and first audio sample): audio exact to the sample, video by the PTS of its
access units. A remainder under 1 s joins the last segment; therefore a segment is handed out when 1 s of what follows is
known, or at the end.
"""

from dataclasses import dataclass

CHANNELS = 2
BYTES_PER_FRAME = 2 * CHANNELS  # S16LE, interleaved
MIN_REMAINDER_NS = 1_000_000_000
# One track may lag behind the other by this much before its part of a segment is given up (silence, missing pictures).
MAX_LAG_NS = 6_000_000_000
# Smaller jumps of the audio PTS are jitter of the receiver: the samples stay contiguous. Larger ones are real gaps.
GAP_TOLERANCE_NS = 40_000_000


@dataclass(frozen=True)
class AccessUnit:
    """One H.264 access unit (AVC format, untouched). `caps` is the GStreamer caps object it came with."""

    pts_ns: int
    keyframe: bool
    data: bytes
    caps: object = None


@dataclass(frozen=True)
class PcmChunk:
    """S16LE stereo samples; `pts_ns` is the time of the first."""

    pts_ns: int
    data: bytes


@dataclass(frozen=True)
class Segment:
    """`start_ns` and the PTS of `video` count from the first content. `pcm` is S16LE stereo and begins at `start_ns`."""

    index: int
    start_ns: int
    source_pts_ns: int
    video: list[AccessUnit]
    pcm: bytes
    rate_hz: int

    @property
    def samples(self) -> int:
        """Length of the audio in samples a channel."""
        return len(self.pcm) // BYTES_PER_FRAME

    @property
    def duration_ms(self) -> float:
        """Length of the audio in ms."""
        return self.samples * 1000 / self.rate_hz


class Segmenter:
    """Feed it with access units and PCM in any interleaving; every call returns the segments that became complete."""

    def __init__(self, duration_ms: int, rate_hz: int) -> None:
        self._duration_ns = duration_ms * 1_000_000
        self._rate = rate_hz
        self._origin_ns: int | None = None
        self._first_video: int | None = None
        self._first_audio: int | None = None
        self._index = 0
        self._start_sample = 0  # first sample of the current segment, counted from the origin
        self._video: list[AccessUnit] = []  # PTS counted from the origin once that is known
        self._early_audio: list[PcmChunk] = []  # before the origin is known
        self._pcm = bytearray()  # samples from _start_sample on

    def add_video(self, unit: AccessUnit) -> list[Segment]:
        """Pictures before the first key picture are dropped: no viewer could decode them."""
        if self._first_video is None:
            if not unit.keyframe:
                return []
            self._first_video = unit.pts_ns
        self._video.append(self._relative(unit))
        return self._advance()

    def add_audio(self, chunk: PcmChunk) -> list[Segment]:
        """Gaps in the PTS are filled with silence, overlaps are dropped; jitter below 40 ms is ignored."""
        if self._first_audio is None:
            self._first_audio = chunk.pts_ns
        if self._origin_ns is None:
            self._early_audio.append(chunk)
        else:
            self._place(chunk)
        return self._advance()

    def finish(self) -> list[Segment]:
        """The source has ended: everything that is left, the remainder rule applied."""
        if self._origin_ns is None and not self._set_origin():
            return []
        segments = []
        while self._known_ns(latest=True) >= self._end_ns() + MIN_REMAINDER_NS:
            segments.append(self._cut(self._border_sample(self._index + 1), self._end_ns()))
        if self._pcm or self._video:
            last_sample = self._start_sample + len(self._pcm) // BYTES_PER_FRAME
            segments.append(self._cut(last_sample, None))
        return segments

    def _advance(self) -> list[Segment]:
        if self._origin_ns is None:
            first = [t for t in (self._first_video, self._first_audio) if t is not None]
            newest = max([u.pts_ns for u in self._video[-1:]] + [c.pts_ns for c in self._early_audio[-1:]], default=0)
            # Both tracks decide where the content begins, unless one does not come at all.
            if len(first) < 2 and (not first or newest - first[0] < MAX_LAG_NS):
                return []
            self._set_origin()
        segments = []
        while (
            self._known_ns(latest=False) >= self._end_ns() + MIN_REMAINDER_NS
            or self._known_ns(latest=True) >= self._end_ns() + MAX_LAG_NS
        ):
            segments.append(self._cut(self._border_sample(self._index + 1), self._end_ns()))
        return segments

    def _set_origin(self) -> bool:
        first = [t for t in (self._first_video, self._first_audio) if t is not None]
        if not first:
            return False
        self._origin_ns = min(first)
        self._video = [self._relative(unit) for unit in self._video]
        for chunk in self._early_audio:
            self._place(chunk)
        self._early_audio.clear()
        return True

    def _relative(self, unit: AccessUnit) -> AccessUnit:
        if self._origin_ns is None:
            return unit
        return AccessUnit(unit.pts_ns - self._origin_ns, unit.keyframe, unit.data, unit.caps)

    def _place(self, chunk: PcmChunk) -> None:
        assert self._origin_ns is not None
        data = chunk.data
        end = self._start_sample + len(self._pcm) // BYTES_PER_FRAME
        jump = round((chunk.pts_ns - self._origin_ns) * self._rate / 1_000_000_000) - end
        # The very first samples are placed exactly: there is nothing yet to be contiguous with.
        if end > 0 and abs(jump) * 1_000_000_000 <= GAP_TOLERANCE_NS * self._rate:
            jump = 0
        if jump > 0:
            self._pcm.extend(bytes(jump * BYTES_PER_FRAME))
        elif jump < 0:
            data = data[-jump * BYTES_PER_FRAME :]
        self._pcm.extend(data)

    def _known_ns(self, latest: bool) -> int:
        """How far, from the origin, the later (or the earlier) of the two tracks is known."""
        samples = self._start_sample + len(self._pcm) // BYTES_PER_FRAME
        audio = samples * 1_000_000_000 // self._rate
        video = self._video[-1].pts_ns if self._video else 0
        return max(audio, video) if latest else min(audio, video)

    def _end_ns(self) -> int:
        return (self._index + 1) * self._duration_ns

    def _border_sample(self, index: int) -> int:
        return index * self._duration_ns * self._rate // 1_000_000_000

    def _cut(self, end_sample: int, end_ns: int | None) -> Segment:
        """End the current segment before `end_sample` and `end_ns` (None: take all pictures); missing audio is silence."""
        assert self._origin_ns is not None
        size = (end_sample - self._start_sample) * BYTES_PER_FRAME
        pcm = bytes(self._pcm[:size]).ljust(size, b"\0")
        del self._pcm[:size]
        video = [unit for unit in self._video if end_ns is None or unit.pts_ns < end_ns]
        self._video = self._video[len(video) :]
        start_ns = self._start_sample * 1_000_000_000 // self._rate
        segment = Segment(self._index, start_ns, self._origin_ns + start_ns, video, pcm, self._rate)
        self._index += 1
        self._start_sample = end_sample
        return segment
