"""What tests need to run a worker between fakes of its source and output, and servers for it to talk to."""

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from aiohttp import web

from media_service import worker as worker_module
from media_service.config import Config
from media_service.ingest import IngestEvent, SourceEnded
from media_service.log import logger
from media_service.output import OutputError, PairTiming
from media_service.segmenter import AccessUnit, PcmChunk, Segment
from media_service.sts_client import StsEvent, StsMessage
from media_service.worker import Worker

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
        self.is_sending = False

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


# The metrics of all tests are in one registry: no two streams have the same name.
_benches = itertools.count()


class Bench:
    """A worker that runs in a thread, and how far its source has come."""

    def __init__(
        self, records: list[logging.LogRecord], stream_id: str = "stream", env: Mapping[str, str] | None = None
    ) -> None:
        self.records = records
        allowed = threading.Event()
        allowed.set()
        config = Config.from_env({"SEGMENT_DURATION_MS": "2000", "AUDIO_SAMPLE_RATE_HZ": str(RATE), **(env or {})})
        self.stream_id = f"{stream_id}-{next(_benches)}"
        self.worker = Worker(config, self.stream_id, "worker-1", allowed)
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
        """The source goes on for `seconds`: ten key frames and one chunk of audio each."""
        for second in range(self._source_s, self._source_s + seconds):
            for n in range(10):
                self.ingest.emit(AccessUnit(second * SECOND + n * SECOND // 10, True, b"picture"))
            self.ingest.emit(PcmChunk(second * SECOND, bytes([second, 0, second, 0]) * RATE))
        self._source_s += seconds

    def message(self, name: str, **payload: Any) -> None:
        self.sts.emit(StsMessage(name, payload))

    def answer(self, fragment: dict[str, Any], **payload: Any) -> None:
        self.message("fragment:processed", fragment_id=fragment["fragment_id"], **payload)

    def wait(self, condition: Callable[[], bool], within_s: float = 5) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f"not within {within_s} s; log: {[r.getMessage() for r in self.records]}"
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


class Recorder(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@contextlib.contextmanager
def faked_media(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[list[logging.LogRecord]]:
    """Workers that are made meanwhile have a fake source, output and store; what they log is given."""
    monkeypatch.setattr(worker_module, "Ingest", FakeIngest)
    monkeypatch.setattr(worker_module, "Output", FakeOutput)
    monkeypatch.setattr(worker_module, "SegmentStore", FakeStore)
    records: list[logging.LogRecord] = []
    handler = Recorder(records)
    logger.addHandler(handler)
    caplog.set_level(logging.INFO, logger=logger.name)
    try:
        yield records
    finally:
        logger.removeHandler(handler)


class Server:
    """An HTTP server in a thread."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._started.wait(5)

    def attach(self, app: web.Application) -> None:
        raise NotImplementedError

    async def _serve(self) -> None:
        app = web.Application()
        self.attach(app)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
