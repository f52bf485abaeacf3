"""Keeps the latest segments of a stream on disk: {index:06d}_video.mp4 (H.264 untouched) and {index:06d}_audio.wav."""

import contextlib
import queue
import threading
import time
import wave
from pathlib import Path

from media_service.gst import Gst
from media_service.log import logger
from media_service.segmenter import BYTES_PER_FRAME, CHANNELS, Segment

# A disk that hangs must not fill the memory: what comes while this many segments wait is not written.
_MAX_WAITING = 5
_MUX_TIMEOUT_NS = 10_000_000_000
_TIMESCALE_HZ = 90_000  # that of RTP, so that no frame's time is rounded
_TEMPORARY = ".part"
# Folders of other streams, the latest; also those of a worker that was killed. One in use changes with each segment.
_STREAMS_KEPT = 50
_IN_USE_S = 600


class StoreError(OSError):
    """A segment cannot be written; the message says why."""


class SegmentStore:
    """Writes segments to `folder`/`stream_id` in a thread of its own; at most `kept` of them stay.

    `folder` must be there. The first segment removes those of the stream's earlier publications, and of streams long
    ago. Whatever goes wrong is logged, once.
    """

    def __init__(self, folder: Path, stream_id: str, kept: int) -> None:
        self._root = folder
        self._stream_id = stream_id
        self._kept = kept
        self._has_failed = False
        self._waiting: queue.Queue[Segment | None] = queue.Queue(_MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="segment-store", daemon=True)
        self._thread.start()

    def add(self, segment: Segment) -> None:
        """Have `segment` written. Returns at once."""
        try:
            self._waiting.put_nowait(segment)
        except queue.Full:
            self._failed(segment.index, f"the disk is too slow: {_MAX_WAITING} segments wait for it")

    def close(self, timeout_s: float) -> None:
        """No more segments: wait until all are written, at most `timeout_s`; not for a disk that is behind."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        is_first = True
        while segment := self._waiting.get():
            try:
                folder = _stream_folder(self._root, self._stream_id)
                folder.mkdir(exist_ok=True)
                for old in folder.glob("[0-9]*_*"):
                    if is_first or int(old.name.split("_")[0]) <= segment.index - self._kept:
                        old.unlink()
                if is_first:
                    _remove_old_streams(self._root, folder)
                is_first = False
                _write_segment(folder, segment)
                logger.debug("segment written", extra={"segment": segment.index, "folder": str(folder)})
            except OSError as error:
                self._failed(segment.index, str(error))

    def _failed(self, index: int, reason: str) -> None:
        if not self._has_failed:
            logger.error(
                "segments cannot be written, the stream goes on without",
                extra={"segment": index, "folder": str(self._root), "error": reason},
            )
        self._has_failed = True


def _stream_folder(root: Path, stream_id: str) -> Path:
    # Ids come from path names of the media server: none may lead out of the folder, or be the folder itself.
    if stream_id in ("", ".", "..") or "/" in stream_id or "\0" in stream_id:
        raise StoreError(f"{stream_id!r} cannot be the name of a folder")
    return root / stream_id


def _remove_old_streams(root: Path, own: Path) -> None:
    """Remove the segments of streams that ended long ago, and nothing else that may be in `root`."""
    with contextlib.suppress(FileNotFoundError):  # another worker was faster
        others = [(path.stat().st_mtime, path) for path in root.iterdir() if path.is_dir() and path != own]
        for changed_at, folder in sorted(others, reverse=True)[_STREAMS_KEPT:]:
            if abs(time.time() - changed_at) < _IN_USE_S:
                continue
            for file in folder.glob("[0-9]*_*"):
                file.unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def _write_segment(folder: Path, segment: Segment) -> None:
    """Write both files; they get their names when they are complete."""
    audio = folder / f"{segment.index:06d}_audio.wav{_TEMPORARY}"
    video = folder / f"{segment.index:06d}_video.mp4{_TEMPORARY}"
    try:
        _write_wav(audio, segment)
        if segment.video:
            _write_mp4(video, segment)
            video.rename(video.with_suffix(""))
        audio.rename(audio.with_suffix(""))
    finally:
        audio.unlink(missing_ok=True)
        video.unlink(missing_ok=True)


def _write_wav(path: Path, segment: Segment) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(CHANNELS)
        file.setsampwidth(BYTES_PER_FRAME // CHANNELS)
        file.setframerate(segment.rate_hz)
        file.writeframes(segment.pcm)


def _write_mp4(path: Path, segment: Segment) -> None:
    """Frames, in decoding order, their times counted from the first that is decoded."""
    pipeline = Gst.parse_launch(
        "appsrc name=src format=time max-bytes=0 ! mux.video_0 mp4mux name=mux ! filesink name=sink"
    )
    pipeline.get_by_name("mux").get_static_pad("video_0").set_property("trak-timescale", _TIMESCALE_HZ)
    pipeline.get_by_name("sink").set_property("location", str(path))
    source = pipeline.get_by_name("src")
    source.set_property("caps", segment.video[0].caps)
    first = segment.video[0]
    begin_ns = first.pts_ns if first.dts_ns is None else first.dts_ns
    end_ns = segment.start_ns + segment.samples * 1_000_000_000 // segment.rate_hz
    pipeline.set_state(Gst.State.PLAYING)
    try:
        for unit in segment.video:
            buffer = Gst.Buffer.new_wrapped(unit.data)
            buffer.pts = unit.pts_ns - begin_ns
            buffer.dts = buffer.pts if unit.dts_ns is None else unit.dts_ns - begin_ns
            # A frame lasts until the next one; this says how long the last one does.
            buffer.duration = max(end_ns - unit.pts_ns, 0)
            if not unit.keyframe:
                buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
            source.emit("push-buffer", buffer)
        source.emit("end-of-stream")
        message = pipeline.get_bus().timed_pop_filtered(_MUX_TIMEOUT_NS, Gst.MessageType.ERROR | Gst.MessageType.EOS)
        if message is None:
            raise StoreError(f"{path.name}: not written after {_MUX_TIMEOUT_NS / 1e9:.0f} s")
        if message.type == Gst.MessageType.ERROR:
            raise StoreError(f"{path.name}: {message.parse_error()[0].message}")
    finally:
        pipeline.set_state(Gst.State.NULL)
