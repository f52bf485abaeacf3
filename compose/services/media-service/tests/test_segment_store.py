import logging
import os
import resource
import threading
import time
import wave
from dataclasses import replace
from pathlib import Path

import pytest

from media_service import segment_store
from media_service.gst import Gst
from media_service.log import logger
from media_service.segment_store import SegmentStore
from media_service.segmenter import BYTES_PER_FRAME, AccessUnit, Segment

RATE = 8_000
SECOND = 1_000_000_000
# SPS and PPS of a frame of 160 by 120.
CAPS = (
    "video/x-h264,stream-format=avc,alignment=au,width=160,height=120,codec_data=(buffer)"
    "0164000bffe100186764000bacb20508fcb80880000003008000001e078a152401000668ebc3cb22c0"
)


def segment(index: int) -> Segment:
    """2 s of counting samples and, 30 a second, of frames that are their number; the first frame is 10 ms late."""
    caps = Gst.Caps.from_string(CAPS)
    start = index * 2 * SECOND
    video = [AccessUnit(start + 10_000_000 + n * SECOND // 30, n % 6 == 0, b"picture %d" % n, caps) for n in range(60)]
    pcm = b"".join(n.to_bytes(BYTES_PER_FRAME, "little") for n in range(2 * RATE))
    return Segment(index, start, start, video, pcm, RATE)


def write(folder: Path, *indexes: int, stream_id: str = "stream", kept: int = 20) -> None:
    store = SegmentStore(folder, stream_id, kept)
    for index in indexes:
        store.add(segment(index))
    store.close(5)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(record.__dict__["error"]) for record in caplog.records if record.levelno >= logging.ERROR]


def read_mp4(path: Path) -> tuple[list[bytes], list[int]]:
    """The access units of a file and their times in ns."""
    pipeline = Gst.parse_launch("filesrc name=src ! qtdemux ! appsink name=sink sync=false")
    pipeline.get_by_name("src").set_property("location", str(path))
    pipeline.set_state(Gst.State.PLAYING)
    units, times = [], []
    while sample := pipeline.get_by_name("sink").emit("try-pull-sample", 5 * SECOND):
        buffer = sample.get_buffer()
        units.append(buffer.extract_dup(0, buffer.get_size()))
        times.append(buffer.pts)
    pipeline.set_state(Gst.State.NULL)
    return units, times


def test_a_segment_is_two_files(tmp_path: Path) -> None:
    write(tmp_path, 3)
    assert names(tmp_path / "stream") == ["000003_audio.wav", "000003_video.mp4"]


def test_sound_is_stereo_pcm(tmp_path: Path) -> None:
    write(tmp_path, 0)
    with wave.open(str(tmp_path / "stream/000000_audio.wav")) as file:
        assert file.getparams()[:4] == (2, 2, RATE, 2 * RATE)
        assert file.readframes(2 * RATE) == segment(0).pcm


def test_pictures_are_untouched_and_begin_at_0(tmp_path: Path) -> None:
    write(tmp_path, 1)
    units, times = read_mp4(tmp_path / "stream/000001_video.mp4")
    assert units == [b"picture %d" % n for n in range(60)]
    assert all(abs(time - n * SECOND // 30) < 20_000 for n, time in enumerate(times))


def test_reordered_frames_keep_their_times(tmp_path: Path) -> None:
    shown = [0, 3, 1, 2, 6, 4, 5]
    base = segment(0)
    video = [
        AccessUnit(n * SECOND // 30, k == 0, b"frame %d" % n, base.video[0].caps, (k - 1) * SECOND // 30)
        for k, n in enumerate(shown)
    ]
    store = SegmentStore(tmp_path, "stream", 20)
    store.add(replace(base, video=video))
    store.close(5)
    units, times = read_mp4(tmp_path / "stream/000000_video.mp4")
    assert units == [unit.data for unit in video]
    assert [round((time - times[0]) * 30 / SECOND) for time in times] == shown


def test_segment_without_pictures_is_one_file(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path, "stream", 20)
    store.add(Segment(0, 0, 0, [], bytes(RATE * BYTES_PER_FRAME), RATE))
    store.close(5)
    assert names(tmp_path / "stream") == ["000000_audio.wav"]


def test_only_the_latest_stay(tmp_path: Path) -> None:
    write(tmp_path, 0, 1, 2, 3, kept=2)
    assert {name[:6] for name in names(tmp_path / "stream")} == {"000002", "000003"}


def test_segment_that_was_left_out_keeps_no_other(tmp_path: Path) -> None:
    write(tmp_path, 0, 1, 3, 4, kept=2)
    assert {name[:6] for name in names(tmp_path / "stream")} == {"000003", "000004"}


def test_new_publication_begins_with_an_empty_folder(tmp_path: Path) -> None:
    write(tmp_path, 0, 1)
    (tmp_path / "stream/000002_video.mp4.part").touch()
    write(tmp_path, 0)
    assert names(tmp_path / "stream") == ["000000_audio.wav", "000000_video.mp4"]


@pytest.mark.parametrize("stream_id", ["..", ".", "../elsewhere", "/etc", "a\0b", ""])
def test_no_stream_leads_out_of_the_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture, stream_id: str) -> None:
    root = tmp_path / "segments"
    root.mkdir()
    write(root, 0, stream_id=stream_id)
    assert (names(tmp_path), names(root)) == (["segments"], [])
    assert errors(caplog) == [f"{stream_id!r} cannot be the name of a folder"]


def test_missing_folder_is_one_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "missing", 0, 1, 2)
    assert names(tmp_path) == []
    assert len(errors(caplog)) == 1


def test_video_that_cannot_be_written_is_an_error_and_leaves_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # /dev/full takes no byte, like a disk that is full.
    video = "000000_video.mp4.part"
    monkeypatch.setattr(segment_store, "_write_wav", lambda path, _segment: path.with_name(video).symlink_to("/dev/full"))
    write(tmp_path, 0)
    assert names(tmp_path / "stream") == []
    assert len(errors(caplog)) == 1
    assert errors(caplog)[0].startswith(f"{video}: ")


def test_disk_that_is_full_for_a_while(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    store = SegmentStore(tmp_path, "stream", 20)
    # No file can grow beyond this: so it is on a disk that is full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        for index in range(3):
            store.add(segment(index))
        deadline = time.monotonic() + 10
        while not (store._waiting.empty() and store._has_failed):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        store.close(5)
        assert names(tmp_path / "stream") == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(errors(caplog)) == 1
    write(tmp_path, 3)
    assert names(tmp_path / "stream") == ["000003_audio.wav", "000003_video.mp4"]


def test_segments_of_streams_long_ago_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_store, "_STREAMS_KEPT", 3)
    now = time.time()
    # The sixth was in use until now; that of a worker that was killed is not complete; nobody's own files are touched.
    ages = {"first": 9000, "killed": 8000, "own files": 7000, "fourth": 6000, "fifth": 5000, "sixth": 10, "seventh": 0}
    for name in ages:
        (tmp_path / name).mkdir()
        (tmp_path / name / "000007_audio.wav").touch()
    (tmp_path / "killed" / "000008_video.mp4.part").touch()
    (tmp_path / "own files" / "notes").touch()
    (tmp_path / "a file").touch()
    for name, age in ages.items():
        os.utime(tmp_path / name, (now - age, now - age))
    write(tmp_path, 0)
    assert names(tmp_path) == ["a file", "fifth", "own files", "seventh", "sixth", "stream"]
    assert names(tmp_path / "own files") == ["notes"]
    # Those that were in use of late stay, however many they are.
    for name in names(tmp_path):
        os.utime(tmp_path / name)
    write(tmp_path, 0, stream_id="another")
    assert len(names(tmp_path)) == 7


def test_slow_disk_holds_nobody_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = threading.Event()
    monkeypatch.setattr(segment_store, "_write_segment", lambda *_: disk.wait())
    one = segment(0)
    begin = time.monotonic()
    store = SegmentStore(tmp_path, "stream", 20)
    for _ in range(10):
        store.add(one)
    store.close(0.1)
    assert time.monotonic() - begin < 0.4
    assert errors(caplog) == ["the disk is too slow: 5 segments wait for it"]
    disk.set()
    store._waiting.put(None)
    store._thread.join(5)


def test_writing_is_logged_for_debugging_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=logger.name)
    write(tmp_path, 0)
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("DEBUG", "segment written")]
