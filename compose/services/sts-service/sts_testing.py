"""What tests need to run the service as a process of its own and to ask it over HTTP and Socket.IO."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import socketio

from sts_service.config import SpeechConfig, read_speech_config

SOURCE = Path(__file__).parent
MODELS = SOURCE.parents[2] / ".tools/models"
"""What the set-up has put together."""
RATE = 44_100


def speech_config(**env: str) -> SpeechConfig:
    """The speech engine's settings, with the models of the set-up."""
    return read_speech_config({"MODELS_DIR": str(MODELS), **env})


@dataclass
class Service:
    process: subprocess.Popen[str]
    url: str
    log_file: Path

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /health; status 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except urllib.error.URLError:
            return 0, {}

    def wait(self, done: Callable[[int, dict[str, Any]], bool], within_s: float = 20) -> tuple[int, dict[str, Any]]:
        """The first answer of /health that is `done`; fails with the last one."""
        deadline = time.monotonic() + within_s
        while not done(*(answer := self.health())):
            assert self.process.poll() is None, self.log_file.read_text()
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)
        return answer

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@contextmanager
def running(folder: Path, env: dict[str, str]) -> Iterator[Service]:
    """stdout and stderr go to files `out` and `err` of the folder."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log_file = folder / "out"
    with log_file.open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "sts_service"],
            # Killed below, it leaves its temporary folder.
            env={
                **os.environ,
                **{"PYTHONPATH": str(SOURCE), "TMPDIR": str(folder), "MODELS_DIR": str(MODELS)},
                **{"HOST": "127.0.0.1", "PORT": str(port), **env},
            },
            stdout=out,
            stderr=err,
            text=True,
        )
    try:
        yield Service(process, f"http://127.0.0.1:{port}", log_file)
    finally:
        process.kill()
        process.wait()


def log_of(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log_file.read_text().splitlines()]


def init(stream_id: str = "s", **config: Any) -> dict[str, Any]:
    return {
        "stream_id": stream_id,
        "worker_id": "w",
        "max_inflight": 3,
        "timeout_ms": 8000,
        "config": {
            "source_language": "en",
            "target_language": "es",
            "voice_profile": "default",
            "chunk_duration_ms": 2000,
            "sample_rate_hz": RATE,
            "channels": 2,
            "format": "pcm_s16le",
            **config,
        },
    }


def fragment(number: int, data: bytes, stream_id: str = "s", **audio: Any) -> dict[str, Any]:
    return {
        "fragment_id": f"f{number}",
        "stream_id": stream_id,
        "sequence_number": number,
        "timestamp": 2000 * number,
        "audio": {
            "format": "pcm_s16le",
            "sample_rate_hz": RATE,
            "channels": 2,
            "duration_ms": 2000,
            "data_base64": base64.b64encode(data).decode(),
            **audio,
        },
        "metadata": {"pts_ns": 0},
    }


class Client:
    """A Socket.IO connection; what comes is kept."""

    def __init__(self, io: socketio.AsyncClient) -> None:
        self._io = io
        self._waiting: defaultdict[str, asyncio.Queue[dict[str, Any]]] = defaultdict(asyncio.Queue)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.gone = asyncio.Event()
        io.on("*", self._receive)
        io.on("disconnect", self._disconnected)

    async def _receive(self, event: str, payload: dict[str, Any]) -> None:
        self.events.append((event, payload))
        self._waiting[event].put_nowait(payload)

    async def _disconnected(self, _reason: str) -> None:
        self.gone.set()

    async def send(self, event: str, payload: Any) -> None:
        await self._io.emit(event, payload)

    async def next(self, event: str) -> dict[str, Any]:
        """The first one that was not asked for before; waits 10 s at most."""
        async with asyncio.timeout(10):
            return await self._waiting[event].get()

    async def ask(self, event: str, payload: Any) -> dict[str, Any]:
        """Send, and wait for the event's ack."""
        await self.send(event, payload)
        return await self.next(f"{event}:ack")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    io = socketio.AsyncClient(reconnection=False)
    client = Client(io)
    await io.connect(url, transports=["websocket"])
    try:
        yield client
    finally:
        await io.disconnect()


def talk(service: Service, sent: list[tuple[str, dict[str, Any]]], last: str) -> list[tuple[str, dict[str, Any]]]:
    """Send events on one connection; what comes back until `last` came, or for 10 s."""

    async def conversation() -> list[tuple[str, dict[str, Any]]]:
        async with connected(service.url) as client:
            for event, payload in sent:
                await client.send(event, payload)
            await client.next(last)
        return client.events

    return asyncio.run(conversation())
