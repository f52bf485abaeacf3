"""The Socket.IO and HTTP server."""

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import socketio
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from . import contract, metrics
from .config import Config
from .contract import ContractError, Fragment
from .controls import Control, Controlled
from .engine import Deferred, Engine, Result, stage_error, timed_out
from .sessions import Pressure, Session

MAX_STREAMS = 32
"""Of one connection. A worker has one."""
MAX_UNSENT = 8
"""Messages to a client that may wait while more is taken from it."""
READ_TIMEOUT_S = 20.0
"""A client that leaves that many unread for so long is cut off."""

logger = logging.getLogger(__name__)


class StsServer:
    """Sessions by connection and stream. Everything here runs on the event loop; the engine has threads of its own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._engine: Engine | None = None
        self._problem = ""
        """Why there will be no engine; empty while there may be."""
        self._sessions: dict[tuple[str, str], Session] = {}
        # Without async_handlers=False each event is a task of its own, and a stream's fragments could overtake.
        self._io = socketio.AsyncServer(
            async_mode="aiohttp",
            async_handlers=False,
            cors_allowed_origins="*",
            max_http_buffer_size=contract.MAX_MESSAGE_BYTES,
            ping_interval=10,
            ping_timeout=20,
            # Its errors, packets that are malformed, in the service's log: by default they go to stderr as well.
            logger=logging.getLogger("socketio"),
            engineio_logger=logging.getLogger("engineio"),
        )
        self.app = web.Application()
        self.app.router.add_get("/health", self._health)
        self.app.router.add_get("/metrics", self._metrics)
        self._io.attach(self.app)
        self._io.on("connect", self._connect)
        self._io.on("disconnect", self._disconnect)
        for event, handler in {
            "stream:init": self._init,
            "fragment:data": self._fragment,
            "fragment:ack": self._worker_ack,
            "stream:pause": self._pause,
            "stream:resume": self._resume,
            "stream:end": self._end,
        }.items():
            self._io.on(event, self._answering_errors(event, handler))

    def serve(self, engine: Engine) -> None:
        """Be ready: from now on streams are served, and the engine's own events."""
        self._engine = engine
        if isinstance(engine, Controlled):
            for event, control in engine.controls(self).items():
                self._io.on(event, self._acknowledging(event, control))

    def fail(self, reason: str) -> None:
        """Be unhealthy from now on; /health and every `stream:init` are answered with the reason."""
        self._problem = reason

    async def close(self) -> None:
        """Drop all work and close the connections."""
        for session in list(self._sessions.values()):
            self._drop(session)
        await self._io.shutdown()

    async def send_backpressure(self, stream_id: str, pressure: Pressure, delay_ms: float | None) -> bool:
        """Tell the stream's worker, by default with the delay found right here; False if there is none."""
        sessions = [session for session in self._sessions.values() if session.config.stream_id == stream_id]
        for session in sessions:
            await self._emit_pressure(session, pressure, delay_ms)
        return bool(sessions)

    async def disconnect(self, stream_id: str | None, reason: str) -> None:
        """Close the connection of the stream's worker; without stream_id those of all streams that are open."""
        sids = {session.sid for session in self._sessions.values() if stream_id in (None, session.config.stream_id)}
        logger.info("disconnecting", extra={"stream_id": stream_id, "reason": reason, "sids": sorted(sids)})
        for sid in sids:
            # Not Socket.IO's disconnect, after which its clients do not come back.
            connection = self._io.eio.sockets.get(self._io.manager.eio_sid_from_sid(sid, "/"))
            if connection is None:  # closed while another one was being closed
                continue
            await connection.close(wait=False)
            # So far the client is only told to close the WebSocket, which not all do; this closes it from here.
            connection.queue.put_nowait(None)

    async def _health(self, _: web.Request) -> web.Response:
        if self._problem:
            body = {"status": "unhealthy", "reason": self._problem, "retryable": False}
            return web.json_response(body, status=503)
        if self._engine is None:
            return web.json_response({"status": "starting", "reason": "loading"}, status=503)
        return web.json_response(
            {
                "status": "ok",
                "engines": self._engine.describe(),
                "device": self._engine.device,
                "sessions": len(self._sessions),
            }
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _answering_errors(
        self, event: str, handler: Callable[[str, Any], Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        """Refused input becomes an `error` event; the connection stays."""

        async def handle(sid: str, *args: Any) -> None:
            payload = args[0] if args else None
            await self._until_read(sid)
            try:
                await handler(sid, payload)
            except ContractError as error:
                stream_id, fragment_id, _ = contract.readable_ids(payload)
                error.stream_id = error.stream_id or stream_id
                error.fragment_id = error.fragment_id or fragment_id
                metrics.REFUSED.labels(error.code).inc()
                logger.warning(
                    "event refused",
                    extra={
                        "event": event,
                        "code": error.code,
                        "reason": str(error),
                        "stream_id": error.stream_id,
                        "fragment_id": error.fragment_id,
                        "sid": sid,
                    },
                )
                await self._io.emit("error", error.event(), to=sid)

        return handle

    def _acknowledging(self, event: str, control: Control) -> Callable[..., Awaitable[None]]:
        """Every payload is answered by an ack; the connection stays."""

        async def handle(sid: str, *args: Any) -> None:
            async def ack(status: str, fields: dict[str, Any]) -> None:
                answer = {"status": status, **fields}
                logger.info("control answered", extra={"event": event, "answer": answer, "sid": sid})
                await self._io.emit(f"{event}:ack", answer, to=sid)

            payload = args[0] if args else None
            await self._until_read(sid)
            try:
                await control(payload, partial(ack, "accepted"))
            except ContractError as error:
                stream_id, _, _ = contract.readable_ids(payload)
                await ack("rejected", {"stream_id": stream_id, "message": str(error)})

        return handle

    async def _until_read(self, sid: str) -> None:
        """Wait while the client leaves unread what was sent to it, so that no more of that piles up."""
        connection = self._io.eio.sockets.get(self._io.manager.eio_sid_from_sid(sid, "/"))
        transport = self._transport(sid)
        deadline = time.monotonic() + READ_TIMEOUT_S
        # Not queue.join(), which would wait for ever for a writer that has ended.
        while connection and transport and connection.queue.qsize() > MAX_UNSENT and not transport.is_closing():
            if time.monotonic() > deadline:
                logger.warning("connection cut: the client does not read", extra={"sid": sid})
                transport.abort()
            await asyncio.sleep(0.02)

    def _transport(self, sid: str) -> asyncio.WriteTransport | None:
        environ = self._io.get_environ(sid)
        transport: asyncio.WriteTransport | None = environ["aiohttp.request"].transport if environ else None
        return transport

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        if self._engine is None and not self._problem:
            raise socketio.exceptions.ConnectionRefusedError("the service is starting")
        logger.info(
            "client connected",
            extra={
                "sid": sid,
                "stream_id": environ.get("HTTP_X_STREAM_ID"),
                "worker_id": environ.get("HTTP_X_WORKER_ID"),
            },
        )

    async def _disconnect(self, sid: str, reason: str = "") -> None:
        transport = self._transport(sid)
        if reason == self._io.reason.PING_TIMEOUT and transport:
            # Engine.IO waits until all is sent, which a client that is gone never takes.
            transport.abort()
        dropped = [session for session in self._sessions.values() if session.sid == sid]
        for session in dropped:
            self._drop(session)
        logger.info(
            "client disconnected",
            extra={
                "sid": sid,
                "reason": reason,
                "stream_id": dropped[0].config.stream_id if dropped else None,
                "dropped_fragments": sum(session.depth for session in dropped),
            },
        )

    async def _init(self, sid: str, payload: Any) -> None:
        config = contract.parse_init(payload)
        if self._engine is None:
            raise ContractError("INVALID_CONFIG", f"the service cannot dub: {self._problem}", config.stream_id)
        problem = self._engine.config_problem(config)
        if problem:
            raise ContractError("INVALID_CONFIG", f"stream:init config: {problem}", config.stream_id)
        # A worker that begins its stream anew on the same connection starts from 0 with nothing in flight.
        if (sid, config.stream_id) in self._sessions:
            self._drop(self._sessions[sid, config.stream_id])
        if sum(session.sid == sid for session in self._sessions.values()) >= MAX_STREAMS:
            raise ContractError("RATE_LIMIT", f"{MAX_STREAMS} streams are open on this connection", config.stream_id)
        session = Session(sid, config, self._config.max_inflight)
        self._sessions[sid, config.stream_id] = session
        metrics.SESSIONS.inc()
        emitter = asyncio.create_task(self._emit_results(session))
        session.tasks.add(emitter)
        emitter.add_done_callback(session.tasks.discard)
        logger.info("stream started", extra={"stream_id": config.stream_id, "session_id": session.session_id})
        await self._io.emit(
            "stream:ready",
            {
                "stream_id": config.stream_id,
                "session_id": session.session_id,
                "max_inflight": session.max_inflight,
                "capabilities": {"batch_processing": False, "async_delivery": True},
            },
            to=sid,
        )

    def _session(self, sid: str, stream_id: str) -> Session:
        session = self._sessions.get((sid, stream_id))
        if session is None:
            raise ContractError("STREAM_NOT_FOUND", f"stream {stream_id!r} is not open on this connection", stream_id)
        return session

    async def _fragment(self, sid: str, payload: Any) -> None:
        stream_id, _, number = contract.readable_ids(payload)
        # Before the audio is looked at: to a worker whose session is gone that is the news, not a detail of its data.
        session = self._session(sid, stream_id) if stream_id else None
        try:
            fragment = contract.parse_fragment(payload)
        except ContractError:
            if session and number is not None:
                session.sequence.refuse(number)
            raise
        assert session is not None  # a fragment without a stream_id does not parse
        session.admit(fragment)
        metrics.INFLIGHT.inc()
        logger.info(
            "fragment received",
            extra={
                "stream_id": fragment.stream_id,
                "fragment_id": fragment.fragment_id,
                "sequence_number": fragment.sequence_number,
                "duration_ms": fragment.duration_ms,
                "bytes": len(fragment.data),
            },
        )
        await self._ack(session, fragment, "queued")
        task = asyncio.create_task(self._process(session, fragment))
        session.tasks.add(task)
        task.add_done_callback(session.tasks.discard)
        session.results.put_nowait((fragment, task))
        await self._tell_pressure(session)

    async def _process(self, session: Session, fragment: Fragment) -> Result:
        timeout_s = self._config.processing_timeout_s
        unfinished = Result()

        async def started(result: Result) -> None:
            nonlocal unfinished
            # The stream may have been paused while the fragment waited behind others.
            if not session.running.is_set():
                raise Deferred
            unfinished = result
            session.begun.add(fragment.sequence_number)
            logger.debug("fragment is being processed", extra={"fragment_id": fragment.fragment_id})
            # What counts is the work, not the time in the queue.
            limit.reschedule(asyncio.get_running_loop().time() + timeout_s)
            await self._ack(session, fragment, "processing")

        assert self._engine is not None  # without one no session is made
        while True:
            await session.running.wait()
            try:
                async with asyncio.timeout(None) as limit:
                    return await self._engine.process(fragment, session.config, started)
            except Deferred:
                continue
            except Exception as error:
                if isinstance(error, TimeoutError) and limit.expired():
                    return timed_out(unfinished, timeout_s)
                # Here and not with the answers: the stream's other fragments are to be answered.
                logger.exception(
                    "engine failed",
                    extra={"stream_id": fragment.stream_id, "fragment_id": fragment.fragment_id},
                )
                return Result(error=stage_error(error, unfinished.stage))

    async def _emit_results(self, session: Session) -> None:
        """Answer a stream's fragments in the order of their sequence, then complete the stream."""
        while (item := await session.results.get()) is not None:
            fragment, task = item
            result = await task
            await self._until_read(session.sid)
            session.depth -= 1
            session.begun.discard(fragment.sequence_number)
            metrics.INFLIGHT.dec()
            session.statistics.add(result.status, result.processing_time_ms, fragment.duration_ms)
            self._record(fragment, result)
            await self._io.emit("fragment:processed", processed_event(session, fragment, result), to=session.sid)
            await self._tell_pressure(session)
        report = {"stream_id": session.config.stream_id, **session.statistics.report()}
        self._forget(session)
        logger.info("stream completed", extra=report)
        await self._io.emit("stream:complete", report, to=session.sid)

    def _record(self, fragment: Fragment, result: Result) -> None:
        metrics.FRAGMENTS.labels(result.status).inc()
        metrics.PROCESSING_SECONDS.observe(result.processing_time_ms / 1000)
        for stage, ms in result.stage_ms.items():
            if ms:
                metrics.STAGE_SECONDS.labels(stage).observe(ms / 1000)
        logger.log(
            logging.ERROR if result.status == "failed" else logging.INFO,
            "fragment processed",
            extra={
                "stream_id": fragment.stream_id,
                "fragment_id": fragment.fragment_id,
                "sequence_number": fragment.sequence_number,
                "status": result.status,
                "transcript": result.transcript,
                "translated_text": result.translated_text,
                "processing_time_ms": round(result.processing_time_ms, 1),
                "stage_timings": _timings(result),
                "error": vars(result.error) if result.error else None,
            },
        )

    async def _ack(self, session: Session, fragment: Fragment, status: str) -> None:
        await self._io.emit("fragment:ack", {"fragment_id": fragment.fragment_id, "status": status}, to=session.sid)

    async def _tell_pressure(self, session: Session) -> None:
        if session.change_pressure():
            await self._emit_pressure(session, session.pressure)

    async def _emit_pressure(self, session: Session, pressure: Pressure, delay_ms: float | None = None) -> None:
        if delay_ms is None:
            # The rate at which this stream's fragments are answered; before the first, a guess.
            delay_ms = 0 if pressure.action == "none" else round(session.statistics.average_ms or 1000)
        payload = {
            "stream_id": session.config.stream_id,
            "severity": pressure.severity,
            "action": pressure.action,
            "recommended_delay_ms": delay_ms,
            "current_inflight": session.depth,
            "queue_depth": session.depth - len(session.begun),
        }
        logger.info("backpressure", extra=payload)
        await self._io.emit("backpressure", payload, to=session.sid)

    async def _worker_ack(self, sid: str, payload: Any) -> None:
        logger.debug("worker ack", extra={"sid": sid, "payload": payload})

    async def _pause(self, sid: str, payload: Any) -> None:
        """What is being processed goes on; what has not begun waits for `stream:resume` or `stream:end`."""
        session = self._session(sid, contract.parse_stream_id(payload, "stream:pause"))
        session.running.clear()
        logger.info("stream paused", extra={"stream_id": session.config.stream_id})

    async def _resume(self, sid: str, payload: Any) -> None:
        session = self._session(sid, contract.parse_stream_id(payload, "stream:resume"))
        session.running.set()
        logger.info("stream resumed", extra={"stream_id": session.config.stream_id})

    async def _end(self, sid: str, payload: Any) -> None:
        session = self._session(sid, contract.parse_stream_id(payload, "stream:end"))
        if session.ending:
            return
        session.ending = True
        session.running.set()
        session.results.put_nowait(None)
        logger.info("stream ending", extra={"stream_id": session.config.stream_id, "inflight": session.depth})

    def _drop(self, session: Session) -> None:
        session.cancel()
        metrics.INFLIGHT.dec(session.depth)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        if self._sessions.pop((session.sid, session.config.stream_id), None) is not None:
            metrics.SESSIONS.dec()


def processed_event(session: Session, fragment: Fragment, result: Result) -> dict[str, Any]:
    """Payload of `fragment:processed`. `dubbed_audio` is null for a failed fragment: no original audio in its place."""
    config = session.config
    dubbed = None
    if result.pcm is not None:
        frames = len(result.pcm) // (2 * config.channels)
        dubbed = {
            "format": "pcm_s16le",
            "sample_rate_hz": config.sample_rate_hz,
            "channels": config.channels,
            "duration_ms": round(frames * 1000 / config.sample_rate_hz, 3),
            "data_base64": base64.b64encode(result.pcm).decode("ascii"),
        }
    return {
        "fragment_id": fragment.fragment_id,
        "stream_id": fragment.stream_id,
        "sequence_number": fragment.sequence_number,
        "status": result.status,
        "dubbed_audio": dubbed,
        "transcript": result.transcript,
        "translated_text": result.translated_text,
        "target_language": config.target_language,
        "processing_time_ms": round(result.processing_time_ms, 1),
        "stage_timings": _timings(result),
        "error": vars(result.error) if result.error else None,
    }


def _timings(result: Result) -> dict[str, float]:
    return {f"{stage}_ms": round(ms, 1) for stage, ms in result.stage_ms.items()}
