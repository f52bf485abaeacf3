"""The connection to the STS, against a Socket.IO server on this machine."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import socketio
from aiohttp import web
from media_testing import Server

from media_service.sts_client import StsClient, StsEvent, StsGaveUp, StsLost, StsMessage, StsReady, socket_io

BASE_DELAY_S = 0.01
# More than the buffers of a connection hold.
LARGE = 20_000_000


class Sts(Server):
    """Answers `stream:init` with `stream:ready` and then at once with `then`; refuses connections while `refusing`."""

    def __init__(self) -> None:
        self.inits: list[dict[str, Any]] = []
        self.refusing = False
        self.then: tuple[str, dict[str, Any]] | None = None
        self._server = socketio.AsyncServer(async_mode="aiohttp", max_http_buffer_size=2 * LARGE)
        self._server.on("connect", self._on_connect)
        self._server.on("stream:init", self._on_init)
        self._sid = ""
        super().__init__()

    def attach(self, app: web.Application) -> None:
        self._server.attach(app)

    async def _on_connect(self, sid: str, _environ: object) -> bool:
        self._sid = sid
        return not self.refusing

    async def _on_init(self, sid: str, payload: dict[str, Any]) -> None:
        self.inits.append(payload)
        await self._server.emit("stream:ready", {"max_inflight": 2}, to=sid)
        if self.then:
            await self._server.emit(*self.then, to=sid)

    def cut(self) -> None:
        """End the connection."""
        asyncio.run_coroutine_threadsafe(self._server.disconnect(self._sid), self._loop).result(5)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Read nothing meanwhile."""
        released = threading.Event()
        self._loop.call_soon_threadsafe(released.wait, 10)
        try:
            yield
        finally:
            released.set()


@pytest.fixture
def sts() -> Iterator[Sts]:
    server = Sts()
    yield server
    server.close()


class Client:
    """A StsClient and its events."""

    def __init__(self, url: str) -> None:
        self._events: queue.SimpleQueue[StsEvent] = queue.SimpleQueue()
        self.client = StsClient(url, "s", "w", {"stream_id": "s"}, BASE_DELAY_S, 5, self._events.put)
        self.client.start()

    def next(self) -> StsEvent:
        return self._events.get(timeout=5)


@pytest.fixture
def client(sts: Sts) -> Iterator[Client]:
    client = Client(sts.url)
    yield client
    client.client.stop()


def test_first_session_is_no_reconnection(client: Client) -> None:
    assert client.next() == StsReady(2, False)


def test_lost_session_is_initialised_again(sts: Sts, client: Client) -> None:
    client.next()
    sts.cut()
    assert isinstance(client.next(), StsLost)
    assert client.next() == StsReady(2, True)
    assert sts.inits == [{"stream_id": "s"}] * 2


def test_gives_up_after_the_fifth_failed_reconnection(sts: Sts, client: Client) -> None:
    client.next()
    sts.refusing = True
    sts.cut()
    events = [client.next() for _ in range(7)]
    assert [type(event) for event in events] == [StsLost] * 6 + [StsGaveUp]
    assert events[-1] == StsGaveUp(5)


def test_session_in_between_gives_five_new_attempts(sts: Sts, client: Client) -> None:
    client.next()
    for _ in range(2):
        sts.refusing = True
        sts.cut()
        assert [type(client.next()) for _ in range(4)] == [StsLost] * 4
        sts.refusing = False
        while not isinstance(client.next(), StsReady):
            pass


def test_pause_right_after_ready_belongs_to_the_new_session(sts: Sts, client: Client) -> None:
    client.next()
    sts.then = ("backpressure", {"action": "pause"})
    for _ in range(5):
        sts.cut()
        assert isinstance(client.next(), StsLost)
        assert client.next() == StsReady(2, True)
        assert client.next() == StsMessage("backpressure", {"action": "pause"})


def test_is_sending_until_the_sts_takes_it(sts: Sts, client: Client) -> None:
    client.next()
    with sts.held():
        client.client.send("stream:pause", {"filler": "x" * LARGE})
        time.sleep(0.5)
        assert client.client.is_sending
    until = time.monotonic() + 5
    while client.client.is_sending and time.monotonic() < until:
        time.sleep(0.01)
    assert not client.client.is_sending


def test_stops_sending_at_once_where_the_connection_is_lost_while_something_waits_to_be_sent() -> None:
    sent: list[str] = []

    class Connection:
        """Of websocket-client: what is sent right after the other side has closed it is no error."""

        def send(self, text: str) -> None:
            sent.append(text)

    io = socket_io().eio
    io.state, io.current_transport, io.ws = "connected", "websocket", Connection()
    io.ping_interval = io.ping_timeout = 25
    io.send("fragment")
    io.queue.put(None)
    sending = threading.Thread(target=io._write_loop, daemon=True)
    sending.start()
    sending.join(5)
    assert not sending.is_alive()
    assert sent == ["4fragment"]
