"""The Echo STS as a process of its own, asked over HTTP and Socket.IO."""

import asyncio
import base64
import functools
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ParamSpec

import aiohttp
import av
import numpy as np
import pytest
from sts_testing import RATE, Client, Service, connected, fragment, init, log_of, running, talk

from sts_service.echo_controls import MAX_STREAMS, PerStream

FRAMES = 2 * RATE
STEREO = np.random.default_rng(0).normal(0, 3000, (FRAMES, 2)).astype("<i2")


FILES = {"m4a": ("mp4", "aac"), "adts": ("adts", "aac"), "wav": ("wav", "pcm_s16le"), "opus": ("ogg", "libopus")}
"""FFmpeg's container and codec of each."""


def encoded(samples: np.ndarray[Any, Any], kind: str) -> bytes:
    file = io.BytesIO()
    container_format, codec = FILES[kind]
    with av.open(file, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=48_000 if kind == "opus" else RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=stream.rate, frame_size=stream.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(part))
    return file.getvalue()


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("echo")
    # Settings of the other engine do not matter to this one.
    with running(folder, {"ENGINE": "echo", "ASR_MODEL": "/nowhere", "TTS_PROVIDER": "nobody"}) as service:
        service.wait(lambda status, _: status == 200)
        yield service


def test_echo_is_healthy_at_once(echo: Service) -> None:
    status, body = echo.health()
    assert (status, body["status"], body["device"], list(body["engines"])) == (200, "ok", "cpu", ["echo"])
    ready = next(record for record in log_of(echo) if record["message"] == "ready")
    # It takes 0.1 s; the rest is for a machine that is busy.
    assert ready["startup_s"] < 1


def test_echo_answers_with_the_same_audio(echo: Service) -> None:
    begin = time.monotonic()
    parts = [STEREO[i * 1000 :].tobytes() + STEREO[: i * 1000].tobytes() for i in range(3)]
    events = talk(
        echo,
        [
            ("stream:init", init()),
            *(("fragment:data", fragment(number, part)) for number, part in enumerate(parts)),
            ("stream:end", {"stream_id": "s", "reason": "test"}),
        ],
        "stream:complete",
    )
    assert time.monotonic() - begin < 3
    answers = [payload for event, payload in events if event == "fragment:processed"]
    assert [base64.b64decode(answer["dubbed_audio"].pop("data_base64")) for answer in answers] == parts
    for number, answer in enumerate(answers):
        timings = answer["stage_timings"]
        assert (answer["fragment_id"], answer["sequence_number"]) == (f"f{number}", number)
        assert (answer["status"], answer["error"]) == ("success", None)
        assert answer["transcript"] == answer["translated_text"] == f"[ECHO] fragment {number}"
        assert answer["dubbed_audio"] == {
            "format": "pcm_s16le",
            "sample_rate_hz": RATE,
            "channels": 2,
            "duration_ms": 2000.0,
        }
        assert (timings["asr_ms"], timings["translation_ms"]) == (0, 0)
        assert 0 < timings["tts_ms"] <= answer["processing_time_ms"] < 500
    complete = events[-1][1]
    assert (complete["total_fragments"], complete["statistics"]["success_count"]) == (3, 3)


TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(FRAMES) / RATE)).astype(np.int16)


# What it is counts, not what it is called.
@pytest.mark.parametrize(("kind", "called"), [*((kind, kind) for kind in FILES), ("adts", "m4a"), ("adts", "aac")])
@pytest.mark.parametrize("rate", [RATE, 16_000])
def test_echo_answers_in_the_format_of_the_stream(echo: Service, kind: str, called: str, rate: int) -> None:
    sent = fragment(0, encoded(TONE, kind), format=called, channels=1)
    opened = init(sample_rate_hz=rate, format=called)
    events = talk(echo, [("stream:init", opened), ("fragment:data", sent)], "fragment:processed")
    assert events[-1][1]["error"] is None
    dub = np.frombuffer(base64.b64decode(events[-1][1]["dubbed_audio"]["data_base64"]), "<i2").reshape(-1, 2)
    assert len(dub) == 2 * rate
    assert np.array_equal(dub[:, 0], dub[:, 1])
    spectrum = np.abs(np.fft.rfft(dub[:, 0] * np.hanning(len(dub))))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=1)


def test_echo_says_what_it_cannot_decode(echo: Service) -> None:
    sent = fragment(0, b"this is no mp4 file", format="m4a")
    events = talk(echo, [("stream:init", init()), ("fragment:data", sent)], "fragment:processed")
    answer = events[-1][1]
    assert (answer["status"], answer["dubbed_audio"]) == ("failed", None)
    assert (answer["error"]["code"], answer["error"]["retryable"]) == ("INVALID_CONFIG", False)
    assert "audio does not decode" in answer["error"]["message"]


@pytest.mark.parametrize("fragment_id", ["8f14e45f-ceea-467f-a0e6-4a5d6f3b2c11", 0, 7])
def test_answers_have_the_name_that_was_sent(echo: Service, fragment_id: str | int) -> None:
    sent = {**fragment(0, STEREO.tobytes()), "fragment_id": fragment_id}
    least = {key: value for key, value in init().items() if key not in ("max_inflight", "timeout_ms")}
    events = talk(echo, [("stream:init", least), ("fragment:data", sent)], "fragment:processed")
    assert events[0][1]["max_inflight"] == 3
    assert {payload["fragment_id"] for event, payload in events if event.startswith("fragment:")} == {fragment_id}


def test_a_name_that_no_encoding_writes_is_logged(echo: Service) -> None:
    talk(echo, [("stream:init", init("half \ud83d"))], "stream:ready")
    assert any(record.get("stream_id") == "half \ud83d" for record in log_of(echo))
    assert (echo.log_file.parent / "err").read_text() == ""


P = ParamSpec("P")
FOREVER = {"min_ms": 600_000, "max_ms": 600_000}
NO_DELAY = {"min_ms": 0, "max_ms": 0}


def asynchronous(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def limited() -> None:
            async with asyncio.timeout(30):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


@pytest.fixture
def own_echo(tmp_path: Path) -> Iterator[Service]:
    """For a test that changes what holds for all streams."""
    with running(tmp_path, {"ENGINE": "echo"}) as service:
        service.wait(lambda status, _: status == 200)
        yield service


@asynccontextmanager
async def worker(service: Service, stream_id: str) -> AsyncIterator[Client]:
    async with connected(service.url) as client:
        await client.send("stream:init", init(stream_id))
        await client.next("stream:ready")
        yield client


def short(number: int, stream_id: str) -> dict[str, Any]:
    return fragment(number, STEREO[: RATE // 10].tobytes(), stream_id, duration_ms=100)


async def dub(client: Client, stream_id: str, numbers: range) -> list[dict[str, Any]]:
    """Send fragments at once; their answers as they came."""
    for number in numbers:
        await client.send("fragment:data", short(number, stream_id))
    return [await client.next("fragment:processed") for _ in numbers]


def failures(answers: list[dict[str, Any]]) -> list[str | None]:
    """The code with which each fragment failed."""
    return [answer["error"] and answer["error"]["code"] for answer in answers]


def rule(number: int = 1, code: str = "TIMEOUT", trigger: str = "sequence_number", **fields: Any) -> dict[str, Any]:
    return {"trigger": trigger, "value": number, "error_code": code, **fields}


def errors(stream_id: str | None, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"enabled": True, "rules": list(rules), **({"stream_id": stream_id} if stream_id else {})}


@pytest.mark.parametrize(
    "trigger",
    [
        {"trigger": "sequence_number", "value": 1},
        {"trigger": "fragment_id", "value": "f1"},
        {"trigger": "nth_fragment", "value": 2},
    ],
    ids=lambda trigger: str(trigger["trigger"]),
)
@asynchronous
async def test_fragment_that_a_rule_fits_fails_in_its_place(echo: Service, trigger: dict[str, Any]) -> None:
    async with connected(echo.url) as suite, worker(echo, "place") as client:
        ack = await suite.ask("config:error_simulation", errors("place", {**trigger, "error_code": "GPU_OOM"}))
        assert ack == {"status": "accepted", "enabled": True, "stream_id": "place", "rules": 1}
        answers = await dub(client, "place", range(3))
        await client.send("stream:end", {"stream_id": "place", "reason": "test"})
        complete = await client.next("stream:complete")
    assert [answer["sequence_number"] for answer in answers] == [0, 1, 2]
    assert [answer["status"] for answer in answers] == ["success", "failed", "success"]
    assert [answer["dubbed_audio"] is None for answer in answers] == [False, True, False]
    assert answers[1]["error"] == {"code": "GPU_OOM", "message": "GPU_OOM, simulated", "stage": "asr", "retryable": True}
    assert complete["statistics"]["failed_count"] == 1


@asynchronous
async def test_rules_say_how_a_fragment_fails(echo: Service) -> None:
    told: dict[str, Any] = {"error_message": "no such voice", "retryable": True, "stage": "tts"}
    rules = [
        rule(0, "INVALID_CONFIG"),
        rule(1, "INVALID_CONFIG", **told),
        rule(1, "never"),
        rule(2, "MINE", retryable=False),
    ]
    async with connected(echo.url) as suite, worker(echo, "how") as client:
        await suite.ask("config:error_simulation", errors("how", *rules))
        plain, given, mine = (answer["error"] for answer in await dub(client, "how", range(3)))
    assert (plain["code"], plain["retryable"]) == ("INVALID_CONFIG", False)
    assert given == {"code": "INVALID_CONFIG", "message": "no such voice", "stage": "tts", "retryable": True}
    assert (mine["code"], mine["retryable"]) == ("MINE", False)


@asynchronous
async def test_rules_hold_for_one_stream_before_it_exists_and_after_it_reconnects(echo: Service) -> None:
    async with connected(echo.url) as suite:
        await suite.ask("config:error_simulation", errors("later", rule(2, trigger="nth_fragment")))
        for _ in range(2):
            async with worker(echo, "later") as later, worker(echo, "other") as other:
                assert failures(await dub(later, "later", range(3))) == [None, "TIMEOUT", None]
                assert failures(await dub(other, "other", range(3))) == [None, None, None]
        async with worker(echo, "later") as later:
            await dub(later, "later", range(1))
            # Begun anew on the same connection: fragments are counted from 1 again.
            await later.send("stream:init", init("later"))
            assert failures(await dub(later, "later", range(2))) == [None, "TIMEOUT"]
            ack = await suite.ask("config:error_simulation", {"enabled": False, "stream_id": "later"})
            assert ack == {"status": "accepted", "enabled": False, "stream_id": "later", "rules": 0}
            await later.send("stream:init", init("later"))
            assert failures(await dub(later, "later", range(2))) == [None, None]


@asynchronous
async def test_fragments_are_counted_where_they_were_accepted(echo: Service) -> None:
    async with connected(echo.url) as suite, worker(echo, "n") as one, worker(echo, "n") as other:
        await suite.ask("config:error_simulation", errors("n", rule(2, trigger="nth_fragment")))
        await one.send("fragment:data", fragment(0, b"odd", "n"))
        await one.next("error")
        assert failures(await dub(one, "n", range(1, 4))) == [None, "TIMEOUT", None]
        assert failures(await dub(other, "n", range(3))) == [None, "TIMEOUT", None]


@asynchronous
async def test_rules_for_all_streams_hold_where_a_stream_has_none_of_its_own(own_echo: Service) -> None:
    async with connected(own_echo.url) as suite, worker(own_echo, "a") as a, worker(own_echo, "b") as b:
        ack = await suite.ask("config:error_simulation", errors(None, rule(0), rule(2)))
        assert ack == {"status": "accepted", "enabled": True, "stream_id": None, "rules": 2}
        await suite.ask("config:error_simulation", errors("b", rule(1, "RATE_LIMIT"), rule(3)))
        assert failures(await dub(a, "a", range(2))) == ["TIMEOUT", None]
        assert failures(await dub(b, "b", range(2))) == [None, "RATE_LIMIT"]
        await suite.ask("config:error_simulation", {"enabled": False, "stream_id": "b"})
        assert failures(await dub(b, "b", range(2, 4))) == ["TIMEOUT", None]
        await suite.ask("config:error_simulation", {"enabled": False})
        assert failures(await dub(a, "a", range(2, 4))) == [None, None]


@asynchronous
async def test_server_disconnects_the_worker_of_one_stream(echo: Service) -> None:
    payload = {"delay_ms": 1000, "reason": "because of a test", "stream_id": "cut"}
    async with connected(echo.url) as suite, worker(echo, "cut") as cut, worker(echo, "kept") as kept:
        await suite.ask("config:processing_delay", {**FOREVER, "stream_id": "cut"})
        await cut.send("fragment:data", short(0, "cut"))
        await cut.next("fragment:ack")
        begin = time.monotonic()
        assert await suite.ask("simulate:disconnect", payload) == {
            "status": "accepted",
            "delay_ms": 1000,
            "stream_id": "cut",
        }
        assert time.monotonic() - begin < 0.9
        await cut.gone.wait()
        assert 0.99 < time.monotonic() - begin < 3
        assert failures(await dub(kept, "kept", range(1))) == [None]
        assert not suite.gone.is_set()
        # The stream may come back, and nothing of the old session does.
        await suite.ask("config:processing_delay", {**NO_DELAY, "stream_id": "cut"})
        async with worker(echo, "cut") as again:
            assert failures(await dub(again, "cut", range(2))) == [None, None]
    log = log_of(echo)
    cutting = next(record for record in log if record["message"] == "disconnecting" and record["stream_id"] == "cut")
    left = next(record for record in log if record["message"] == "client disconnected" and record["stream_id"] == "cut")
    assert (cutting["reason"], left["reason"], left["dropped_fragments"]) == ("because of a test", "server disconnect", 1)


@asynchronous
async def test_server_disconnects_the_workers_of_all_streams_open_then(own_echo: Service) -> None:
    async with connected(own_echo.url) as suite, worker(own_echo, "a") as a:
        ack = await suite.ask("simulate:disconnect", {"delay_ms": 1000, "reason": "test"})
        assert ack == {"status": "accepted", "delay_ms": 1000, "stream_id": None}
        async with worker(own_echo, "b") as b:
            await asyncio.gather(a.gone.wait(), b.gone.wait())
        assert (await suite.ask("simulate:disconnect", {"delay_ms": 0, "reason": "test"}))["status"] == "accepted"
        assert not suite.gone.is_set()
    assert own_echo.health()[1]["sessions"] == 0
    assert (own_echo.log_file.parent / "err").read_text() == ""


@asynchronous
async def test_worker_that_asks_to_be_disconnected_is_answered_before(echo: Service) -> None:
    async with worker(echo, "self") as client:
        await client.ask("simulate:disconnect", {"delay_ms": 0, "reason": "test", "stream_id": "self"})
        await client.gone.wait()


@asynchronous
async def test_server_closes_the_websocket_of_a_client_that_leaves_it_open(echo: Service) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{echo.url}/socket.io/?EIO=4&transport=websocket") as ws:
        await ws.receive_str()
        await ws.send_str("40")
        await ws.receive_str()
        await ws.send_str("42" + json.dumps(["stream:init", init("raw")]))
        assert (await ws.receive_str()).startswith('42["stream:ready"')
        async with connected(echo.url) as suite:
            await suite.ask("simulate:disconnect", {"delay_ms": 0, "reason": "test", "stream_id": "raw"})
        async with asyncio.timeout(2):
            # Engine.IO's own packet for it comes first.
            assert await ws.receive_str() == "1"
            assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE


@asynchronous
async def test_too_many_disconnections_that_wait_are_rejected(own_echo: Service) -> None:
    async with connected(own_echo.url) as suite:
        payload = {"delay_ms": 600_000, "reason": "test"}
        acks = [await suite.ask("simulate:disconnect", payload) for _ in range(1001)]
    assert {ack["status"] for ack in acks[:-1]} == {"accepted"}
    assert acks[-1]["status"] == "rejected"
    assert "seen 1000 that wait for their time, expected fewer than 1000" in acks[-1]["message"]
    # They do not keep the service from stopping.
    assert own_echo.stop() == 0


@asynchronous
async def test_backpressure_comes_with_the_counts_of_the_stream(echo: Service) -> None:
    told = {"action": "slow_down", "severity": "high", "recommended_delay_ms": 500}
    async with connected(echo.url) as suite, worker(echo, "pressed") as pressed, worker(echo, "free") as free:
        await suite.ask("config:processing_delay", {**FOREVER, "stream_id": "pressed"})
        for number in range(3):
            if number == 1:
                await pressed.send("stream:pause", {"stream_id": "pressed"})
            await pressed.send("fragment:data", short(number, "pressed"))
            await pressed.next("fragment:ack")
        assert await suite.ask("simulate:backpressure", {"stream_id": "pressed", **told}) == {
            "status": "accepted",
            "stream_id": "pressed",
            "action": "slow_down",
            "severity": "high",
        }
        event = await pressed.next("backpressure")
        assert event == {"stream_id": "pressed", **told, "current_inflight": 3, "queue_depth": 2}
        for action, severity, delay_ms in (("pause", "high", 1000), ("none", "low", 0)):
            await suite.ask("simulate:backpressure", {"stream_id": "pressed", "action": action})
            event = await pressed.next("backpressure")
            assert (event["action"], event["severity"], event["recommended_delay_ms"]) == (action, severity, delay_ms)
        await dub(free, "free", range(1))
        assert "backpressure" not in dict(free.events)


@asynchronous
async def test_delay_holds_for_one_stream_and_overlaps(echo: Service) -> None:
    delay = {"min_ms": 1000, "max_ms": 1000, "stream_id": "slow"}
    async with connected(echo.url) as suite, worker(echo, "slow") as slow, worker(echo, "fast") as fast:
        assert await suite.ask("config:processing_delay", delay) == {"status": "accepted", **delay}
        begin = time.monotonic()
        waiting = asyncio.create_task(dub(slow, "slow", range(3)))
        answers = await dub(fast, "fast", range(3))
        assert max(answer["processing_time_ms"] for answer in answers) < 800
        assert not waiting.done()
        answers = await waiting
        assert 1 <= time.monotonic() - begin < 2
        assert min(answer["processing_time_ms"] for answer in answers) >= 1000
        await suite.ask("config:processing_delay", {**NO_DELAY, "stream_id": "slow"})
        answers = await dub(slow, "slow", range(3, 6))
        assert max(answer["processing_time_ms"] for answer in answers) < 800


@asynchronous
async def test_order_is_kept_under_random_delay_set_at_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("delayed")
    with running(folder, {"ENGINE": "echo", "ECHO_PROCESSING_DELAY_MS": "0-500"}) as service:
        service.wait(lambda status, _: status == 200)
        async with connected(service.url) as suite, worker(service, "random") as client:
            await suite.ask("config:error_simulation", errors("random", rule(3)))
            answers = await dub(client, "random", range(12))
            times_ms = [answer["processing_time_ms"] for answer in answers]
            assert [answer["sequence_number"] for answer in answers] == list(range(12))
            assert failures(answers) == [None, None, None, "TIMEOUT", *[None] * 8]
            # Twelve draws are in order, or as close together, once in 10^8 runs.
            assert times_ms != sorted(times_ms)
            assert max(times_ms) - min(times_ms) > 60
            assert max(times_ms) < 800
            await suite.ask("config:processing_delay", {"min_ms": 1000, "max_ms": 1000})
            assert (await dub(client, "random", range(12, 13)))[0]["processing_time_ms"] >= 1000
            assert (await suite.ask("config:processing_delay", NO_DELAY))["stream_id"] is None
            assert (await dub(client, "random", range(13, 14)))[0]["processing_time_ms"] < 800


@pytest.mark.parametrize(
    ("event", "payload", "message"),
    [
        ("config:error_simulation", None, "seen None, expected an object"),
        ("config:error_simulation", {"rules": []}, "enabled: seen None, expected true or false"),
        ("config:error_simulation", {"enabled": 1, "rules": []}, "enabled: seen 1, expected true or false"),
        ("config:error_simulation", {"enabled": True}, "rules: seen None, expected a list"),
        ("config:error_simulation", errors("s", *[rule()] * 1001), "rules: seen 1001 of them, expected at most 1000"),
        ("config:error_simulation", {"enabled": True, "rules": ["x"]}, "rules[0]: seen 'x', expected an object"),
        (
            "config:error_simulation",
            errors("s", rule(), rule(trigger="random")),
            "rules[1]: trigger: seen 'random', expected one of sequence_number, fragment_id, nth_fragment",
        ),
        ("config:error_simulation", errors("s", rule(trigger="nth_fragment", number=0)), "value: seen 0, expected a whole"),
        ("config:error_simulation", errors("s", rule(trigger="fragment_id", number=True)), "value: seen True, expected a"),
        ("config:error_simulation", errors("s", rule(code="")), "error_code: seen '', expected a string"),
        ("config:error_simulation", errors("s", rule(code="x" * 1001)), "expected a string of 1 to 1000 characters"),
        ("config:error_simulation", errors("s", rule(error_message=5)), "error_message: seen 5, expected a string"),
        ("config:error_simulation", errors("s", rule(retryable="no")), "retryable: seen 'no', expected true or false"),
        ("config:error_simulation", errors("s", rule(stage="mux")), "stage: seen 'mux', expected one of asr,"),
        ("config:error_simulation", {**errors("s"), "stream_id": 5}, "stream_id: seen 5, expected a string"),
        ("simulate:disconnect", [], "seen [], expected an object"),
        ("simulate:disconnect", {"reason": "x"}, "delay_ms: seen None, expected a number from 0 to 600000"),
        ("simulate:disconnect", {"delay_ms": -1, "reason": "x"}, "delay_ms: seen -1, expected a number"),
        ("simulate:disconnect", {"delay_ms": 600_001, "reason": "x"}, "delay_ms: seen 600001, expected a number"),
        ("simulate:disconnect", {"delay_ms": 0}, "reason: seen None, expected a string"),
        ("simulate:backpressure", {"action": "pause"}, "stream_id: seen None, expected a string"),
        ("simulate:backpressure", {"stream_id": "s"}, "action: seen None, expected one of none, slow_down, pause"),
        ("simulate:backpressure", {"stream_id": "s", "action": ["pause"]}, "action: seen ['pause'], expected one of"),
        ("simulate:backpressure", {"stream_id": "s", "action": "pause", "severity": "fatal"}, "severity: seen 'fatal'"),
        (
            "simulate:backpressure",
            {"stream_id": "s", "action": "slow_down", "recommended_delay_ms": -1},
            "recommended_delay_ms: seen -1, expected a number",
        ),
        (
            "simulate:backpressure",
            {"stream_id": "nobody", "action": "pause"},
            "stream_id: seen 'nobody', expected a stream that is open",
        ),
        ("config:processing_delay", {"max_ms": 1}, "min_ms: seen None, expected a number from 0 to 600000"),
        ("config:processing_delay", {"min_ms": 5, "max_ms": 4}, "max_ms: seen 4, expected a number from 5 to 600000"),
        ("config:processing_delay", {"min_ms": "0", "max_ms": 4}, "min_ms: seen '0', expected a number"),
        ("config:processing_delay", {"min_ms": float("nan"), "max_ms": 4}, "min_ms: seen nan, expected a number"),
    ],
)
@asynchronous
async def test_malformed_input_is_rejected(echo: Service, event: str, payload: Any, message: str) -> None:
    async with worker(echo, "s") as client:
        ack = await client.ask(event, payload)
        assert ack["status"] == "rejected"
        assert ack["message"].startswith(event)
        assert message in ack["message"]
        # Nothing has changed, and the connection is still there.
        answers = await dub(client, "s", range(2))
        assert failures(answers) == [None, None]
        assert "error" not in dict(client.events)
    assert (echo.log_file.parent / "err").read_text() == ""


def test_settings_of_streams_are_bounded() -> None:
    setting = PerStream("general")
    for number in range(MAX_STREAMS + 1):
        setting.set(str(number), "own")
        setting.set("0", "own, set last")
    assert [setting.get(str(number)) for number in (0, 1, 2, MAX_STREAMS)] == ["own, set last", "general", "own", "own"]
