import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from media_service import ingest
from media_service.gst import Gst
from media_service.ingest import Ingest, IngestEvent, SourceEnded, missing_track, running_time
from media_service.segmenter import AccessUnit


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({"video", "audio"}, None),
        ({"video"}, "audio track required for dubbing"),
        ({"audio"}, "video track required for dubbing"),
        (set(), "audio track required for dubbing"),
    ],
)
def test_a_source_needs_both_tracks(kinds: set[str], expected: str | None) -> None:
    assert missing_track(kinds) == expected


class Source(Ingest):
    """An Ingest whose attempts to read are `attempts`: what they deliver, and the error that ends them."""

    def __init__(self, *attempts: tuple[list[AccessUnit], str]) -> None:
        self.events: list[IngestEvent] = []
        self.attempts = list(attempts)
        self.endless = threading.Event()
        super().__init__("rtsp://source", 44_100, self.events.append)

    def _read(self) -> str | None:
        content, error = self.attempts.pop(0)
        for unit in content:
            self._deliver(unit)
        if error == "endless":
            self.endless.set()
            self._stop.wait()
        return error

    def run(self) -> list[IngestEvent]:
        self.start()
        self._thread.join(5)
        return self.events


UNIT = AccessUnit(0, True, b"")


def test_absent_source_is_tried_again_after_1_2_and_4_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ingest.START_RETRY_DELAYS_S == (1, 2, 4)
    monkeypatch.setattr(ingest, "START_RETRY_DELAYS_S", (0.01, 0.02, 0.04))
    source = Source(*[([], "not found")] * 4)
    assert source.run() == [SourceEnded("RTSP source rtsp://source not available after 3 retries: not found")]
    assert source.attempts == []


def test_source_that_comes_late_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "START_RETRY_DELAYS_S", (0.01, 0.02, 0.04))
    assert Source(([], "not found"), ([UNIT], "gone")).run() == [UNIT, SourceEnded(None)]


def test_source_that_was_read_is_not_tried_again() -> None:
    assert Source(([UNIT], "gone")).run() == [UNIT, SourceEnded(None)]


def test_finishing_emits_what_is_still_held_back() -> None:
    source = Source(([UNIT], "endless"))
    source.start()
    source.endless.wait(5)
    assert source.events == []
    source.finish()
    source._thread.join(5)
    assert source.events == [UNIT, SourceEnded(None)]


def test_finishing_an_absent_source_is_no_error_of_the_source() -> None:
    source = Source(([], "not found"))
    source.start()
    source.finish()
    source._thread.join(5)
    assert source.events == [SourceEnded(None)]


def test_stopped_source_says_nothing() -> None:
    source = Source(([UNIT], "endless"))
    source.start()
    source.endless.wait(5)
    source.stop()
    assert source.events == []


def test_classes_are_made_before_there_are_threads() -> None:
    made = (
        "from media_service.gst import Gst; "
        "print('PadProbeInfo' in dir(Gst), [n for n in dir(Gst) if n[0] != '_' and n not in vars(Gst)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", made],
        env={**os.environ, "PYTHONPATH": str(Path(ingest.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True []\n"


def test_a_frame_may_be_shown_before_the_first_that_comes() -> None:
    segment = Gst.Segment()
    segment.init(Gst.Format.TIME)
    segment.start = 100_000_000
    assert running_time(segment, 66_000_000) == -34_000_000
    assert running_time(segment, 200_000_000) == 100_000_000
    assert running_time(segment, 2**64 - 33_000_000) == -133_000_000
