"""Connection of one worker to the STS: Socket.IO over one WebSocket, and its reconnection."""

import base64
import contextlib
import queue
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import socketio

from media_service.backoff import reconnect_delay_s
from media_service.log import logger

CONNECT_TIMEOUT_S = 5
READY_TIMEOUT_S = 5


@dataclass(frozen=True)
class StsReady:
    """A session is established. `max_inflight` is the STS's limit; `again` says that one was lost before."""

    max_inflight: int | None
    again: bool


@dataclass(frozen=True)
class StsLost:
    """There is no session; the client goes on trying."""

    reason: str


@dataclass(frozen=True)
class StsGaveUp:
    """The last reconnection attempt failed."""

    attempts: int


@dataclass(frozen=True)
class StsMessage:
    """An event of the STS: fragment:processed, fragment:ack, backpressure, error or stream:complete."""

    name: str
    payload: dict[str, Any]


StsEvent = StsReady | StsLost | StsGaveUp | StsMessage


class _SendQueue(queue.Queue[Any]):
    """What the library is to send, and then the end (None), twice.

    It takes all that waits at once, and overlooks an end behind something else.
    That the connection is lost is then noticed 30 s later.
    """

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item, block, timeout)
        if item is None:
            super().put(item, block, timeout)


def socket_io() -> socketio.Client:
    """Return a client for one connection."""
    client = socketio.Client(
        reconnection=False,
        handle_sigint=False,
        request_timeout=CONNECT_TIMEOUT_S,
        # Text is checked when it is decoded. The check of websocket-client before that is written in Python: for a
        # dub of 1.5 MB it holds up the whole worker for half a second.
        websocket_extra_options={"skip_utf8_validation": True},
    )
    client.eio.queue = _SendQueue()
    return client


class StsClient:
    """Connects in a thread of its own and hands StsEvents to `emit` (called from several threads)."""

    def __init__(
        self,
        url: str,
        stream_id: str,
        worker_id: str,
        init: dict[str, Any],
        base_delay_s: float,
        max_attempts: int,
        emit: Callable[[StsEvent], None],
    ) -> None:
        self._url = url
        self._headers = {"X-Stream-ID": stream_id, "X-Worker-ID": worker_id}
        self._init = init
        self._base_delay_s = base_delay_s
        self._max_attempts = max_attempts
        self._emit = emit
        self._stop = threading.Event()
        self._client: Any = None
        self._thread = threading.Thread(target=self._run, name="sts", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect for good and wait for it, at most 0.5 s. No StsLost follows."""
        self._stop.set()
        self.drop().join(0.5)

    def drop(self) -> threading.Thread:
        """Give the session up; it is lost and made again like after a broken connection. Returns at once."""
        # The library waits for the STS to close its side; one that hangs must not hold the worker.
        closing = threading.Thread(target=self._disconnect, name="sts-close", daemon=True)
        closing.start()
        return closing

    def send(self, name: str, payload: dict[str, Any]) -> bool:
        """Queue an event for sending; False when there is no connection (an StsLost is on its way)."""
        try:
            self._client.emit(name, payload)
        except (AttributeError, socketio.exceptions.SocketIOError):
            return False
        return True

    @property
    def is_sending(self) -> bool:
        """Whether something that was queued has not been given to the connection yet."""
        return self._client is not None and self._client.eio.queue.unfinished_tasks > 0

    def send_fragment(self, fields: dict[str, Any], pcm_mono: bytes, rate_hz: int, pts_ns: int) -> bool:
        """Send `fragment:data` with S16LE mono audio; `fields` holds the ids, sequence_number and timestamp (ms)."""
        audio = {
            "format": "pcm_s16le",
            "sample_rate_hz": rate_hz,
            "channels": 1,
            "duration_ms": round(len(pcm_mono) / 2 * 1000 / rate_hz),
            "data_base64": base64.b64encode(pcm_mono).decode("ascii"),
        }
        return self.send("fragment:data", {**fields, "audio": audio, "metadata": {"pts_ns": pts_ns}})

    def _run(self) -> None:
        rng = random.Random()
        attempt = 0  # 0: the first connection, else the reconnection attempt
        had_session = False
        while not self._stop.is_set():
            error, gone = self._connect(had_session)
            if error is None:
                attempt = 0
                had_session = True
                gone.wait()
                error = "connection to the STS lost"
                if not self._stop.is_set():
                    # A connection that has gone silent is left open by the library.
                    with contextlib.suppress(OSError):
                        self._client.eio.ws.abort()
            if self._stop.is_set():
                return
            self._emit(StsLost(error))
            if attempt >= self._max_attempts:
                self._emit(StsGaveUp(attempt))
                return
            attempt += 1
            delay = reconnect_delay_s(attempt, self._base_delay_s, rng)
            logger.warning(
                "reconnection attempt",
                extra={"attempt": attempt, "delay_s": round(delay, 2), "url": self._url, "error": error},
            )
            self._stop.wait(delay)

    def _connect(self, again: bool) -> tuple[str | None, threading.Event]:
        """Connect and initialise the stream; returns the error (None: done) and the event of the connection's end."""
        ready, gone, settled = threading.Event(), threading.Event(), threading.Event()
        # A client of its own for every connection: late events of an old one cannot be mistaken for the new one's.
        client = socket_io()

        def on_ready(payload: Any = None, *_rest: Any) -> None:
            value = payload.get("max_inflight") if isinstance(payload, dict) else None
            if settled.is_set():
                return
            max_inflight = value if type(value) is int and value > 0 else None
            # Not left to the thread that waits: what the STS says next, a pause perhaps, belongs to this session.
            self._emit(StsReady(max_inflight, again))
            logger.info("STS session ready", extra={"max_inflight": max_inflight})
            ready.set()
            settled.set()

        def on_gone(*_reason: Any) -> None:
            gone.set()
            settled.set()

        client.on("stream:ready", on_ready)
        client.on("disconnect", on_gone)
        # A refusal in the middle of a session ends it as well, and no `disconnect` follows.
        client.on("connect_error", on_gone)
        for name in ("fragment:processed", "fragment:ack", "backpressure", "error", "stream:complete"):
            client.on(name, self._forward(name))
        logger.info("connecting to STS", extra={"url": self._url})
        try:
            client.connect(self._url, self._headers, transports=["websocket"], wait_timeout=CONNECT_TIMEOUT_S)
            logger.info("connected to STS", extra={"url": self._url})
            self._client = client
            client.emit("stream:init", self._init)
        except Exception as error:  # what the other side says first may be anything, and what the library raises then, too
            return f"cannot connect to STS at {self._url}: {error or type(error).__name__}", gone
        settled.wait(READY_TIMEOUT_S)
        settled.set()
        if not ready.is_set():
            client.disconnect()
            return f"no stream:ready from STS at {self._url} within {READY_TIMEOUT_S} s", gone
        return None, gone

    def _forward(self, name: str) -> Callable[..., None]:
        def handler(payload: Any = None, *_rest: Any) -> None:
            if isinstance(payload, dict):
                self._emit(StsMessage(name, payload))
            else:
                logger.warning("STS event without an object ignored", extra={"event": name})

        return handler

    def _disconnect(self) -> None:
        if self._client is not None and self._client.connected:
            self._client.disconnect()
