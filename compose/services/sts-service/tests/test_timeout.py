"""PROCESSING_TIMEOUT: what is not done in time is answered, and what comes after it goes on."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sts_testing import connected, fragment, init, running, speech_config

from sts_service import engine as engine_module
from sts_service.asr import Transcript
from sts_service.audio import Samples
from sts_service.contract import Fragment, StreamConfig
from sts_service.engine import Result, SpeechEngine, WorkThread, timed_out

PCM = bytes(2 * 4 * 44_100)


@pytest.mark.parametrize(("delay_ms", "status"), [(0, "success"), (400, "success"), (1600, "failed")])
def test_answer_at_the_limit(tmp_path: Path, delay_ms: int, status: str) -> None:
    env = {"ENGINE": "echo", "PROCESSING_TIMEOUT": "1", "ECHO_PROCESSING_DELAY_MS": str(delay_ms)}

    async def conversation(url: str) -> tuple[dict[str, Any], float]:
        async with connected(url) as client:
            await client.send("stream:init", init())
            await client.next("stream:ready")
            begin = time.monotonic()
            await client.send("fragment:data", fragment(0, PCM))
            return await client.next("fragment:processed"), time.monotonic() - begin

    with running(tmp_path, env) as service:
        service.wait(lambda status, _: status == 200)
        answer, taken_s = asyncio.run(conversation(service.url))
    assert answer["status"] == status
    if status == "success":
        assert answer["error"] is None
        return
    assert answer["error"] == {
        "code": "TIMEOUT",
        "message": "not done after 1 s (PROCESSING_TIMEOUT)",
        "stage": "tts",
        "retryable": True,
    }
    assert answer["dubbed_audio"] is None
    assert answer["processing_time_ms"] == sum(answer["stage_timings"].values()) == 1000
    assert 1 <= taken_s < 1.5


def test_fragments_after_one_that_is_late_go_on(tmp_path: Path) -> None:
    async def conversation(url: str) -> list[tuple[int, str]]:
        async with connected(url) as client:
            await client.send("stream:init", init())
            await client.ask("config:processing_delay", {"min_ms": 5000, "max_ms": 5000})
            await client.send("fragment:data", fragment(0, PCM))
            await client.next("fragment:ack")
            await client.next("fragment:ack")
            await client.ask("config:processing_delay", {"min_ms": 0, "max_ms": 0})
            await client.send("fragment:data", fragment(1, PCM))
            answers = [await client.next("fragment:processed") for _ in range(2)]
            return [(answer["sequence_number"], answer["status"]) for answer in answers]

    with running(tmp_path, {"ENGINE": "echo", "PROCESSING_TIMEOUT": "0.5"}) as service:
        service.wait(lambda status, _: status == 200)
        assert asyncio.run(conversation(service.url)) == [(0, "failed"), (1, "success")]


class Stuck:
    """Stands for a model: hangs for the text "hang", otherwise it is at once done."""

    name = "stuck"
    max_speed = 1.0

    def __init__(self) -> None:
        self.release = threading.Event()

    def transcribe(self, samples: Samples, rate: int, language: str) -> Transcript:
        text = "hang" if samples.any() else "go on"
        if text == "hang" and language == "asr":
            self.release.wait()
        return Transcript(text, 0.0)

    def translate(self, text: str, source: str, target: str) -> str:
        return text

    def expected_s(self, text: str) -> float | None:
        return None

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        import numpy as np

        if text == "hang":
            self.release.wait()
        return np.full(1000, 5000, np.int16), 44_100


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stuck]:
    monkeypatch.setattr(engine_module, "LEFT_BEHIND_S", 0.1)
    model = Stuck()
    yield model
    model.release.set()


@pytest.mark.parametrize("stage", ["asr", "tts"])
def test_a_stage_that_hangs_holds_up_nobody_else(stuck: Stuck, stage: str) -> None:
    engine = SpeechEngine(speech_config())
    engine._recognizer = engine._translator = engine._synthesizer = stuck  # type: ignore[assignment]
    stream = StreamConfig("s", "w", stage, "es", 44_100, 1, "pcm_s16le", 3)
    begun: list[Result] = []

    async def started(result: Result) -> None:
        begun.append(result)

    async def dub(data: bytes, limit_s: float) -> Result:
        async with asyncio.timeout(limit_s):
            return await engine.process(Fragment("f", "s", 0, "pcm_s16le", 44_100, 1, 1000, data), stream, started)

    async def all_of_them() -> list[Result | BaseException]:
        hanging = b"\1" * 88_200
        first = asyncio.create_task(dub(hanging, 0.3))
        await asyncio.sleep(0.05)
        # Behind it in the queue, and later.
        second = asyncio.create_task(dub(bytes(88_200), 5))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        return [*outcomes, await dub(bytes(88_200), 5)]

    late, *others = asyncio.run(all_of_them())
    assert isinstance(late, TimeoutError)
    assert [result.status for result in others if isinstance(result, Result)] == ["success", "success"]
    answer = timed_out(begun[0], 0.3)
    assert answer.error is not None
    assert (answer.status, answer.error.code, answer.error.stage, answer.pcm) == ("failed", "TIMEOUT", stage, None)
    assert answer.transcript == ("hang" if stage == "tts" else "")
    assert sum(answer.stage_ms.values()) == pytest.approx(300, abs=0.001)


def test_waiting_for_other_fragments_is_no_work() -> None:
    result = Result(stage_ms={"asr": 200.0, "translation": 50.0, "tts": 0.0}, stage="tts", working_since=None)
    answer = timed_out(result, 30)
    assert answer.error is not None
    assert answer.error.message == "not done after 30 s (PROCESSING_TIMEOUT), waiting for other fragments"
    assert (answer.error.stage, answer.processing_time_ms) == ("tts", 30_000)
    assert answer.stage_ms == {"asr": 200.0, "translation": 50.0, "tts": 0.0}


def test_what_ends_by_itself_is_waited_for() -> None:
    order: list[str] = []

    def slow() -> None:
        time.sleep(0.3)
        order.append("dropped")

    async def both() -> None:
        thread = WorkThread("test")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await thread.run(slow)
        await thread.run(lambda: order.append("next"))

    asyncio.run(both())
    assert order == ["dropped", "next"]
