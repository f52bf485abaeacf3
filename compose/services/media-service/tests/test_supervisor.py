"""The supervisor with a MediaMTX that is a table of paths, and workers that are small scripts."""

import asyncio
import sys
from typing import Any

import pytest
from aiohttp import ClientSession, web

from media_service.config import Config
from media_service.log import logger
from media_service.supervisor import Supervisor

FAILS = "import sys; sys.stdin.readline(); sys.exit(1)"
WORKS = "import sys; sys.stdin.read()"


class Bench:
    """A supervisor whose workers run `scripts`, by stream."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}  # stream -> identity of its publication
        self.scripts: list[str] = []

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
