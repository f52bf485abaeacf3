"""Clients that do what they should not, against the Echo STS as a process of its own.

Meanwhile another worker's stream, on another connection, is dubbed without a break: every test asserts that.
"""

import asyncio
import base64
import json
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import pytest
from aiohttp import web
from sts_testing import RATE, SOURCE, Client, Service, connected, fragment, init, log_of, running

from sts_service.config import Config, DelayRange
from sts_service.contract import MAX_FRAGMENT_BYTES, MAX_ID_LENGTH, Fragment, StreamConfig
from sts_service.echo import EchoEngine
from sts_service.engine import Engine
from sts_service.server import MAX_STREAMS, StsServer

NOISE = np.random.default_rng(1).normal(0, 3000, (RATE // 10, 2)).astype("<i2").tobytes()
"""0.1 s"""
NAN, INF = float("nan"), float("inf")


def short(number: int, stream_id: str, **audio: Any) -> dict[str, Any]:
    return fragment(number, NOISE, stream_id, **{"duration_ms": 100, **audio})


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("echo"), {"ENGINE": "echo"}) as service:
        service.wait(lambda status, _: status == 200)
        yield service


async def dub(client: Client, stream_id: str, number: int) -> None:
    """One fragment comes back as it was."""
    await client.send("fragment:data", short(number, stream_id))
    answer = await client.next("fragment:processed")
    assert (answer["fragment_id"], answer["stream_id"], answer["status"]) == (f"f{number}", stream_id, "success")
    assert base64.b64decode(answer["dubbed_audio"]["data_base64"]) == NOISE


@asynccontextmanager
async def bystander(url: str) -> AsyncIterator[None]:
    """A worker whose fragments are dubbed, one after another, as long as the block takes, and one more after it."""
    async with connected(url) as client:
        await client.send("stream:init", init("bystander"))
        await client.next("stream:ready")
        await dub(client, "bystander", 0)
        done, number = asyncio.Event(), 1

        async def work() -> None:
            nonlocal number
            while not done.is_set():
                await dub(client, "bystander", number)
                number += 1
                await asyncio.sleep(0.02)

        working = asyncio.create_task(work())
        try:
            yield
        finally:
            done.set()
            await working
        await dub(client, "bystander", number)
        assert not client.gone.is_set()
        assert [event for event, _ in client.events if event in ("error", "backpressure")] == []


async def only_the_bystander_is_left(echo: Service) -> None:
    async with asyncio.timeout(5):
        while (await asyncio.to_thread(echo.health))[1]["sessions"] != 1:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(engine: Engine, ping_s: float = 10) -> AsyncIterator[tuple[StsServer, str]]:
    """A server in this process, and its address."""
    server = StsServer(Config("127.0.0.1", 0, 3, 30, "INFO"))
    server.serve(engine)
    server._io.eio.ping_interval = server._io.eio.ping_timeout = ping_s
    runner = web.AppRunner(server.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield server, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await server.close()
        await runner.cleanup()


def nothing_on_stderr(echo: Service) -> bool:
    return (echo.log_file.parent / "err").read_text() == ""


# -- events that are refused, one by one


def without(payload: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(payload))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return copy


def each(payload: dict[str, Any], key: str, *values: Any) -> list[Any]:
    """The payload with each of the values in place of one."""
    return [{**payload, key: value} for value in values]


INIT = init("bad")
FRAGMENT = short(0, "bad")
AUDIO_FIELDS = ("format", "sample_rate_hz", "channels", "duration_ms", "data_base64")
CONFIG_FIELDS = ("source_language", "target_language", "chunk_duration_ms", "sample_rate_hz", "channels", "format")

INITS: dict[str, list[Any]] = {
    "missing": [
        *(without(INIT, key) for key in ("stream_id", "worker_id", "config")),
        *(without(INIT, "config", key) for key in CONFIG_FIELDS),
    ],
    "wrong type": [
        *(None, "text", 5, True, [], [INIT], b"binary"),
        *each(INIT, "stream_id", None, "", 5, True, ["bad"], {"id": "bad"}, b"bad"),
        *each(INIT, "max_inflight", "3", 3.0, True, [3], NAN),
        *each(INIT, "timeout_ms", "8000", True, []),
        *each(INIT, "config", "text", [], 5, b"{}"),
        *(init("bad", **{key: ["x"]}) for key in CONFIG_FIELDS),
        *(init("bad", **{key: True}) for key in CONFIG_FIELDS),
    ],
    "number": [
        *each(INIT, "max_inflight", 0, -1, 1001, 10**30, INF),
        *each(INIT, "timeout_ms", 0, -1, 999, 30_001, NAN, -INF),
        *(init("bad", chunk_duration_ms=value) for value in (0, -6000, 30_001, 1e300, NAN, INF)),
        *(init("bad", sample_rate_hz=value) for value in (0, -44_100, 7999, 192_001, 10**30, NAN)),
        *(init("bad", channels=value) for value in (0, -1, 3, 10**30)),
    ],
    "name": [
        {**INIT, "stream_id": "x" * 10_240},
        {**INIT, "worker_id": "x" * 10_240},
        init("bad", source_language="x" * 10_240),
        init("bad", target_language="x" * 10_240),
        init("bad", format="mp3"),
    ],
}
FRAGMENTS: dict[str, list[Any]] = {
    "missing": [
        *(without(FRAGMENT, key) for key in ("stream_id", "fragment_id", "sequence_number", "audio")),
        *(without(FRAGMENT, "audio", key) for key in AUDIO_FIELDS),
    ],
    "wrong type": [
        *(None, "text", 5, True, [], [FRAGMENT], b"binary"),
        *each(FRAGMENT, "stream_id", None, "", 5, ["bad"], b"bad"),
        *each(FRAGMENT, "fragment_id", None, "", True, ["f"], {}, b"f"),
        *each(FRAGMENT, "sequence_number", None, "0", 0.0, False, [0]),
        *each(FRAGMENT, "audio", None, "text", [], NOISE),
        *(short(0, "bad", **{key: None}) for key in AUDIO_FIELDS),
        *(short(0, "bad", **{key: ["x"]}) for key in AUDIO_FIELDS),
        *(short(0, "bad", **{key: True}) for key in AUDIO_FIELDS),
        short(0, "bad", data_base64=NOISE),
    ],
    "number": [
        *each(FRAGMENT, "sequence_number", -1, 1, 2**53, 2**53 + 1, 10**30),
        *each(FRAGMENT, "fragment_id", NAN, INF, 10**30),
        *(short(0, "bad", sample_rate_hz=value) for value in (0, -1, 10**30)),
        *(short(0, "bad", channels=value) for value in (0, -1, 3)),
        *(short(0, "bad", duration_ms=value) for value in (0, -100, 201, 30_001, 1e300, NAN, INF, -INF)),
    ],
    "audio": [
        *(short(0, "bad", data_base64=text) for text in ("", "!!!!", "AAA", "AAAA AAAA", "AA==AA==", "ñandú", "\ud83d")),
        # An odd number of bytes, and half a stereo frame.
        *(short(0, "bad", data_base64=base64.b64encode(NOISE[:-cut]).decode()) for cut in (1, 2)),
        fragment(0, bytes(MAX_FRAGMENT_BYTES + 4), "bad"),
    ],
    "name": [
        {**FRAGMENT, "stream_id": "another"},
        {**FRAGMENT, "stream_id": "bystander"},
        {**FRAGMENT, "stream_id": "x" * 10_240},
        {**FRAGMENT, "fragment_id": "x" * 10_240},
    ],
}


@pytest.mark.parametrize("kind", INITS)
def test_refused_stream(echo: Service, kind: str) -> None:
    async def scenario() -> None:
        async with bystander(echo.url), connected(echo.url) as client:
            for payload in INITS[kind]:
                await client.send("stream:init", payload)
                error = await client.next("error")
                assert (error["code"], error["retryable"]) == ("INVALID_CONFIG", False), payload
                assert "expected" in error["message"], payload
                assert len(json.dumps(error)) < 2500, payload
            assert [event for event, _ in client.events] == ["error"] * len(INITS[kind])
            # The connection is as good as before.
            await client.send("stream:init", INIT)
            await client.next("stream:ready")
            await dub(client, "bad", 0)

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


@pytest.mark.parametrize("kind", FRAGMENTS)
def test_refused_fragment(echo: Service, kind: str) -> None:
    async def scenario() -> None:
        async with bystander(echo.url), connected(echo.url) as client:
            await client.send("stream:init", INIT)
            await client.next("stream:ready")
            for payload in FRAGMENTS[kind]:
                await client.send("fragment:data", payload)
                error = await client.next("error")
                assert error["code"] in CODES_OF_FRAGMENTS, payload
                assert error["retryable"] is False, payload
                assert len(json.dumps(error)) < 2500, payload
            assert [event for event, _ in client.events] == ["stream:ready", *["error"] * len(FRAGMENTS[kind])]
            # None of them counts: number 0 is still to come.
            await dub(client, "bad", 0)
            await client.send("stream:end", {"stream_id": "bad"})
            assert (await client.next("stream:complete"))["total_fragments"] == 1

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


CODES_OF_FRAGMENTS = ("INVALID_CONFIG", "FRAGMENT_TOO_LARGE", "INVALID_SEQUENCE", "STREAM_NOT_FOUND")


def test_events_before_the_stream_is_open(echo: Service) -> None:
    async def scenario() -> None:
        async with bystander(echo.url), connected(echo.url) as client:
            for event in ("fragment:data", "stream:pause", "stream:resume", "stream:end"):
                for stream_id in ("bad", "bystander"):
                    await client.send(event, short(0, stream_id))
                    error = await client.next("error")
                    assert (error["code"], error["stream_id"]) == ("STREAM_NOT_FOUND", stream_id)
                for payload in (None, {}, {"stream_id": 5}, b"binary"):
                    await client.send(event, payload)
                    assert (await client.next("error"))["code"] == "INVALID_CONFIG"
            # Nobody listens to these: no answer, no harm.
            for event in ("fragment:processed", "stream:complete", "unknown", ""):
                await client.send(event, short(0, "bad"))
            await client.send("fragment:ack", b"binary")
            await client.send("stream:init", INIT)
            await client.next("stream:ready")
            await dub(client, "bad", 0)
            assert [event for event, _ in client.events].count("error") == 24

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


def test_repeated_fragments(echo: Service) -> None:
    async def scenario() -> None:
        async with bystander(echo.url), connected(echo.url) as client:
            await client.send("stream:init", INIT)
            for number in range(3):
                await dub(client, "bad", number)
                await client.send("fragment:data", short(number, "bad"))
                assert (await client.next("error"))["code"] == "INVALID_SEQUENCE"
            # An id is the worker's own business: the sequence number tells fragments apart.
            await client.send("fragment:data", {**short(3, "bad"), "fragment_id": "f2"})
            assert (await client.next("fragment:processed"))["sequence_number"] == 3
            await client.send("stream:end", {"stream_id": "bad"})
            await client.send("stream:end", {"stream_id": "bad"})
            assert (await client.next("stream:complete"))["total_fragments"] == 4

    asyncio.run(scenario())


@pytest.mark.parametrize("stream_id", ["a/../b/", "line\nbreak\r\n", "\0", "\u202e", "x" * MAX_ID_LENGTH, "<b>&'\""])
def test_strange_names_are_names(echo: Service, stream_id: str) -> None:
    async def scenario() -> None:
        async with bystander(echo.url), connected(echo.url) as client:
            await client.send("stream:init", init(stream_id))
            assert (await client.next("stream:ready"))["stream_id"] == stream_id
            await dub(client, stream_id, 0)

    asyncio.run(scenario())
    # Each record is one line, whatever it names.
    assert any(record.get("stream_id") == stream_id for record in log_of(echo))


def test_file_that_holds_more_than_it_says(echo: Service, tmp_path: Path) -> None:
    """8 MB of silence as AAC would be hours, and gigabytes of samples."""
    path = tmp_path / "long.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * 60), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    data = base64.b64encode(path.read_bytes()).decode()

    async def scenario() -> None:
        async with bystander(echo.url), connected(echo.url) as client:
            await client.send("stream:init", INIT)
            await client.send("fragment:data", short(0, "bad", format="m4a", sample_rate_hz=8000, data_base64=data))
            answer = await client.next("fragment:processed")
            assert (answer["status"], answer["error"]["code"]) == ("failed", "INVALID_CONFIG")
            assert answer["error"]["retryable"] is False
            assert "audio is longer than 31000 ms" in answer["error"]["message"]
            await dub(client, "bad", 1)

    asyncio.run(scenario())


# -- connections


def test_two_streams_on_one_connection(echo: Service) -> None:
    async def scenario() -> None:
        async with bystander(echo.url), connected(echo.url) as client:
            for stream_id in ("one", "two"):
                await client.send("stream:init", init(stream_id))
                await client.next("stream:ready")
            for number in range(3):
                await dub(client, "one", number)
                await dub(client, "two", number)
            await client.send("stream:end", {"stream_id": "one"})
            assert (await client.next("stream:complete"))["stream_id"] == "one"
            await dub(client, "two", 3)

    asyncio.run(scenario())


def test_streams_of_a_connection_are_limited(echo: Service) -> None:
    async def scenario() -> None:
        async with bystander(echo.url), connected(echo.url) as client:
            for number in range(MAX_STREAMS + 1):
                await client.send("stream:init", init(f"stream {number}"))
            error = await client.next("error")
            assert (error["code"], error["stream_id"]) == ("RATE_LIMIT", f"stream {MAX_STREAMS}")
            # One that is open may be begun anew, and another one when one has ended.
            await client.send("stream:init", init("stream 0"))
            await client.send("stream:end", {"stream_id": "stream 1"})
            await client.next("stream:complete")
            await client.send("stream:init", init("late"))
            await dub(client, "late", 0)
            assert [event for event, _ in client.events].count("error") == 1

    asyncio.run(scenario())


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket on which Socket.IO is connected and a stream "raw" open."""
    address = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as ws:
        assert (await ws.receive_str()).startswith("0")
        await ws.send_str("40")
        assert (await ws.receive_str()).startswith("40")
        await ws.send_str("42" + json.dumps(["stream:init", init("raw")]))
        assert (await ws.receive_str()).startswith('42["stream:ready"')
        yield ws


def transport_of(ws: aiohttp.ClientWebSocketResponse) -> Any:
    assert ws._response.connection is not None
    return ws._response.connection.transport


PASSED_OVER: list[str | bytes] = [
    *("9", "0", "2", "2probe", "3", "5", "6", "8", "٤2", "4", "4x", "49", "4-1"),
    *("42", "42[", "42]", "42{}", "42null", "42[]", "42[1]", "42[null]", "42[[]]", "42[{}]", '42["stream:init"', '42"x"'),
    *('42["stream:init",', '42["stream:init"] ', '42["stream:init",nul]', "42/,[]", '42/other,["stream:init",{}]'),
    *("40", "40/other,", "40{", "41/other,", "43", "43[]", "439[]", "44", '44{"message":"x"}'),
    *("42" + "[" * 200_000, "42" + "9" * 5000 + "[]", "42[" + "9" * 5000 + "]", '42["x",' + "1" * 5000 + "]"),
    *(b"", b"\0", b"binary", b"4" * 1000),
]
"""Engine.IO and Socket.IO packets that mean nothing, or nothing here."""
ENDING = ["", "x", "-1", "\0"]
"""Nothing that Engine.IO can read: it closes the connection."""
SWALLOWING = ["1", "45", "451-", "46", "450-[]", "459999999999-[]", '451-["x",{"_placeholder":true,"num":7}]']
"""A farewell, and packets after which the next messages are taken for attachments."""


async def goes_on(ws: aiohttp.ClientWebSocketResponse, number: int) -> bool:
    """Whether a fragment is still dubbed; False when the connection is closed."""
    await ws.send_str("42" + json.dumps(["fragment:data", short(number, "raw")]))
    async with asyncio.timeout(5):
        while (message := await ws.receive()).type is aiohttp.WSMsgType.TEXT:
            if message.data.startswith('42["fragment:processed"'):
                return True
    return False


def test_malformed_packets_are_passed_over(echo: Service) -> None:
    async def scenario() -> None:
        async with bystander(echo.url):
            async with raw(echo.url) as ws:
                for number, packet in enumerate(PASSED_OVER):
                    await (ws.send_bytes(packet) if isinstance(packet, bytes) else ws.send_str(packet))
                    assert await goes_on(ws, number), packet
            for packet in SWALLOWING:
                async with raw(echo.url) as ws:
                    await ws.send_str(packet)
                    await ws.send_bytes(b"binary")
            await only_the_bystander_is_left(echo)

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


def test_clients_that_do_not_answer_are_forgotten() -> None:
    """After a ping without an answer: also those whose connection Engine.IO itself has lost track of."""

    async def scenario() -> None:
        async with serving(EchoEngine(DelayRange(0, 0)), ping_s=1) as (server, url), bystander(url):
            for packet in ENDING:
                async with raw(url) as ws:
                    await ws.send_str(packet)
                    assert not await goes_on(ws, 0), packet
            async with raw(url) as silent, asyncio.timeout(10):
                assert len(server._sessions) == 2 + len(ENDING)
                while len(server._sessions) > 1 or len(server._io.eio.sockets) > 1:
                    await asyncio.sleep(0.02)
                while (await silent.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass

    asyncio.run(scenario())


@pytest.mark.parametrize("as_text", [True, False], ids=["text", "binary"])
def test_message_of_60_mb_ends_its_connection_only(echo: Service, as_text: bool) -> None:
    async def scenario() -> None:
        async with bystander(echo.url):
            async with raw(echo.url) as ws:
                size = 60_000_000
                # The server closes before it has all; the rest of the writing may fail.
                sending = asyncio.create_task(ws.send_str("42" + "x" * size) if as_text else ws.send_bytes(bytes(size)))
                message = await ws.receive(20)
                assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
            await only_the_bystander_is_left(echo)

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


def test_fragment_of_60_mb_on_an_ordinary_client(echo: Service) -> None:
    async def scenario() -> None:
        async with bystander(echo.url):
            async with connected(echo.url) as client:
                await client.send("stream:init", INIT)
                await client.next("stream:ready")
                await client.send("fragment:data", fragment(0, bytes(45_000_000), "bad"))
                async with asyncio.timeout(20):
                    await client.gone.wait()
            await only_the_bystander_is_left(echo)

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


def memory_mb(service: Service) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1000


def descriptors(service: Service) -> int:
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def test_client_that_never_reads_is_not_listened_to(echo: Service) -> None:
    """What cannot be delivered is not piled up: no more is taken from a client that does not read."""

    async def scenario() -> None:
        async with bystander(echo.url):
            before = memory_mb(echo)
            address = f"{echo.url}/socket.io/?EIO=4&transport=websocket"
            async with aiohttp.ClientSession() as http, http.ws_connect(address) as ws:
                await ws.send_str("40")
                await ws.send_str("42" + json.dumps(["stream:init", init("deaf")]))
                # Reading is left to the operating system, whose buffers are soon full.
                transport = transport_of(ws)
                transport.pause_reading()
                silence = bytes(4 * RATE * 2)
                sent = 0

                async def send() -> None:
                    nonlocal sent
                    for number in range(500):
                        await ws.send_str("42" + json.dumps(["fragment:data", fragment(number, silence, "deaf")]))
                        sent += 1

                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(send(), 3)
                assert sent < 100
                assert memory_mb(echo) - before < 100
                transport.abort()
            await only_the_bystander_is_left(echo)

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


def test_two_hundred_clients_that_do_nothing(echo: Service) -> None:
    async def scenario() -> None:
        async with bystander(echo.url):
            before = descriptors(echo)
            address = f"{echo.url}/socket.io/?EIO=4&transport=websocket"
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
                # A third of them does not even speak HTTP, a third no Socket.IO.
                silent = [await asyncio.open_connection("127.0.0.1", int(echo.url.rsplit(":")[-1])) for _ in range(66)]
                idle = [await http.ws_connect(address) for _ in range(134)]
                for ws in idle[:67]:
                    await ws.send_str("40")
                assert descriptors(echo) >= before + 200
                async with connected(echo.url) as client:
                    await client.send("stream:init", INIT)
                    await dub(client, "bad", 0)
                for _, writer in silent:
                    writer.close()
                for ws in idle:
                    # Half of them say good-bye.
                    await ws.close() if ws is idle[0] else ws._response.close()
            async with asyncio.timeout(10):
                while descriptors(echo) > before:
                    await asyncio.sleep(0.05)
            await only_the_bystander_is_left(echo)

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


def test_client_that_vanishes_in_the_middle_of_a_message(echo: Service) -> None:
    async def scenario() -> None:
        async with bystander(echo.url):
            before = descriptors(echo)
            message = ("42" + json.dumps(["fragment:data", short(0, "raw")])).encode()
            # A whole frame is masked with a key, here of zeros.
            frame = b"\x81\xfe" + len(message).to_bytes(2, "big") + bytes(4) + message
            for length in (1, 3, 7, 1000, len(frame) - 1, len(frame)):
                async with raw(echo.url) as ws:
                    transport_of(ws).write(frame[:length])
                    transport_of(ws).abort()
            await only_the_bystander_is_left(echo)
            async with asyncio.timeout(5):
                while descriptors(echo) > before:
                    await asyncio.sleep(0.02)

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


def test_requests_that_are_no_socket_io(echo: Service) -> None:
    requests = [
        *(b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", bytes(10_000) + b"\r\n\r\n"),
        b"GET /health HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n4hell",
        b"GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /socket.io/?EIO=4&transport=carrier-pigeon HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /socket.io/?EIO=4&transport=websocket&sid=x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        b"GET /socket.io/?EIO=4&j=x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%00%ff/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    ]

    async def scenario() -> None:
        async with bystander(echo.url):
            for request in requests:
                reader, writer = await asyncio.open_connection("127.0.0.1", int(echo.url.rsplit(":")[-1]))
                writer.write(request)
                answer = await asyncio.wait_for(reader.readline(), 5)
                assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), (request[:60], answer)
                writer.close()

    asyncio.run(scenario())
    assert nothing_on_stderr(echo)


# -- engines and machines that fail


class Failing(EchoEngine):
    """Raises for streams named so, before or after their turn has come."""

    async def process(self, fragment: Fragment, stream: StreamConfig, started: Any) -> Any:
        if stream.stream_id == "before":
            raise ValueError("no such luck")
        result = await super().process(fragment, stream, started)
        if stream.stream_id == "after":
            raise MemoryError("too much of it")
        return result


@pytest.mark.parametrize(
    ("stream_id", "told"), [("before", "ValueError: no such luck"), ("after", "MemoryError: too much")]
)
def test_engine_that_raises_fails_that_fragment(stream_id: str, told: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with serving(Failing(DelayRange(0, 0))) as (_, url), bystander(url), connected(url) as client:
            await client.send("stream:init", init(stream_id))
            for number in range(3):
                await client.send("fragment:data", short(number, stream_id))
                answer = await client.next("fragment:processed")
                assert (answer["sequence_number"], answer["status"], answer["dubbed_audio"]) == (number, "failed", None)
                assert (answer["error"]["code"], answer["error"]["retryable"]) == ("MODEL_ERROR", True)
                assert answer["error"]["message"].startswith(told)
            await client.send("stream:end", {"stream_id": stream_id})
            complete = await client.next("stream:complete")
            assert complete["statistics"]["failed_count"] == 3

    asyncio.run(scenario())
    assert "engine failed" in caplog.text


def test_log_that_cannot_be_written(tmp_path: Path) -> None:
    """A disk that is full takes the log, not the dubbing."""
    full = tmp_path / "out"
    full.symlink_to("/dev/full")
    with running(tmp_path, {"ENGINE": "echo"}) as service:
        service.wait(lambda status, _: status == 200)

        async def scenario() -> None:
            async with bystander(service.url), connected(service.url) as client:
                await client.send("stream:init", {})
                assert (await client.next("error"))["code"] == "INVALID_CONFIG"

        asyncio.run(scenario())
        assert service.stop() == 0
        # One line, not one traceback a record.
        assert (tmp_path / "err").read_text() == "the log cannot be written: [Errno 28] No space left on device\n"


def test_no_folder_for_temporary_files(tmp_path: Path) -> None:
    """No file can grow: so it is on a disk that is full."""
    done = subprocess.run(
        [sys.executable, "-m", "sts_service"],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "HOST": "127.0.0.1", "PORT": "1", "ENGINE": "echo"},
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("no folder for temporary files: ")
    assert len(done.stderr.splitlines()) == 1
