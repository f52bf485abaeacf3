"""The supervisor with a MediaMTX that is a table of paths, and workers that are small scripts."""

import asyncio
import functools
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from socket import create_connection, socket
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

import media_service
from media_service.config import Config
from media_service.log import logger
from media_service.server import make_app
from media_service.supervisor import Supervisor

SERVICE = Path(media_service.__file__).parent.parent
FAILS = "import sys; sys.stdin.readline(); sys.exit(1)"
WORKS = "import sys; sys.stdin.read()"


class Bench:
    """A supervisor whose workers run `scripts`, by stream."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}  # stream -> identity of its publication
        self.scripts: list[str] = []
        self.answer: str | None = None  # of the API, instead of the table

    async def __aenter__(self) -> "Bench":
        app = web.Application()
        app.router.add_get("/v3/paths/list", self._list)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        config = Config.from_env({"MEDIAMTX_API_URL": url, "SPARE_WORKERS": "0"})
        self.supervisor = Supervisor(config, "unused")
        self.supervisor._spawn = self._spawn  # type: ignore[method-assign]
        self._session = ClientSession()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.supervisor._stop_workers()
        await self._session.close()
        await self._runner.cleanup()

    async def _list(self, _request: web.Request) -> web.Response:
        if self.answer is not None:
            return web.Response(text=self.answer, content_type="application/json")
        items = [
            {"name": f"live/{stream}/in", "ready": True, "source": {"id": publication}, "readyTime": "now"}
            for stream, publication in self.paths.items()
        ]
        return web.json_response({"items": items})

    async def _spawn(self) -> Any:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", self.scripts.pop(0), stdin=asyncio.subprocess.PIPE
        )

    async def poll(self) -> None:
        await self.supervisor._poll(self._session)

    async def until_only(self, *streams: str) -> None:
        """Poll, as the service does, until these streams have workers and no other has."""
        async with asyncio.timeout(5):
            while [s.stream_id for s in self.supervisor._streams] != list(streams):
                await self.poll()
                await asyncio.sleep(0.01)


def test_publication_whose_worker_failed_gets_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.scripts = [FAILS, WORKS, WORKS]
            bench.paths = {"failing": "1", "other": "2"}
            await bench.poll()
            await bench.until_only("other")
            await bench.poll()
            assert len(bench.scripts) == 1
            # The next publication of the same path is a new try.
            bench.paths["failing"] = "3"
            await bench.until_only("other", "failing")

    caplog.set_level("INFO", logger=logger.name)
    asyncio.run(scenario())
    ended = next(r for r in caplog.records if r.getMessage() == "worker ended" and r.levelname == "ERROR").__dict__
    assert (ended["stream_id"], ended["exit_code"]) == ("failing", 1)


# -- a MediaMTX API that answers what it should not


UNREADABLE = [
    *(
        "",
        "nonsense",
        "null",
        "5",
        "[]",
        "{}",
        '{"items": null}',
        '{"items": 5}',
        '{"items": [',
        '{"items": tru}',
        "[" * 100_000,
    ),
    '"' + "x" * 5_000_000 + '"',
]


def test_answers_that_cannot_be_read_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.scripts = [WORKS, WORKS]
            bench.paths = {"one": "1"}
            await bench.until_only("one")
            before = bench.supervisor._streams[0].worker_id
            for bench.answer in UNREADABLE:
                await bench.poll()
                assert bench.supervisor.health()["status"] == "unavailable", bench.answer[:60]
                assert bench.supervisor.health()["mediamtx"]["error"].startswith("GET http://")
            bench.answer = None
            bench.paths["two"] = "2"
            await bench.until_only("one", "two")
            assert bench.supervisor.health()["mediamtx"]["error"] is None
            assert bench.supervisor._streams[0].worker_id == before

    asyncio.run(scenario())
    # Not one line for each of some 13 questions a second.
    assert [r.getMessage() for r in caplog.records].count("MediaMTX API cannot be reached") == 1


NAMES = [
    *("live/../in", "live/./in", "live//in", "live/a b/in", "live/a\r\nX-Evil: 1/in", "live/a%2fb/in", "live/a?b#c/in"),
    *("live/\0/in", "live/ü/in", "live/a/b/in", "live/../../etc/in", f"live/{'x' * 10_240}/in", "live/$(reboot)/in"),
]
READY: list[Any] = [None, "yes", 1, [], {}]
ITEMS: list[Any] = [
    *(None, 5, "text", [], {}, {"name": None, "ready": True}, {"name": 5, "ready": True}, {"name": ["live/x/in"]}),
    *({"name": "live/x/in", "ready": ready} for ready in READY),
    {"name": "live/x/in"},
    {"ready": True},
    *({"name": name, "ready": True} for name in NAMES),
]


def test_paths_that_cannot_be_dubbed_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.scripts = [WORKS, WORKS, WORKS]
            sources = {"none": None, "text": "publisher", "listed": [1]}
            good = [{"name": f"live/{name}/in", "ready": True, "source": source} for name, source in sources.items()]
            # Twice in one answer is once.
            bench.answer = json.dumps({"items": [*ITEMS, *good, *good]})
            for _ in range(3):
                await bench.poll()
            await bench.until_only(*sources)
            assert bench.supervisor.health()["mediamtx"]["error"] is None

    asyncio.run(scenario())
    refused = [r.__dict__["seen"] for r in caplog.records if r.getMessage() == "answer of the MediaMTX API ignored"]
    assert len(refused) == len(set(refused)) == len(ITEMS)
    assert all(len(seen) <= 200 and "\n" not in seen for seen in refused)


def test_publication_that_is_ready_twice_has_one_worker() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.scripts = [WORKS]
            bench.paths = {"one": "1"}
            for _ in range(5):
                await bench.poll()
            await bench.until_only("one")
            # Not ready, of an unknown stream.
            bench.answer = json.dumps({"items": [{"name": "live/unknown/in", "ready": False}]})
            await bench.poll()
            assert [s.stream_id for s in bench.supervisor._streams] == ["one"]

    asyncio.run(scenario())


def test_worker_that_cannot_be_started_is_that_streams_problem(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            spawn = bench.supervisor._spawn

            async def fail() -> Any:
                raise BlockingIOError(11, "Resource temporarily unavailable")

            bench.supervisor._spawn = fail  # type: ignore[method-assign]
            bench.paths = {"first": "1"}
            await bench.poll()
            bench.supervisor._spawn = spawn  # type: ignore[method-assign]
            bench.scripts = [WORKS]
            bench.paths["second"] = "2"
            await bench.until_only("second")

    asyncio.run(scenario())
    failed = next(r for r in caplog.records if r.levelname == "ERROR")
    assert failed.getMessage() == "stream not assigned: no worker can be started"
    assert (failed.__dict__["path"], failed.__dict__["error"]) == (
        "live/first/in",
        "[Errno 11] Resource temporarily unavailable",
    )


# -- workers that are killed


COUNTS = """
import sys
from media_service.metrics import StreamMetrics
metrics = StreamMetrics(sys.argv[1])
metrics.inflight.set(3)
metrics.fragments["sent"].inc()
open(sys.argv[2], "w").close()
sys.stdin.read()
"""


def test_killed_worker_has_nothing_in_flight(tmp_path: Path) -> None:
    async def scenario() -> None:
        metrics = tmp_path / "metrics"
        metrics.mkdir()
        # What a worker leaves that was killed, or whose disk was full, as it made the file.
        (metrics / "counter_1.db").touch()

        async def spawn(stream_id: str) -> Any:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", COUNTS, stream_id, str(tmp_path / stream_id)),
                stdin=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(SERVICE), "PROMETHEUS_MULTIPROC_DIR": str(metrics)},
            )

        async with Bench() as bench:
            bench.supervisor._metrics_dir = str(metrics)
            for stream_id in ("killed", "kept"):
                bench.supervisor._spawn = functools.partial(spawn, stream_id)  # type: ignore[method-assign]
                bench.paths[stream_id] = "1"
                await bench.poll()
            async with asyncio.timeout(10):
                while not all((tmp_path / stream_id).exists() for stream_id in ("killed", "kept")):
                    await asyncio.sleep(0.02)
            bench.supervisor._streams[0].process.kill()
            await bench.until_only("kept")
            async with TestClient(TestServer(make_app(bench.supervisor.health, str(metrics)))) as client:
                text = await (await client.get("/metrics")).text()
        # No gauge says for ever what was so when it was killed; what was counted stays, and so does what is alive.
        assert 'worker_inflight_fragments{stream_id="killed"}' not in text
        assert 'worker_inflight_fragments{stream_id="kept"} 3.0' in text
        for stream_id in ("killed", "kept"):
            assert f'worker_audio_fragments_total{{status="sent",stream_id="{stream_id}"}} 1.0' in text

    asyncio.run(scenario())


def test_spare_that_was_killed_is_not_given_a_stream() -> None:
    async def scenario() -> None:
        async with Bench() as bench:
            bench.scripts = [WORKS, WORKS]
            spare = await bench.supervisor._spawn()
            bench.supervisor._spares.append(spare)
            spare.kill()
            await spare.wait()
            bench.paths = {"one": "1"}
            await bench.until_only("one")
            assert bench.supervisor._streams[0].process is not spare

    asyncio.run(scenario())


def test_is_starting_until_all_workers_that_wait_are_warm() -> None:
    async def scenario() -> None:
        supervisor = Supervisor(Config.from_env({"SPARE_WORKERS": "2"}), "unused")
        supervisor._set_api_error(None)
        found = [supervisor.health()["status"]]
        for _ in range(2):
            read_end, warm = os.pipe()
            noted = asyncio.create_task(supervisor._note_warm(read_end))
            os.close(warm)
            await noted
            found.append(supervisor.health()["status"])
        assert found == ["starting", "starting", "ok"]

    asyncio.run(scenario())


# -- folders and a log that cannot be written


def service(*command: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHONPATH": str(SERVICE), "HOST": "127.0.0.1", "PORT": "1", **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", *command], env=env, capture_output=True, text=True, timeout=30, check=False, **options
    )


def test_no_folder_for_metrics(tmp_path: Path) -> None:
    # No file can grow: so it is on a disk that is full.
    done = service("media_service", cwd=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    record = json.loads(done.stdout)
    assert (done.returncode, record["level"], done.stderr) == (1, "ERROR", "")
    assert record["message"] == "media-service cannot run: no folder for the metrics"


def test_metrics_of_a_worker_that_cannot_be_written(tmp_path: Path) -> None:
    order = json.dumps({"stream_id": "s", "worker_id": "w", "output_allowed": True})
    # The end of stdin would say that the supervisor is gone.
    read_end, write_end = os.pipe()
    os.write(write_end, order.encode() + b"\n")
    done = service("media_service.worker", stdin=read_end, env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "missing")})
    os.close(write_end)
    os.close(read_end)
    record = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, record["level"], record["stream_id"], done.stderr) == (1, "ERROR", "s", "")
    assert record["message"] == "the metrics cannot be written: the worker ends"


def test_log_that_cannot_be_written(tmp_path: Path) -> None:
    """A disk that is full takes the log, not the service."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(SERVICE), "HOST": "127.0.0.1", "PORT": str(port), "SPARE_WORKERS": "0"}
    env |= {"MEDIAMTX_API_URL": "http://127.0.0.1:1", "TMPDIR": str(tmp_path)}
    with (tmp_path / "err").open("w") as err, Path("/dev/full").open("w") as full:
        process = subprocess.Popen([sys.executable, "-m", "media_service"], env=env, stdout=full, stderr=err)
    requests = [
        *(b"nonsense\r\n\r\n", b"GET /health HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", b"\0" * 1000 + b"\r\n\r\n"),
        *(b"POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"),
    ]
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                connection = create_connection(("127.0.0.1", port), 5)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        connection.close()
        for request in requests:
            with create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(request)
                assert connection.recv(100).startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), request[:60]
        with create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.0 200 OK")
        process.terminate()
        process.wait(10)
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "err").read_text().splitlines()[0] == "the log cannot be written: [Errno 28] No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["err"]
