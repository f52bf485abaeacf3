"""The worker between fakes of source, STS and output; its queue, dispatcher and segmenter are real."""

import array
import base64
import logging
import time
from collections.abc import Iterator

import pytest
from media_testing import RATE, SECOND, Bench, FakeSts, faked_media

from media_service import worker as worker_module
from media_service.audio import AudioError
from media_service.breaker import BreakerState
from media_service.ingest import SourceEnded
from media_service.output import OutputError
from media_service.segmenter import AccessUnit
from media_service.sts_client import StsGaveUp, StsLost, StsReady
from media_service.worker import EXIT_FAILED, EXIT_OK


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    monkeypatch.setattr(worker_module, "StsClient", FakeSts)
    with faked_media(monkeypatch, caplog) as records:
        bench = Bench(records)
        yield bench
        bench.close()


# -- how a worker ends


def test_end_of_the_source_is_a_regular_end(bench: Bench) -> None:
    bench.sts.emit(StsReady(3, False))
    bench.feed(2)
    bench.ingest.emit(SourceEnded(None))
    bench.wait_for_fragments(1)
    bench.answer(bench.sts.fragments[0], status="failed", error={"code": "MODEL_ERROR", "retryable": True})
    bench.wait(lambda: bench.output.finished)
    bench.message("stream:complete")
    assert bench.exit_code() == EXIT_OK


def test_answer_with_the_six_fields_of_spec_019_is_a_dub(bench: Bench) -> None:
    bench.sts.emit(StsReady(3, False))
    bench.feed(2)
    bench.ingest.emit(SourceEnded(None))
    bench.wait_for_fragments(1)
    dub = array.array("h", [1000] * 2 * RATE)
    bench.answer(
        bench.sts.fragments[0],
        dubbed_audio=base64.b64encode(dub.tobytes()).decode(),
        transcript="one",
        translated_text="uno",
        processing_time_ms=1,
        target_language="es",
    )
    bench.wait(lambda: bench.output.finished)
    [(segment, pcm)] = bench.output.pushed
    assert pcm != segment.pcm
    assert set(array.array("h", pcm)) == {1000}


def test_giving_up_ends_the_worker_at_once(bench: Bench) -> None:
    bench.sts.emit(StsReady(3, False))
    bench.feed(4)
    bench.wait_for_fragments(1)
    bench.sts.emit(StsLost("refused"))
    bench.sts.emit(StsGaveUp(5))
    assert bench.exit_code() == EXIT_FAILED
    # All that has come is put out with its own audio, the part of a segment at the end as well.
    assert [len(segment.video) for segment, _ in bench.output.pushed] == [20, 20]
    assert all(pcm == segment.pcm for segment, pcm in bench.output.pushed)
    assert bench.output.finished
    assert bench.logged(logging.ERROR) == ["giving up on the STS after 5 attempts: the worker ends"]
    record = next(r for r in bench.records if r.levelno == logging.ERROR)
    assert (record.__dict__["attempts"], record.__dict__["url"]) == (5, "http://host.docker.internal:3000")


def test_giving_up_before_any_content_ends_the_worker(bench: Bench) -> None:
    bench.sts.emit(StsLost("refused"))
    bench.sts.emit(StsGaveUp(5))
    assert bench.exit_code() == EXIT_FAILED
    assert bench.output.pushed == []


@pytest.mark.parametrize("error", ["audio track required for dubbing", "RTSP source not available after 3 retries"])
def test_source_that_cannot_be_dubbed_is_a_failure(bench: Bench, error: str) -> None:
    bench.ingest.emit(SourceEnded(error))
    assert bench.exit_code() == EXIT_FAILED
    assert bench.logged(logging.ERROR) == [error]


def test_output_that_cannot_be_published_is_a_failure(bench: Bench) -> None:
    bench.output.error = OutputError("RTMP publishing failed")
    assert bench.exit_code() == EXIT_FAILED
    assert bench.logged(logging.ERROR) == ["RTMP publishing failed"]


def test_times_that_jump_end_the_worker_after_what_has_come(bench: Bench) -> None:
    bench.sts.emit(StsLost("refused"))
    bench.feed(3)
    for _ in range(2):
        bench.ingest.emit(AccessUnit(3_600_000_000_000, True, b"an hour later"))
    assert bench.exit_code() == EXIT_FAILED
    assert [len(segment.video) for segment, _ in bench.output.pushed] == [20, 10]
    assert bench.logged(logging.ERROR) == [
        "the source cannot be dubbed any further: the times of the video jumped by 3597.1 s, expected at most 30 s"
    ]


def test_sound_that_cannot_be_converted_keeps_its_segment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that is too busy: GStreamer does not end in time."""

    def fail(*_args: object) -> bytes:
        raise AudioError("cannot decode: not done after 2 s")

    bench.sts.emit(StsReady(3, False))
    with monkeypatch.context() as busy:
        busy.setattr(worker_module, "to_mono", fail)
        busy.setattr(worker_module, "stretch", fail)
        bench.feed(4)
        bench.wait_for_output(1)
        assert worker_module._stretch(b"", b"abcdefgh", b"", 1) == b"abcd"
        assert worker_module._stretch(b"", b"abcd", b"", 2) == b"abcd\0\0\0\0"
    bench.feed(2)
    bench.wait_for_fragments(1)
    assert bench.sts.fragments[0]["sequence_number"] == 0
    assert [pcm == segment.pcm for segment, pcm in bench.output.pushed] == [True]
    assert bench.metrics.fallbacks["error"]._value.get() == 1


# -- a connection that is lost


def test_new_session_counts_from_zero_and_goes_on_dubbing(bench: Bench) -> None:
    bench.sts.emit(StsReady(3, False))
    bench.feed(8)
    bench.wait_for_fragments(3)
    bench.sts.emit(StsLost("cut"))
    bench.wait_for_output(3)
    bench.sts.emit(StsReady(3, True))
    bench.feed(2)
    bench.wait_for_fragments(4)
    assert [f["sequence_number"] for f in bench.sts.fragments] == [0, 1, 2, 0]
    assert bench.sts.fragments[3]["fragment_id"].endswith("_0003")
    assert bench.metrics.reconnections._value.get() == 1
    assert bench.metrics.breaker._value.get() == BreakerState.CLOSED
    assert bench.metrics.fallbacks["disconnected"]._value.get() == 3


def test_pause_does_not_outlive_its_session(bench: Bench) -> None:
    bench.sts.emit(StsReady(3, False))
    bench.message("backpressure", action="pause")
    bench.feed(4)
    bench.sts.emit(StsLost("cut"))
    bench.wait_for_output(1)
    assert bench.sts.fragments == []
    bench.sts.emit(StsReady(3, True))
    bench.feed(2)
    bench.wait_for_fragments(1)


# -- what is left behind


def test_what_is_lost_at_the_start_is_told(bench: Bench) -> None:
    for n in range(10):
        bench.ingest.emit(AccessUnit((n - 10) * SECOND // 10, False, b"delta"))
    bench.feed(4)
    bench.wait(lambda: bool(bench.store.added))
    told = [r for r in bench.records if r.getMessage() == "content before the first key frame is left out"]
    assert [(r.__dict__["lost_ms"], r.__dict__["frames"]) for r in told] == [(1000, 10)]
    assert bench.metrics.start_lost_ms._value.get() == 1000


def test_each_segment_is_stored(bench: Bench) -> None:
    bench.feed(6)
    bench.ingest.emit(SourceEnded(None))
    bench.wait(lambda: len(bench.store.added) == 3)
    assert [segment.index for segment in bench.store.added] == [0, 1, 2]


# -- what the log says


def test_breaker_states_are_named_as_specified(bench: Bench) -> None:
    for state in BreakerState:
        bench.worker._on_breaker_change(state, "TIMEOUT", 5)
    changes = [r.__dict__ for r in bench.records if r.getMessage() == "circuit breaker changed"]
    assert [change["state"] for change in changes] == ["closed", "open", "half-open"]


def test_slowed_down_nothing_follows_what_is_still_on_its_way_out(bench: Bench) -> None:
    bench.sts.emit(StsReady(3, False))
    bench.message("backpressure", action="slow_down", recommended_delay_ms=100)
    bench.sts.is_sending = True
    bench.feed(6)
    time.sleep(0.5)
    assert bench.sts.fragments == []
    bench.sts.is_sending = False
    bench.wait_for_fragments(1)
    bench.sts.is_sending = True
    time.sleep(0.5)
    assert len(bench.sts.fragments) == 1
    bench.sts.is_sending = False
    bench.wait_for_fragments(2)
