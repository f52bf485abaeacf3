"""Publishes pairs of video and audio to MediaMTX by RTMP, paced by the clock."""

from dataclasses import dataclass
from typing import Any

from media_service.gst import Gst
from media_service.log import logger
from media_service.segmenter import BYTES_PER_FRAME, CHANNELS, AccessUnit, Segment

# MediaMTX drops what an RTMP publisher sends in its first 2 s of DTS while it looks for the tracks. The content is
# preceded by this much of its first frame and silence, so that nothing of it is lost.
LEAD_IN_NS = 2_200_000_000
_LEAD_IN_PICTURE_NS = 100_000_000
# avenc_aac puts 1024 samples of priming in front of the audio and does not correct the timestamps.
_ENCODER_DELAY_SAMPLES = 1024
# MediaMTX closes a publisher that sends nothing for 10 s (readTimeout). While a segment waits for the STS, an empty
# RTMP data message, which it ignores, keeps the connection.
_KEEPALIVE_NS = 2_000_000_000
_LATE_TOLERANCE_NS = 20_000_000


class OutputError(RuntimeError):
    """Publishing failed; the message says what and where."""


@dataclass(frozen=True)
class PairTiming:
    """PTS (ns, content time) of the first buffers of a pair, read from the buffers that were pushed."""

    audio_pts_ns: int
    video_pts_ns: int | None

    @property
    def delta_ms(self) -> float | None:
        """Audio minus video in ms: positive when the audio starts after the frame. None without frames."""
        return None if self.video_pts_ns is None else (self.audio_pts_ns - self.video_pts_ns) / 1e6


class Output:
    """One RTMP connection. Call `push` for each segment in order, `finish` once, `poll` regularly until it is True."""

    def __init__(self, url: str, rate_hz: int) -> None:
        self._url = url
        self._rate = rate_hz
        self._pipeline: Any = None
        self._base_ns = 0  # clock time of output time 0
        self._end_ns = 0  # output time up to which buffers were pushed
        self._last_keepalive_ns = 0
        self._finish_deadline_ns: int | None = None

    @property
    def started(self) -> bool:
        """Whether the connection was opened."""
        return self._pipeline is not None

    def push(self, segment: Segment, pcm: bytes) -> PairTiming:
        """Send the frames of `segment` with `pcm` (S16LE stereo, as long as the segment's own audio)."""
        if not self.started:
            self._start(segment)
        self._follow_delay(segment)
        video_pts = [
            self._push_picture(unit, LEAD_IN_NS + unit.pts_ns, LEAD_IN_NS + _dts_ns(unit)) for unit in segment.video
        ]
        audio_pts = self._push_audio(segment, pcm)
        last = max((unit.pts_ns for unit in segment.video), default=0)
        self._end_ns = LEAD_IN_NS + max(last, segment.start_ns + self._audio_ns(len(pcm) // BYTES_PER_FRAME))
        # What is heard at PTS t comes one encoder delay later than what was pushed with PTS t.
        heard = audio_pts + self._audio_ns(_ENCODER_DELAY_SAMPLES) - LEAD_IN_NS
        return PairTiming(heard, min(video_pts) - LEAD_IN_NS if video_pts else None)

    def finish(self) -> None:
        """No more segments: play what was pushed to its end, then close the connection."""
        if not self.started:
            return
        self._audio.emit("end-of-stream")
        self._video.emit("end-of-stream")
        self._finish_deadline_ns = max(self._end_ns, self._now_ns()) + 10_000_000_000

    def poll(self) -> bool:
        """True when everything is out after `finish`; raises OutputError when publishing failed."""
        if not self.started:
            return True
        message = self._bus.pop_filtered(Gst.MessageType.ERROR | Gst.MessageType.EOS)
        if message is not None and message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            detail = debug.splitlines()[-1] if debug else ""
            raise OutputError(f"RTMP publishing to {self._url} failed: {error.message} {detail}".strip())
        if message is not None:
            return True
        now = self._now_ns()
        if self._finish_deadline_ns is not None:
            if now > self._finish_deadline_ns:
                raise OutputError(f"RTMP publishing to {self._url} did not finish 10 s after its last buffer was due")
        elif now > self._end_ns + _KEEPALIVE_NS // 2 and now > self._last_keepalive_ns + _KEEPALIVE_NS:
            self._last_keepalive_ns = now
            self._sink.get_static_pad("sink").get_peer().push(_empty_data_tag(self._end_ns))
        return False

    def close(self) -> None:
        """Close the connection at once; does nothing when there is none."""
        if self.started:
            self._pipeline.set_state(Gst.State.NULL)

    def _start(self, first: Segment) -> None:
        key_picture = next((unit for unit in first.video if unit.keyframe), None)
        if key_picture is None:
            raise OutputError(f"nothing to publish to {self._url}: the first segment has no key picture")
        self._pipeline = Gst.parse_launch(
            "flvmux name=mux streamable=true ! rtmp2sink name=sink sync=true "
            "appsrc name=video format=time max-bytes=0 ! mux.video "
            # The default coder takes three times the work, for a difference that nobody hears in speech.
            "appsrc name=audio format=time max-bytes=0 ! audioconvert ! avenc_aac bitrate=128000 aac-coder=fast ! "
            "aacparse ! mux.audio"
        )
        self._video, self._audio, self._sink = (self._pipeline.get_by_name(n) for n in ("video", "audio", "sink"))
        self._sink.set_property("location", self._url)
        caps = f"audio/x-raw,format=S16LE,layout=interleaved,rate={self._rate},channels={CHANNELS}"
        self._audio.set_property("caps", Gst.Caps.from_string(caps))
        self._video.set_property("caps", key_picture.caps)
        self._bus = self._pipeline.get_bus()
        # The lead-in belongs to the past: it goes out at once, and the content is not delayed by it.
        self._clock = Gst.SystemClock.obtain()
        self._pipeline.use_clock(self._clock)
        self._pipeline.set_start_time(Gst.CLOCK_TIME_NONE)
        self._base_ns = self._clock.get_time() - LEAD_IN_NS
        self._pipeline.set_base_time(self._base_ns)
        if self._pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            raise OutputError(f"RTMP publishing to {self._url} failed: the output cannot be started")
        # Where frames are reordered, the first of the content is decoded some time before it is shown.
        content_ns = LEAD_IN_NS + min(_dts_ns(first.video[0]), 0)
        for pts in range(0, content_ns, _LEAD_IN_PICTURE_NS):
            self._push_picture(key_picture, pts, pts)
        silence = round(LEAD_IN_NS * self._rate / 1e9) - _ENCODER_DELAY_SAMPLES
        self._push_samples(bytes(silence * BYTES_PER_FRAME), 0)

    def _follow_delay(self, segment: Segment) -> None:
        """When a segment comes too late for its place, move that and all later places: the viewer waits once, instead
        of getting the rest in bursts."""
        late = self._now_ns() - (LEAD_IN_NS + segment.start_ns)
        if late > _LATE_TOLERANCE_NS and segment.index > 0:
            self._base_ns += late
            self._sink.set_base_time(self._base_ns)
            logger.info("output waited for a segment", extra={"segment": segment.index, "waited_ms": round(late / 1e6)})

    def _push_picture(self, unit: AccessUnit, pts_ns: int, dts_ns: int) -> int:
        if unit.caps is not None and not unit.caps.is_equal(self._video.get_property("caps")):  # type: ignore[attr-defined]
            self._video.set_property("caps", unit.caps)
        buffer = Gst.Buffer.new_wrapped(unit.data)
        buffer.pts, buffer.dts = pts_ns, dts_ns
        if not unit.keyframe:
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        self._video.emit("push-buffer", buffer)
        return int(buffer.pts)

    def _push_audio(self, segment: Segment, pcm: bytes) -> int:
        """Push the audio of a segment; returns the PTS of the buffer that belongs to its first frame."""
        start = LEAD_IN_NS + segment.start_ns - self._audio_ns(_ENCODER_DELAY_SAMPLES)
        # A reader gets audio at once, frames from the next key frame on. What is heard before the very first frame
        # has none to be in time with, so it is a buffer of its own.
        alone = 0
        if segment.index == 0 and segment.video and segment.video[0].pts_ns > segment.start_ns:
            alone = min((segment.video[0].pts_ns - segment.start_ns) * self._rate // 1_000_000_000, segment.samples - 1)
        if alone > 0:
            self._push_samples(pcm[: alone * BYTES_PER_FRAME], start)
        return self._push_samples(pcm[alone * BYTES_PER_FRAME :], start + self._audio_ns(max(alone, 0)))

    def _push_samples(self, pcm: bytes, pts_ns: int) -> int:
        buffer = Gst.Buffer.new_wrapped(pcm)
        buffer.pts = pts_ns
        buffer.duration = self._audio_ns(len(pcm) // BYTES_PER_FRAME)
        self._audio.emit("push-buffer", buffer)
        return int(buffer.pts)

    def _audio_ns(self, samples: int) -> int:
        return samples * 1_000_000_000 // self._rate

    def _now_ns(self) -> int:
        """Output time: 0 is the begin of the lead-in."""
        return int(self._clock.get_time()) - self._base_ns


def _dts_ns(unit: AccessUnit) -> int:
    return unit.pts_ns if unit.dts_ns is None else unit.dts_ns


def _empty_data_tag(pts_ns: int) -> Any:
    """An FLV script-data tag holding an AMF0 string that means nothing to a receiver."""
    body = b"\x02\x00\x09keepAlive"
    ms = pts_ns // 1_000_000
    stamp = (ms & 0xFFFFFF).to_bytes(3, "big") + (ms >> 24 & 0xFF).to_bytes(1, "big")
    tag = b"\x12" + len(body).to_bytes(3, "big") + stamp + b"\0\0\0" + body
    buffer = Gst.Buffer.new_wrapped(tag + len(tag).to_bytes(4, "big"))
    buffer.pts = buffer.dts = pts_ns
    return buffer
