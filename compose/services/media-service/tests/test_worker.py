"""The worker between fakes of source, STS and output; its queue, dispatcher and segmenter are real."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from media_service import worker as worker_module
from media_service.breaker import BreakerState
from media_service.config import Config
from media_service.ingest import IngestEvent, SourceEnded
from media_service.log import logger
from media_service.output import OutputError, PairTiming
from media_service.segmenter import AccessUnit, PcmChunk, Segment
from media_service.sts_client import StsEvent, StsGaveUp, StsLost, StsMessage, StsReady
from media_service.worker import EXIT_FAILED, EXIT_OK, Worker

RATE = 8_000
SECOND = 1_000_000_000


class FakeIngest:
    def __init__(self, _url: str, _rate: int, emit: Callable[[IngestEvent], None]) -> None:
        self.emit = emit

    def start(self) -> None:
        pass

    def finish(self) -> None:
        self.emit(SourceEnded(None))

    def stop(self) -> None:
        pass


class FakeSts:
    def __init__(self, *args: Any) -> None:
        self.emit: Callable[[StsEvent], None] = args[-1]
        self.fragments: list[dict[str, Any]] = []

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def send(self, _name: str, _payload: dict[str, Any]) -> bool:
        return True

    def send_fragment(self, fields: dict[str, Any], _pcm: bytes, _rate: int, _pts_ns: int) -> bool:
        self.fragments.append(fields)
        return True


class FakeOutput:
    def __init__(self, _url: str, _rate: int) -> None:
        self.pushed: list[tuple[Segment, bytes]] = []
        self.finished = False
        self.error: OutputError | None = None

    @property
    def started(self) -> bool:
        return bool(self.pushed)

    def push(self, segment: Segment, pcm: bytes) -> PairTiming:
        self.pushed.append((segment, pcm))
        return PairTiming(0, 0)

    def finish(self) -> None:
        self.finished = True

    def poll(self) -> bool:
        if self.error:
            raise self.error
        return self.finished

    def close(self) -> None:
        pass


class FakeStore:
    def __init__(self, *_args: object) -> None:
        self.added: list[Segment] = []

    def add(self, segment: Segment) -> None:
        self.added.append(segment)

    def close(self, _timeout_s: float) -> None:
        pass


class Bench:
    """A worker that runs in a thread, and how far its source has come."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        self.records = records
        allowed = threading.Event()
        allowed.set()
        config = Config.from_env({"SEGMENT_DURATION_MS": "2000", "AUDIO_SAMPLE_RATE_HZ": str(RATE)})
        self.worker = Worker(config, f"stream-{id(self)}", "worker-1", allowed)
        self.ingest: Any = self.worker._ingest
        self.sts: Any = self.worker._sts
        self.output: Any = self.worker._output
        self.store: Any = self.worker._store
        self.metrics = self.worker._metrics
        self._exit_code: int | None = None
        self._source_s = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._exit_code = self.worker.run()

    def feed(self, seconds: int) -> None:
        """The source goes on for `seconds`: ten key pictures and one chunk of sound each."""
        for second in range(self._source_s, self._source_s + seconds):
            for n in range(10):
                self.ingest.emit(AccessUnit(second * SECOND + n * SECOND // 10, True, b"picture"))
            self.ingest.emit(PcmChunk(second * SECOND, bytes([second, 0, second, 0]) * RATE))
        self._source_s += seconds

    def message(self, name: str, **payload: Any) -> None:
        self.sts.emit(StsMessage(name, payload))

    def answer(self, fragment: dict[str, Any], **payload: Any) -> None:
        self.message("fragment:processed", fragment_id=fragment["fragment_id"], **payload)

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, f"not within 5 s; log: {[r.getMessage() for r in self.records]}"
            time.sleep(0.01)

    def wait_for_fragments(self, count: int) -> None:
        self.wait(lambda: len(self.sts.fragments) == count)

    def wait_for_output(self, segments: int) -> None:
        self.wait(lambda: len(self.output.pushed) == segments)

    def exit_code(self) -> int | None:
        self.wait(lambda: self._exit_code is not None)
        return self._exit_code

    def logged(self, level: int) -> list[str]:
        return [r.getMessage() for r in self.records if r.levelno == level]

    def close(self) -> None:
        self.worker.stop = True
        self._thread.join(5)


class _Recorder(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    monkeypatch.setattr(worker_module, "Ingest", FakeIngest)
    monkeypatch.setattr(worker_module, "StsClient", FakeSts)
    monkeypatch.setattr(worker_module, "Output", FakeOutput)
    monkeypatch.setattr(worker_module, "SegmentStore", FakeStore)
    records: list[logging.LogRecord] = []
    handler = _Recorder(records)
    logger.addHandler(handler)
    caplog.set_level(logging.INFO, logger=logger.name)
    bench = Bench(records)
    yield bench
    bench.close()
    logger.removeHandler(handler)


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
