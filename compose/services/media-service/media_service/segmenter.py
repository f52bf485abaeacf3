"""Cuts a stream into segments. Pure: no clock, no GStreamer.

Times are ns of the stream's running time. Segment k covers [k * duration, (k + 1) * duration) counted from the first key
frame: audio exact to the sample, video by the PTS of its access units. What comes before that frame is left out, frames
because no viewer could decode them, audio because it would have none to go with. A remainder under 1 s joins the last
segment; therefore a segment is handed out when 1 s of what follows is known, or at the end.

Access units come in decoding order, which is not that of their PTS where there are B-frames. They leave in the same order:
the video of a segment goes up to the last unit, in decoding order, that is shown before its end, so the frame that a
B-frame of this segment refers to may be shown in the next. Each gets its DTS here (decoding.py).

A source whose audio clock is off has more or fewer samples in a segment than its PTS say. Within a segment the samples
stay contiguous; at the cut, those that belong to it are stretched to its length, so that the correction is spread over
the whole of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

from media_service.decoding import DecodingTimes

CHANNELS = 2
BYTES_PER_FRAME = 2 * CHANNELS  # S16LE, interleaved
MIN_REMAINDER_NS = 1_000_000_000
# One track may lag behind the other by this much before its part of a segment is given up (silence, missing frames).
MAX_LAG_NS = 6_000_000_000
# Frames come, but none of them is a key frame: the distance of key frames is rarely more than 10 s.
MAX_KEY_FRAME_WAIT_NS = 20_000_000_000
# Smaller jumps of the audio PTS are jitter of the receiver: the samples stay contiguous. Larger ones are real gaps.
GAP_TOLERANCE_NS = 40_000_000
# The drift is the median over the chunks within this much of a moment, so that jitter does not count.
DRIFT_WINDOW_NS = 1_000_000_000
# Less than this in a segment is not worth a correction; it is made up for later.
MIN_SLEW_NS = 2_000_000
# Nobody hears a change of speed by this much.
MAX_SLEW = 0.005
# More than slewing can follow: then a jump is the smaller evil.
MAX_DRIFT_NS = 100_000_000
# A gap is filled with silence, an overlap dropped. Of hours, that would be gigabytes, or hours without a viewer's audio.
MAX_JUMP_NS = 30_000_000_000

# No more frames may wait for one that is shown after them (H.264, A.3.1: the decoded picture buffer).
_REORDERED = 16

# (audio before, audio, audio after, wanted samples) -> audio of that length; all S16LE stereo.
Stretch = Callable[[bytes, bytes, bytes, int], bytes]


@dataclass(frozen=True)
class AccessUnit:
    """One H.264 access unit (AVC format, untouched). `caps` is the GStreamer caps object it came with.

    `dts_ns` is known of the units of a Segment: never later than `pts_ns`, and growing from unit to unit.
    """

    pts_ns: int
    keyframe: bool
    data: bytes
    caps: object = None
    dts_ns: int | None = None


@dataclass(frozen=True)
class PcmChunk:
    """S16LE stereo samples; `pts_ns` is the time of the first."""

    pts_ns: int
    data: bytes


@dataclass(frozen=True)
class Segment:
    """`start_ns` and the PTS of `video` count from the first content. `pcm` is S16LE stereo and begins at `start_ns`.

    `drift_ms` is how far the PTS of the audio were ahead of its samples at the end of a segment that was stretched, `speed`
    its samples before by those after.
    """

    index: int
    start_ns: int
    source_pts_ns: int
    video: list[AccessUnit]
    pcm: bytes
    rate_hz: int
    drift_ms: float = 0.0
    speed: float = 1.0

    @property
    def samples(self) -> int:
        """Length of the audio in samples a channel."""
        return len(self.pcm) // BYTES_PER_FRAME

    @property
    def duration_ms(self) -> float:
        """Length of the audio in ms."""
        return self.samples * 1000 / self.rate_hz


@dataclass(frozen=True)
class StartLoss:
    """What came before the first key frame and was left out: how long it is, and how many frames."""

    ms: float
    frames: int


class TimestampError(ValueError):
    """The times of a track jumped by more than MAX_JUMP_NS from the newest of both; the message says how."""


class Segmenter:
    """Feed it with access units and PCM in any interleaving; every call returns the segments that became complete.

    Adding raises TimestampError.
    """

    def __init__(self, duration_ms: int, rate_hz: int, stretch: Stretch) -> None:
        self._duration_ns = duration_ms * 1_000_000
        self._rate = rate_hz
        self._stretch = stretch
        self._origin_ns: int | None = None
        self._first_frame: int | None = None  # any
        self._first_video: int | None = None  # the first key frame
        self._lost_frames = 0
        self._has_first_followed = False  # a frame that is shown after the first key frame has come
        self._decoding = DecodingTimes()
        self._newest_ns: int | None = None
        self._first_audio: int | None = None
        self._index = 0
        self._start_sample = 0  # first sample of the current segment, counted from the origin
        self._video: list[AccessUnit] = []  # PTS counted from the origin once that is known
        self._early_audio: list[PcmChunk] = []  # before the origin is known
        self._pcm = bytearray()  # samples from _start_sample on
        self._past = b""  # the samples of the segment before, as they came
        # By the position of each chunk: how many samples its PTS is ahead of it.
        self._drift: list[tuple[int, int]] = []

    @property
    def start_loss(self) -> StartLoss | None:
        """What was lost at the start; None while that is not known."""
        if self._origin_ns is None:
            return None
        known = [t for t in (self._first_frame, self._first_audio) if t is not None]
        return StartLoss(max(self._origin_ns - min(known), 0) / 1e6, self._lost_frames)

    def add_video(self, unit: AccessUnit) -> list[Segment]:
        """Frames that refer to what came before the first key frame are dropped: no viewer could decode them."""
        self._check_jump("video", unit.pts_ns)
        self._first_frame = unit.pts_ns if self._first_frame is None else min(self._first_frame, unit.pts_ns)
        if self._first_video is None and unit.keyframe:
            self._first_video = unit.pts_ns
        elif self._first_video is None or (not self._has_first_followed and unit.pts_ns < self._first_video):
            self._lost_frames += 1
            return self._advance()
        elif unit.pts_ns > self._first_video:
            self._has_first_followed = True
        relative = self._relative(unit)
        self._video.append(relative)
        self._decoding.add(relative.pts_ns)
        return self._advance()

    def add_audio(self, chunk: PcmChunk) -> list[Segment]:
        """Gaps in the PTS are filled with silence, overlaps are dropped; jumps below 40 ms are jitter or drift."""
        self._check_jump("audio", chunk.pts_ns)
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
            segments.append(self._cut())
        if self._pcm or self._video:
            segments.append(self._cut_rest())
        return segments

    def _check_jump(self, track: str, pts_ns: int) -> None:
        by_ns = 0 if self._newest_ns is None else pts_ns - self._newest_ns
        if abs(by_ns) > MAX_JUMP_NS:
            raise TimestampError(
                f"the times of the {track} jumped by {by_ns / 1e9:.1f} s, expected at most {MAX_JUMP_NS / 1e9:.0f} s"
            )
        self._newest_ns = pts_ns + max(-by_ns, 0)

    def _advance(self) -> list[Segment]:
        if self._origin_ns is None:
            if not self._is_start_known():
                return []
            self._set_origin()
        segments = []
        while (
            self._known_ns(latest=False) >= self._end_ns() + MIN_REMAINDER_NS
            or self._known_ns(latest=True) >= self._end_ns() + MAX_LAG_NS
        ):
            segments.append(self._cut())
        return segments

    def _is_start_known(self) -> bool:
        """Whether both tracks have begun, or one does not come at all."""
        if self._first_video is not None and self._first_audio is not None:
            return True
        first = [t for t in (self._first_frame, self._first_audio) if t is not None]
        if not first or self._newest_ns is None:
            return False
        is_key_frame_due = self._first_frame is not None and self._first_video is None
        return self._newest_ns - min(first) >= (MAX_KEY_FRAME_WAIT_NS if is_key_frame_due else MAX_LAG_NS)

    def _set_origin(self) -> bool:
        # Without any key frame: then all there is is audio.
        origin = self._first_audio if self._first_video is None else self._first_video
        if origin is None:
            return False
        self._origin_ns = origin
        self._video = [self._relative(unit) for unit in self._video]
        self._decoding.shift(-origin)
        for chunk in self._early_audio:
            self._place(chunk)
        self._early_audio.clear()
        return True

    def _relative(self, unit: AccessUnit) -> AccessUnit:
        if self._origin_ns is None:
            return unit
        return replace(unit, pts_ns=unit.pts_ns - self._origin_ns)

    def _place(self, chunk: PcmChunk) -> None:
        assert self._origin_ns is not None
        data = chunk.data
        end = self._end_sample()
        ahead = round((chunk.pts_ns - self._origin_ns) * self._rate / 1_000_000_000) - end
        gap = min(abs(ahead), abs(ahead - self._drift_at(end))) > self._samples(GAP_TOLERANCE_NS)
        # The very first samples are placed exactly: there is nothing yet to be contiguous with.
        if end == 0 or gap or abs(ahead) > self._samples(MAX_DRIFT_NS):
            self._drift.clear()
            self._pcm.extend(bytes(max(ahead, 0) * BYTES_PER_FRAME))
            data = data[max(-ahead, 0) * BYTES_PER_FRAME :]
        else:
            self._drift.append((end, ahead))
        self._pcm.extend(data)

    def _drift_at(self, sample: int) -> int:
        """How many samples the PTS are ahead of the samples around `sample`."""
        reach = self._samples(DRIFT_WINDOW_NS)
        near = [ahead for position, ahead in self._drift if abs(position - sample) <= reach]
        return round(median(near)) if near else 0

    def _slew(self, drift: int, length: int) -> int:
        """By how many samples audio of `length` samples is to become longer because of `drift`."""
        limit = int(length * MAX_SLEW)
        return 0 if abs(drift) < self._samples(MIN_SLEW_NS) else max(-limit, min(limit, drift))

    def _known_ns(self, latest: bool) -> int:
        """How far, from the origin, the later (or the earlier) of the two tracks is known."""
        audio = self._end_sample() * 1_000_000_000 // self._rate
        # Of the latest ones: where frames are reordered, the last to come is not the last to be shown.
        video = max((unit.pts_ns for unit in self._video[-_REORDERED:]), default=0)
        return max(audio, video) if latest else min(audio, video)

    def _end_ns(self) -> int:
        return (self._index + 1) * self._duration_ns

    def _end_sample(self) -> int:
        return self._start_sample + len(self._pcm) // BYTES_PER_FRAME

    def _samples(self, ns: int) -> int:
        return ns * self._rate // 1_000_000_000

    def _cut(self) -> Segment:
        """End the current segment at its border; missing audio is silence."""
        end = self._samples(self._end_ns())
        length, drift = end - self._start_sample, self._drift_at(end)
        taken = length - self._slew(drift, length)
        if taken > len(self._pcm) // BYTES_PER_FRAME:  # where audio is missing there is nothing to stretch
            taken = length
        return self._take(taken, length, drift, self._end_ns())

    def _cut_rest(self) -> Segment:
        """All that is left, as the last segment; as long as its frames where there is no audio at all."""
        taken, drift = len(self._pcm) // BYTES_PER_FRAME, self._drift_at(self._end_sample())
        if not taken:
            taken = max(1, self._samples(self._known_ns(latest=True)) - self._start_sample)
        return self._take(taken, taken + self._slew(drift, taken), drift, None)

    def _take(self, taken: int, length: int, drift: int, end_ns: int | None) -> Segment:
        """The next `taken` samples, stretched to `length`, and the frames before `end_ns` (None: all) as a segment."""
        assert self._origin_ns is not None
        size = taken * BYTES_PER_FRAME
        pcm = bytes(self._pcm[:size]).ljust(size, b"\0")
        del self._pcm[:size]
        past, self._past = self._past, pcm
        corrected = {}
        if length != taken:
            pcm = self._stretch(past, pcm, bytes(self._pcm), length)
            corrected = {"drift_ms": drift * 1000 / self._rate, "speed": taken / length}
        count = 1 + max((n for n, u in enumerate(self._video) if end_ns is None or u.pts_ns < end_ns), default=-1)
        video = [replace(unit, dts_ns=self._decoding.take(unit.pts_ns)) for unit in self._video[:count]]
        self._video = self._video[count:]
        start_ns = self._start_sample * 1_000_000_000 // self._rate
        segment = Segment(self._index, start_ns, self._origin_ns + start_ns, video, pcm, self._rate, **corrected)
        self._index += 1
        self._start_sample += length
        # What follows moves with the end of this segment; what lies too far back does not count any more.
        moved, oldest = length - taken, self._start_sample - self._samples(DRIFT_WINDOW_NS)
        self._drift = [(position + moved, ahead - moved) for position, ahead in self._drift if position + moved >= oldest]
        return segment
