"""What an STS may say that it should not, over a real connection, to a worker whose source and output are fakes.

Meanwhile another worker, on another connection of the same STS, is answered as it should be: every test asserts that its
stream is dubbed.
"""

import base64
import functools
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import socketio
from aiohttp import WSMsgType, web
from media_testing import RATE, Bench, Server, faked_media

from media_service import worker as worker_module
from media_service.ingest import SourceEnded
from media_service.sts_client import StsClient, StsEvent, StsGaveUp, StsLost, StsReady
from media_service.worker import EXIT_OK, MAX_SHOWN

NAN, INF = float("nan"), float("inf")
DUB = base64.b64encode(b"\x07\x00" * (2 * RATE)).decode()
"""2 s at RATE, mono: as long as a segment."""
DUBBED = b"\x07\x00\x07\x00" * (2 * RATE)

Event = tuple[str, Any]
Answers = Callable[[dict[str, Any]], list[Event]]


def processed(fragment: dict[str, Any], **fields: Any) -> Event:
    answer = {key: fragment[key] for key in ("fragment_id", "stream_id", "sequence_number")}
    return "fragment:processed", {**answer, "status": "success", "dubbed_audio": DUB, **fields}


class BadSts(Server):
    """Answers fragments of streams named "bad…" with `answers`, all others as it should."""

    def __init__(self) -> None:
        self.answers: Answers = lambda fragment: [processed(fragment)]
        self._io = socketio.AsyncServer(async_mode="aiohttp", async_handlers=False, max_http_buffer_size=10**8)
        self._io.on("stream:init", self._on_init)
        self._io.on("fragment:data", self._on_fragment)
        self._io.on("stream:end", self._on_end)
        super().__init__()

    def attach(self, app: web.Application) -> None:
        self._io.attach(app)

    async def _on_init(self, sid: str, _payload: Any) -> None:
        await self._io.emit("stream:ready", {"max_inflight": 3}, to=sid)

    async def _on_fragment(self, sid: str, fragment: dict[str, Any]) -> None:
        is_bad = fragment["stream_id"].startswith("bad")
        for event in self.answers(fragment) if is_bad else [processed(fragment)]:
            await self._io.emit(*event, to=sid)

    async def _on_end(self, sid: str, _payload: Any) -> None:
        await self._io.emit("stream:complete", {"statistics": {"success_count": NAN}}, to=sid)
        await self._io.emit(*processed({"fragment_id": "late", "stream_id": "bad", "sequence_number": 0}), to=sid)


@pytest.fixture
def sts() -> Iterator[BadSts]:
    server = BadSts()
    yield server
    server.close()


class Streams:
    """A bad and a good stream at the same STS."""

    def __init__(self, url: str, records: list[logging.LogRecord]) -> None:
        env = {"STS_SERVICE_URL": url, "STS_TIMEOUT_MS": "20000", "RECONNECT_BASE_DELAY_MS": "10"}
        self.bad, self.good = Bench(records, "bad", env), Bench(records, "good", env)
        self.records = records

    def run(self, segments: int) -> list[str]:
        """Both have `segments` segments; whether those of the bad one were dubbed or kept the original audio."""
        for stream in (self.bad, self.good):
            stream.feed(2 * segments)
            stream.ingest.emit(SourceEnded(None))
        for stream in (self.bad, self.good):
            stream.wait(functools.partial(getattr, stream.output, "finished"), 60)
            # Each segment once and in order, whatever the STS has said.
            assert [segment.index for segment, _ in stream.output.pushed] == list(range(segments))
            assert stream.exit_code() == EXIT_OK
        assert [pcm == DUBBED for _, pcm in self.good.output.pushed] == [True] * segments
        outcomes = {self.bad.metrics.fragments[kind]._value.get() for kind in ("sent",)}
        assert outcomes == {segments}
        return [
            "dubbed" if pcm == DUBBED else "original" if pcm == segment.pcm else "neither"
            for segment, pcm in self.bad.output.pushed
        ]

    def logged(self, message: str) -> list[logging.LogRecord]:
        return [record for record in self.records if record.getMessage() == message]


@pytest.fixture
def streams(sts: BadSts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Streams]:
    with faked_media(monkeypatch, caplog) as records:
        streams = Streams(sts.url, records)
        yield streams
        streams.bad.close()
        streams.good.close()


def each(key: str, *values: Any, **others: Any) -> list[dict[str, Any]]:
    return [{**others, key: value} for value in values]


def events(name: str, *payloads: Any) -> list[Event]:
    return [(name, payload) for payload in payloads]


# -- answers that cannot be used

BAD_DUBS: list[Any] = [
    *(None, 5, True, [], {}, "", "!!!!", "AAA", "ñandú", "AA==AA==", b"binary", DUB[:-1]),
    *each("data_base64", None, 5, True, [DUB], {}, b"binary", "", "!!!!", DUB[:400], DUB * 2),
    *each("sample_rate_hz", NAN, INF, -1, 5, 10**30, "fast", [RATE], 1e300, data_base64=DUB),
    *each("channels", NAN, -INF, -1, 9, 10**30, "stereo", [1], 3, data_base64=DUB),
    *each("format", "mp3", "m4a", "wav", 5, ["pcm_s16le"], "x" * 100_000, data_base64=DUB),
    # A playlist is no audio, and nobody follows it.
    {"data_base64": base64.b64encode(b"#EXTM3U\n#EXTINF:6,\nhttp://127.0.0.1:1/x.ts\n").decode(), "format": "m4a"},
]


def test_dubs_that_cannot_be_used(sts: BadSts, streams: Streams) -> None:
    sts.answers = lambda fragment: [processed(fragment, dubbed_audio=BAD_DUBS[fragment["sequence_number"]])]
    assert streams.run(len(BAD_DUBS)) == ["original"] * len(BAD_DUBS)
    assert len(streams.logged("dubbed audio cannot be used")) == len(BAD_DUBS)
    assert all(len(str(record.__dict__["error"])) < 3000 for record in streams.logged("dubbed audio cannot be used"))


def test_dub_of_60_mb(sts: BadSts, streams: Streams) -> None:
    sts.answers = lambda fragment: [processed(fragment, dubbed_audio="AAAA" * (60_000_000 // 4))]
    assert streams.run(1) == ["original"]
    assert len(streams.logged("dubbed audio cannot be used")) == 1


FAILURES: list[dict[str, Any]] = [
    *each("status", None, "", "SUCCESS", 5, NAN, ["success"], {}, b"success"),
    *each("error", None, 5, "text", [], {}, {"code": None}, {"code": ["TIMEOUT"]}, status="failed"),
    {"status": "failed", "error": {"code": "x" * 100_000, "message": "x" * 100_000, "retryable": "no"}},
    {"status": "failed", "error": {"code": "INVALID_CONFIG", "retryable": True, "stage": NAN}},
]


def test_failures_without_a_reason(sts: BadSts, streams: Streams) -> None:
    sts.answers = lambda fragment: [processed(fragment, **FAILURES[fragment["sequence_number"]])]
    # An unknown code that is retryable counts as a failure of the STS, but not five in a row.
    assert streams.run(len(FAILURES)) == ["original"] * len(FAILURES)
    assert all(len(str(record.__dict__["code"])) <= MAX_SHOWN for record in streams.logged("fallback to original audio"))


# -- what is no answer


IGNORED: list[Event] = [
    *events("fragment:processed", None, "text", 5, [], [{}], b"binary", {}, ({"status": "success"}, "two", "arguments")),
    *events("fragment:processed", *each("fragment_id", None, 5, [], {}, status="success", dubbed_audio=DUB)),
    ("fragment:processed", {"fragment_id": "good_0000", "status": "success", "dubbed_audio": DUB}),
    ("fragment:processed", {"fragment_id": "x" * 100_000, "status": "failed"}),
    *events("fragment:ack", None, "text", [], b"binary", {"status": NAN}),
    *events("backpressure", None, "text", 5, {}, {"action": None}, {"action": ["pause"]}, {"action": "x" * 10**5}),
    *events(
        "backpressure",
        *each("recommended_delay_ms", NAN, INF, -INF, -500, 1e300, "5", [5], True, action="slow_down"),
    ),
    *events("error", None, "text", 5, [], {}, {"code": NAN}, {"code": "TIMEOUT", "fragment_id": "nobody"}),
    ("error", {"code": "x" * 100_000, "message": {"x": ["x" * 100_000]}, "severity": 5}),
    *events("stream:ready", None, "text", {"max_inflight": NAN}, {"max_inflight": -1}, {"max_inflight": 0}),
    *events("stream:complete", None, [], {"statistics": "x" * 100_000}),
    *((name, {"fragment_id": "bad"}) for name in ("unknown", "", "fragment:data", "stream:init")),
]


def test_what_is_no_answer_is_passed_over(sts: BadSts, streams: Streams) -> None:
    def answers(fragment: dict[str, Any]) -> list[Event]:
        return [IGNORED[fragment["sequence_number"]], processed(fragment)]

    sts.answers = answers
    assert streams.run(len(IGNORED)) == ["dubbed"] * len(IGNORED)
    assert streams.bad.metrics.fragments["fallback"]._value.get() == 0
    assert len(streams.logged("delay that cannot be kept to is ignored")) == 8
    # What stands in the log is neither endless nor anything but JSON.
    for record in streams.records:
        fields = {key: value for key, value in record.__dict__.items() if key not in logging.makeLogRecord({}).__dict__}
        assert len(json.dumps(fields, allow_nan=False)) < 4 * MAX_SHOWN, record.getMessage()


def test_only_the_first_answer_counts(sts: BadSts, streams: Streams) -> None:
    other = base64.b64encode(bytes(4 * RATE)).decode()
    answered: list[dict[str, Any]] = []

    def answers(fragment: dict[str, Any]) -> list[Event]:
        answered.append(fragment)
        # Again, differently, as failed, and those of all fragments before.
        again = [processed(fragment, dubbed_audio=other), processed(fragment, status="failed", error={"code": "TIMEOUT"})]
        return [processed(fragment), *again, *(processed(old, dubbed_audio=other) for old in answered)]

    sts.answers = answers
    assert streams.run(8) == ["dubbed"] * 8
    assert streams.bad.metrics.fragments["processed"]._value.get() == 8
    assert len(streams.logged("late or unknown result ignored")) >= 8


# -- a connection that is no Socket.IO


OPEN = '0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":300,"maxPayload":1000000}'
CONNECTED = '40{"sid":"y"}'
READY = '42["stream:ready",{"max_inflight":1}]'


class RawSts(Server):
    """Says `first` to who connects, `then` to who sends `stream:init`, and nothing more; not even pings."""

    def __init__(self, first: list[str | bytes], then: list[str | bytes]) -> None:
        self._first, self._then = first, then
        self.connections: queue.SimpleQueue[str] = queue.SimpleQueue()
        super().__init__()

    def attach(self, app: web.Application) -> None:
        app.router.add_get("/socket.io/", self._answer)

    async def _answer(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.connections.put("open")
        await self._say(ws, self._first)
        async for message in ws:
            if message.type is WSMsgType.TEXT and "stream:init" in message.data:
                await self._say(ws, self._then)
        self.connections.put("closed")
        return ws

    async def _say(self, ws: web.WebSocketResponse, messages: list[str | bytes]) -> None:
        for message in messages:
            await (ws.send_bytes(message) if isinstance(message, bytes) else ws.send_str(message))


def connect(url: str, attempts: int) -> tuple[StsClient, "queue.SimpleQueue[StsEvent]"]:
    events: queue.SimpleQueue[StsEvent] = queue.SimpleQueue()
    client = StsClient(url, "s", "w", {"stream_id": "s"}, 0.01, attempts, events.put)
    client.start()
    return client, events


@pytest.mark.parametrize(
    "first",
    [
        *("", "x", "0", "0x", "0[]", "0null", "0{}", '0{"sid":5}', '0{"sid":"x","pingInterval":"soon"}', "2", "4", "40"),
        *('0{"sid":"x","upgrades":5,"pingInterval":null,"pingTimeout":[]}', "0" + "[" * 100_000, b"", b"binary"),
    ],
    ids=lambda first: repr(first)[:40],
)
def test_server_that_is_no_sts_is_given_up(sts: BadSts, first: str | bytes) -> None:
    server = RawSts([first], [])
    client, events = connect(server.url, 1)
    said = [events.get(timeout=10) for _ in range(3)]
    assert [type(event) for event in said] == [StsLost, StsLost, StsGaveUp]
    assert isinstance(said[0], StsLost)
    assert said[0].reason.startswith(f"cannot connect to STS at {server.url}: ")
    client.stop()
    server.close()
    _good_one_is_served(sts)


MALFORMED: list[str | bytes] = [
    *("4", "4x", "42", "42[", "42{}", "42[]", "42[1]", "42[[]]", '42["x"', "43", "44", "45[]", "46", "42" + "[" * 100_000),
    *(
        '42["fragment:processed",' + "9" * 5000 + "]",
        '451-["fragment:processed",{"_placeholder":true,"num":5}]',
        b"",
        b"binary",
    ),
]


def test_malformed_packets_leave_the_connection_or_end_it(sts: BadSts, capfd: pytest.CaptureFixture[str]) -> None:
    threading.excepthook, before = worker_module._log_thread_error, threading.excepthook
    # All at once: each connection ends only after the time of a ping that does not come.
    servers = [RawSts([OPEN, CONNECTED], [READY, packet]) for packet in MALFORMED]
    clients = [connect(server.url, 8) for server in servers]
    for packet, (_, events) in zip(MALFORMED, clients, strict=True):
        while (event := events.get(timeout=20)) != StsReady(1, True):
            assert isinstance(event, StsReady | StsLost), packet
    for client, _ in clients:
        client.stop()
    for server in servers:
        server.close()
    threading.excepthook = before
    assert "Traceback" not in capfd.readouterr().err
    _good_one_is_served(sts)


def test_connection_that_went_silent_is_closed(sts: BadSts) -> None:
    server = RawSts([OPEN, CONNECTED], [READY])
    client, events = connect(server.url, 3)
    assert [events.get(timeout=5) for _ in range(3)] == [
        StsReady(1, False),
        StsLost("connection to the STS lost"),
        StsReady(1, True),
    ]
    assert [server.connections.get(timeout=5) for _ in range(3)] == ["open", "closed", "open"]
    client.stop()
    server.close()
    _good_one_is_served(sts)


def test_giving_a_session_up_holds_nobody_up() -> None:
    server = RawSts([OPEN.replace("300", "60000"), CONNECTED], [READY])
    client, events = connect(server.url, 3)
    assert events.get(timeout=5) == StsReady(1, False)
    begin = time.monotonic()
    client.drop()
    assert time.monotonic() - begin < 0.1
    assert isinstance(events.get(timeout=10), StsLost)
    client.stop()
    server.close()


def _good_one_is_served(sts: BadSts) -> None:
    client, events = connect(sts.url, 1)
    assert events.get(timeout=5) == StsReady(3, False)
    client.stop()
