"""Reads a stream from MediaMTX by RTSP: H.264 access units untouched, audio as PCM."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from media_service.gst import Gst
from media_service.log import logger
from media_service.sample_times import SampleTimes
from media_service.segmenter import BYTES_PER_FRAME, CHANNELS, AccessUnit, PcmChunk
from media_service.track_sync import TrackSync, packet_duration_ns

START_RETRY_DELAYS_S = (1, 2, 4)
# Content is held back this long while TrackSync learns; a segment is cut later than that anyway.
SETTLE_S = 4.0

# MediaMTX delays each RTSP SETUP of clients that call themselves GStreamer by 1 s; two tracks would lose 2 s of content.
USER_AGENT = "media-service"


@dataclass(frozen=True)
class SourceEnded:
    """The source is over: `error` is None at its regular end, else what/where (then nothing can be dubbed)."""

    error: str | None


IngestEvent = AccessUnit | PcmChunk | SourceEnded


def missing_track(kinds: set[str]) -> str | None:
    """Why a source with these kinds of tracks ("video", "audio") cannot be dubbed; None when it can."""
    for kind in ("audio", "video"):
        if kind not in kinds:
            return f"{kind} track required for dubbing"
    return None


class Ingest:
    """Reads `url` in threads of its own and hands AccessUnit and PcmChunk to `emit`, at last one SourceEnded.

    A source that is absent at the start is tried again after 1, 2 and 4 s. `emit` is called from several threads.
    """

    def __init__(self, url: str, rate_hz: int, emit: Callable[[IngestEvent], None]) -> None:
        self._url = url
        self._rate = rate_hz
        self._emit = emit
        self._stop = threading.Event()
        self._finished = False
        self._has_content = False
        self._fatal: str | None = None
        self._sync = TrackSync()
        self._times = SampleTimes()
        self._lock = threading.Lock()  # guards the next two, and the frames that _sync observes
        self._held: list[AccessUnit | PcmChunk] | None = []
        self._first_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    def finish(self) -> None:
        """End reading as if the source had ended here: what has come is emitted, then a SourceEnded without an error."""
        self._finished = True
        self._stop.set()

    def stop(self) -> None:
        """End reading without a SourceEnded and wait for it, at most 1 s."""
        self._stop.set()
        self._thread.join(1)

    def _run(self) -> None:
        for delay in (*START_RETRY_DELAYS_S, None):
            error = self._read()
            if self._stop.is_set() or self._has_content or self._fatal or delay is None:
                break
            logger.warning("RTSP source is not available", extra={"url": self._url, "error": error, "retry_in_s": delay})
            if self._stop.wait(delay):
                break
        if self._stop.is_set() and not self._finished:
            return
        if self._finished:
            self._end()
        elif self._fatal:
            self._emit(SourceEnded(f"{self._fatal}: {self._url}"))
        elif not self._has_content:
            self._emit(SourceEnded(f"RTSP source {self._url} not available after 3 retries: {error}"))
        else:
            # A reader cannot tell a publisher that left from one that was cut off: what came is complete in itself.
            logger.info("source ended", extra={"url": self._url, "detail": error})
            self._end()

    def _end(self) -> None:
        with self._lock:
            if self._held is not None:
                self._release()
        self._emit(SourceEnded(None))

    def _read(self) -> str | None:
        """Play the source until it ends; returns the error that ended it, None for an end of stream."""
        pipeline = Gst.Pipeline.new("ingest")
        source = Gst.ElementFactory.make("rtspsrc", None)
        source.set_property("location", self._url)
        source.set_property("user-agent", USER_AGENT)
        source.set_property("protocols", 4)  # TCP
        source.set_property("latency", 200)
        # Times as the RTP packets have them, each track from 0: the receiver's clock must not bend them. TrackSync puts
        # the tracks together.
        source.set_property("buffer-mode", 0)
        pipeline.add(source)
        kinds: set[str] = set()
        source.connect("select-stream", self._on_track, kinds)
        source.connect("pad-added", self._on_pad, pipeline)
        source.connect("no-more-pads", self._on_all_pads, kinds)
        bus = pipeline.get_bus()
        pipeline.set_state(Gst.State.PLAYING)
        try:
            while not self._stop.is_set() and not self._fatal:
                message = bus.timed_pop_filtered(
                    50_000_000, Gst.MessageType.ERROR | Gst.MessageType.EOS | Gst.MessageType.WARNING
                )
                if message is None:
                    continue
                if message.type == Gst.MessageType.EOS:
                    return None
                if message.type == Gst.MessageType.WARNING:
                    logger.debug("GStreamer warning", extra={"detail": message.parse_warning()[0].message})
                    continue
                error, debug = message.parse_error()
                # Let the frames and audio that are already received through before the pipeline is taken down.
                time.sleep(0.1)
                return f"{error.message} ({(debug or '').splitlines()[-1] if debug else ''})"
            return self._fatal
        finally:
            pipeline.set_state(Gst.State.NULL)

    def _on_track(self, _source: Any, _number: int, caps: Any, kinds: set[str]) -> bool:
        """Whether the track is wanted: the first of each kind. Called for each track before the first pad appears."""
        kind = caps.get_structure(0).get_string("media")
        if kind in kinds or kind not in ("video", "audio"):
            return False
        kinds.add(kind)
        return True

    def _on_pad(self, _source: Any, pad: Any, pipeline: Any) -> None:
        structure = pad.get_current_caps().get_structure(0)
        kind = structure.get_string("media")
        encoding = (structure.get_string("encoding-name") or "").upper()
        if kind == "video":
            if encoding != "H264":
                self._fatal = f"H.264 video track required, the source has {encoding}"
                return
            # queue-less on purpose: the callbacks only copy, so nothing can pile up.
            text = "rtph264depay name=first ! h264parse ! video/x-h264,stream-format=avc,alignment=au"
            handler = self._on_video
        else:
            caps = f"audio/x-raw,format=S16LE,layout=interleaved,channels={CHANNELS}"
            text = f"decodebin name=first ! audioconvert ! {caps} ! audioresample name=resample ! {caps},rate={self._rate}"
            handler = self._on_audio
        track = (kind, encoding, structure.get_int("clock-rate").value)
        pad.add_probe(Gst.PadProbeType.BUFFER, self._on_packet, track)
        branch = Gst.parse_bin_from_description(f"{text} ! appsink name=sink sync=false emit-signals=true", False)
        if kind == "audio":
            resampler_pad = branch.get_by_name("resample").get_static_pad("sink")
            resampler_pad.add_probe(Gst.PadProbeType.BUFFER, self._on_decoded)
        # Not left to the parser: it would take the sink pad of audioconvert, which decodebin links only later.
        branch.add_pad(Gst.GhostPad.new("sink", branch.get_by_name("first").get_static_pad("sink")))
        branch.get_by_name("sink").connect("new-sample", handler)
        pipeline.add(branch)
        branch.sync_state_with_parent()
        if pad.link(branch.get_static_pad("sink")) != Gst.PadLinkReturn.OK:
            self._fatal = f"{kind} track ({encoding}) cannot be read"

    def _on_all_pads(self, _source: Any, kinds: set[str]) -> None:
        self._fatal = missing_track(kinds) or self._fatal

    def _on_packet(self, _pad: Any, info: Any, track: tuple[str, str, int]) -> Any:
        kind, encoding, clock_rate = track
        packet = info.get_buffer()
        with self._lock:
            # Once the tracks are placed they stay where they are.
            if self._held is None:
                return Gst.PadProbeReturn.REMOVE
            if packet.pts == Gst.CLOCK_TIME_NONE:
                return Gst.PadProbeReturn.OK
            if kind == "video":
                self._sync.observe_frame(time.monotonic_ns(), signed_ns(packet.pts))
            else:
                duration = packet_duration_ns(encoding, packet.extract_dup(0, 64), clock_rate)
                self._sync.observe(kind, time.monotonic_ns(), signed_ns(packet.pts) + duration)
        return Gst.PadProbeReturn.OK

    def _on_decoded(self, pad: Any, info: Any) -> Any:
        buffer = info.get_buffer()
        rate = pad.get_current_caps().get_structure(0).get_int("rate").value
        self._times.went_in(buffer.pts, buffer.get_size() // BYTES_PER_FRAME, rate)
        return Gst.PadProbeReturn.OK

    def _deliver(self, event: AccessUnit | PcmChunk) -> None:
        with self._lock:
            self._has_content = True
            if self._held is None:
                self._emit(self._placed(event))
                return
            self._held.append(event)
            if self._first_at is None:
                self._first_at = time.monotonic()
            elif time.monotonic() - self._first_at >= SETTLE_S:
                self._release()

    def _release(self) -> None:
        held, self._held = self._held or [], None
        self._sync.frames_known()
        for event in held:
            self._emit(self._placed(event))
        logger.info(
            "tracks placed",
            extra={f"{kind}_offset_ms": round(self._sync.offset_ns(kind) / 1e6, 1) for kind in ("video", "audio")},
        )

    def _placed(self, event: AccessUnit | PcmChunk) -> AccessUnit | PcmChunk:
        kind = "video" if isinstance(event, AccessUnit) else "audio"
        return replace(event, pts_ns=event.pts_ns + self._sync.offset_ns(kind))

    def _on_video(self, sink: Any) -> Any:
        sample = sink.emit("pull-sample")
        buffer = sample.get_buffer()
        keyframe = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
        data = buffer.extract_dup(0, buffer.get_size())
        if buffer.pts == Gst.CLOCK_TIME_NONE:
            # None of RTP is without a time; what the depayloader makes up has no place.
            logger.warning("frame without a time is left out")
            return Gst.FlowReturn.OK
        self._deliver(AccessUnit(running_time(sample.get_segment(), buffer.pts), keyframe, data, sample.get_caps()))
        return Gst.FlowReturn.OK

    def _on_audio(self, sink: Any) -> Any:
        sample = sink.emit("pull-sample")
        buffer = sample.get_buffer()
        pts = self._times.came_out(buffer.get_size() // BYTES_PER_FRAME, self._rate)
        self._deliver(PcmChunk(running_time(sample.get_segment(), pts), buffer.extract_dup(0, buffer.get_size())))
        return Gst.FlowReturn.OK


def signed_ns(pts_ns: int) -> int:
    """The jitter buffer counts from the first packet, without a sign: B-frames come after it and may be shown before."""
    return pts_ns - 2**64 if pts_ns >= 2**63 else pts_ns


def running_time(segment: Any, pts_ns: int) -> int:
    """In ns; negative before the segment begins."""
    before_ns = min(signed_ns(pts_ns), 0)
    sign, time_ns = segment.to_running_time_full(Gst.Format.TIME, max(signed_ns(pts_ns), 0))
    return int(sign * time_ns) + before_ns
