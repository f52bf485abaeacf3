"""The main process: learns of streams from the MediaMTX API and runs one worker process for each publication."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import uuid
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client.multiprocess import mark_process_dead

from media_service.config import WARM_FD_VARIABLE, Config
from media_service.log import logger
from media_service.server import make_app

# What is published before the worker plays the path is lost to it: ask often.
POLL_S = 0.075
API_TIMEOUT_S = 2.0
STOP_TIMEOUT_S = 2.0
# After how long a worker is started in the place of one that got a stream, which takes most of a core for half a second:
# not while that one connects; and later where others wait, as the output of one that came before may begin then.
FILL_S, FILL_LATER_S = 0.5, 2.0
_SHOWN = 200  # characters of what is wrong
# What MediaMTX allows in the name of a path; an id also names a folder, and goes into headers, URLs and metrics.
_PATH = re.compile(r"live/(?!\.{1,2}/)([0-9A-Za-z_.~:-]{1,200})/in")
_INPUT = re.compile(r"live/.*/in", re.DOTALL)


class _Stream:
    """A publication and the worker that handles it."""

    def __init__(self, stream_id: str, worker_id: str, process: asyncio.subprocess.Process) -> None:
        self.stream_id = stream_id
        self.worker_id = worker_id
        self.process = process
        self.done = asyncio.Event()


class Supervisor:
    """Polls MediaMTX, assigns streams to workers, keeps workers warm, answers for the health of the service."""

    def __init__(self, config: Config, metrics_dir: str) -> None:
        self._config = config
        self._metrics_dir = metrics_dir
        self._warm = 0  # workers that have been ready for a stream, or have ended before they were
        self._started_at = time.monotonic()
        self._spares: list[asyncio.subprocess.Process] = []
        self._filling = asyncio.Lock()
        self._publications: dict[str, str] = {}  # path -> identity of the publication that has got a worker
        self._streams: list[_Stream] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._api_error: str | None = "not asked yet"
        self._refused: set[str] = set()  # what the API answered last that cannot be used

    def health(self) -> dict[str, Any]:
        """Body of /health."""
        reachable = self._api_error is None
        # A stream that comes while workers start may lose its beginning: they take the processors from whoever joins.
        starting = self._warm < self._config.spare_workers
        return {
            "status": "unavailable" if not reachable else "starting" if starting else "ok",
            "uptime_s": round(time.monotonic() - self._started_at, 1),
            "streams": [s.stream_id for s in self._streams],
            "mediamtx": {"url": self._config.mediamtx_api_url, "reachable": reachable, "error": self._api_error},
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then end all workers."""
        runner = web.AppRunner(make_app(self.health, self._metrics_dir), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self._config.host, self._config.port).start()
        logger.info("media-service started", extra={"host": self._config.host, "port": self._config.port})
        try:
            await self._fill_spares()
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=API_TIMEOUT_S)) as session:
                while not stop.is_set():
                    await self._poll(session)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), POLL_S)
        finally:
            await self._stop_workers()
            await runner.cleanup()
            logger.info("media-service stopped")

    async def _poll(self, session: aiohttp.ClientSession) -> None:
        url = f"{self._config.mediamtx_api_url}/v3/paths/list?itemsPerPage=1000"
        try:
            async with session.get(url) as response:
                response.raise_for_status()
                items = list((await response.json())["items"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError, RecursionError) as error:
            self._set_api_error(f"GET {url}: {error or type(error).__name__}")
            return
        self._set_api_error(None)
        ready = self._ready(items)
        for path in [p for p in self._publications if p not in ready]:
            del self._publications[path]
        for path, publication in ready.items():
            if self._publications.get(path) != publication:
                self._publications[path] = publication
                try:
                    await self._assign(path)
                except OSError as error:  # no process can be started: the other streams go on
                    logger.error("stream not assigned: no worker can be started", extra={"path": path, "error": str(error)})

    def _ready(self, items: list[Any]) -> dict[str, str]:
        """Identities of the publications by path; what is no path that can be dubbed is logged when it comes."""
        ready, refused = {}, set()
        for item in items:
            match item:
                case {"name": str(name), "ready": True} if _PATH.fullmatch(name):
                    ready[name] = _identity(item)
                case {"name": str(name), "ready": bool(is_ready)}:
                    if is_ready and _INPUT.fullmatch(name):
                        refused.add(f"name of a path: {name!r}"[:_SHOWN])
                case _:
                    refused.add(f"path: {item!r}"[:_SHOWN])
        for what in refused - self._refused:
            logger.warning("answer of the MediaMTX API ignored", extra={"seen": what})
        self._refused = refused
        return ready

    def _set_api_error(self, error: str | None) -> None:
        if (error is None) != (self._api_error is None):
            if error is None:
                logger.info("MediaMTX API answers", extra={"url": self._config.mediamtx_api_url})
            else:
                logger.error("MediaMTX API cannot be reached", extra={"error": error})
        self._api_error = error

    async def _assign(self, path: str) -> None:
        match = _PATH.fullmatch(path)
        assert match is not None
        stream_id, worker_id = match.group(1), f"worker-{uuid.uuid4().hex[:8]}"
        self._forget_dead_spares()
        process = self._spares.pop(0) if self._spares else await self._spawn()
        # A worker of the stream's former publication may still be playing its end to the same output path.
        formers = [s for s in self._streams if s.stream_id == stream_id]
        stream = _Stream(stream_id, worker_id, process)
        self._streams.append(stream)
        await _order(process, {"stream_id": stream_id, "worker_id": worker_id, "output_allowed": not formers})
        logger.info("stream assigned", extra={"stream_id": stream_id, "worker_id": worker_id, "pid": process.pid})
        self._background(self._watch(stream, formers))
        self._background(self._fill_spares(delay_s=FILL_LATER_S if self._spares else FILL_S))

    async def _watch(self, stream: _Stream, formers: list[_Stream]) -> None:
        exit_task = asyncio.create_task(stream.process.wait())
        for former in formers:
            await former.done.wait()
        if formers:
            await _order(stream.process, {"output_allowed": True})
        code = await exit_task
        self._streams.remove(stream)
        stream.done.set()
        if code < 0:  # killed: it could not say any more that nothing is in flight
            mark_process_dead(stream.process.pid, self._metrics_dir)  # type: ignore[no-untyped-call]
        level = logger.info if code == 0 else logger.error
        level("worker ended", extra={"stream_id": stream.stream_id, "worker_id": stream.worker_id, "exit_code": code})

    def _forget_dead_spares(self) -> None:
        self._spares = [p for p in self._spares if p.returncode is None]

    async def _fill_spares(self, delay_s: float = 0.0) -> None:
        await asyncio.sleep(delay_s)
        async with self._filling:
            self._forget_dead_spares()
            while len(self._spares) < self._config.spare_workers:
                self._spares.append(await self._spawn())

    async def _spawn(self) -> asyncio.subprocess.Process:
        # stdin stays open as long as this process lives: its end tells the worker that the supervisor is gone.
        # The worker closes the pipe `warm` when it could take a stream at once; it ends as well when the worker does.
        read_end, warm = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "media_service.worker",
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(warm,),
                env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": self._metrics_dir, WARM_FD_VARIABLE: str(warm)},
            )
        finally:
            os.close(warm)
        logger.debug("worker started", extra={"pid": process.pid})
        self._background(self._note_warm(read_end))
        return process

    async def _note_warm(self, read_end: int) -> None:
        """Wait for the end of the pipe `read_end`, and close it."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(read_end, ended.set)
        try:
            await ended.wait()
            self._warm += 1
        finally:
            loop.remove_reader(read_end)
            os.close(read_end)

    def _background(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop_workers(self) -> None:
        processes = [s.process for s in self._streams] + self._spares
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        exits = [asyncio.create_task(p.wait()) for p in processes]
        if exits:
            await asyncio.wait(exits, timeout=STOP_TIMEOUT_S)
        for process in processes:
            if process.returncode is None:
                logger.warning("worker killed: it did not stop in time", extra={"pid": process.pid})
                process.kill()
                await process.wait()
        # Whoever waits for a worker's exit has seen it now; whoever wants to start one must not.
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def run(config: Config) -> int:
    """Run the service until SIGTERM or SIGINT; returns the exit code."""
    try:
        metrics_dir = tempfile.mkdtemp(prefix="media-service-metrics-")
    except OSError as error:
        logger.error("media-service cannot run: no folder for the metrics", extra={"error": str(error)})
        return 1
    try:
        return asyncio.run(_run(config, metrics_dir))
    finally:
        shutil.rmtree(metrics_dir, ignore_errors=True)


async def _run(config: Config, metrics_dir: str) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await Supervisor(config, metrics_dir).run(stop)
    except OSError as error:
        logger.error("media-service cannot run", extra={"error": str(error)})
        return 1
    return 0


def _identity(item: dict[str, Any]) -> str:
    """What tells one publication of a path from the next."""
    source = item.get("source")
    return f"{source.get('id') if isinstance(source, dict) else source} {item.get('readyTime')}"


async def _order(process: asyncio.subprocess.Process, order: dict[str, Any]) -> None:
    """Write one line to a worker's stdin; a worker that has ended is found by its exit code."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(json.dumps(order).encode() + b"\n")
        await process.stdin.drain()
