"""What turns a fragment into its dub. `Engine` is the boundary: the server knows nothing else of speech."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np

from . import figures
from .asr import Transcript, WhisperRecognizer
from .audio import AudioDecodeError, Samples, decode_file, decode_pcm, encode_pcm
from .config import SpeechConfig
from .contract import Fragment, StreamConfig
from .fit import fit_speech
from .programs import ProgramTimeoutError, require
from .translation import TranslationError, create_translator
from .tts import create_synthesizer

logger = logging.getLogger(__name__)

STAGES = ("asr", "translation", "tts")
LEFT_BEHIND_S = 2.0
"""What is dropped while it is worked on has this long to end by itself before others are worked on beside it."""

T = TypeVar("T")


class Deferred(Exception):
    """Raised by `started`: the fragment is not to be processed now."""


@dataclass(frozen=True)
class StageError:
    """Why a fragment failed, as `fragment:processed` reports it."""

    code: str
    message: str
    stage: str
    retryable: bool


@dataclass
class Result:
    """Outcome of a fragment. `pcm` is s16le in the stream's rate and channels, None when there is no dub.

    While the fragment is processed, `stage` is the one that is next or at work, since `working_since`: a time of
    `time.perf_counter`, None while it waits for those of other fragments.
    """

    status: str = "failed"
    pcm: bytes | None = None
    transcript: str = ""
    translated_text: str = ""
    processing_time_ms: float = 0.0
    stage_ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    error: StageError | None = None
    stage: str = STAGES[0]
    working_since: float | None = field(default_factory=time.perf_counter)


Started = Callable[[Result], Awaitable[None]]


class Engine(Protocol):
    """Turns fragments into dubs."""

    device: str
    """What it computes on, for /health."""

    def load(self) -> None:
        """Make ready; blocks. Raises ConfigError, MissingProgramError or RuntimeError when that cannot be."""

    def describe(self) -> dict[str, Any]:
        """Names, versions and models, for /health."""

    def config_problem(self, config: StreamConfig) -> str | None:
        """Why the stream cannot be served; None if it can."""

    async def process(self, fragment: Fragment, stream: StreamConfig, started: Started) -> Result:
        """Dub a fragment; awaits `started` when its turn has come, and lets a Deferred of it pass.

        A failure is a Result, not an exception. `started` is given the result before it is complete. When cancelled, what
        cannot be ended is left behind: later fragments do not wait for it.
        """


class WorkThread:
    """A thread that does one thing after the other, in order of arrival; one that is stuck is left behind."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._executor = ThreadPoolExecutor(1, name)
        self._turn = asyncio.Lock()
        self._last: Future[Any] | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """The value of `work`, or what it raises. When cancelled, `work` may go on, and its value is dropped."""
        async with self._turn:
            if self._last and not self._last.done():  # nobody waits for it any more, and it cannot be ended
                await asyncio.to_thread(wait, [self._last], LEFT_BEHIND_S)
                if not self._last.done():
                    self._executor.shutdown(wait=False)
                    self._executor = ThreadPoolExecutor(1, self._name)
            self._last = future = self._executor.submit(work)
            return await asyncio.wrap_future(future)


class SpeechEngine:
    """Recognition, translation, synthesis, fitting.

    Recognition has one thread, since one Whisper run uses both cores; the rest of the previous fragment overlaps with
    it in a second thread. So the work of all streams is done in order of arrival.
    """

    def __init__(self, config: SpeechConfig) -> None:
        self._config = config
        self.device = config.device
        self._asr_thread = WorkThread("asr")
        self._speech_thread = WorkThread("speech")
        self._turn = asyncio.Lock()

    def load(self) -> None:
        require("rubberband", "rubberband-cli")
        # The programs first: what is missing is then said at once, not after the model is loaded.
        self._translator = create_translator(self._config)
        self._synthesizer = create_synthesizer(self._config)
        self._recognizer = WhisperRecognizer(self._config)
        # The first run allocates buffers and loads the voice detector: 0.5 s that no fragment should wait for.
        # Not silence, which the voice detector keeps from Whisper.
        noise = np.random.default_rng(0).normal(0, 3000, 16_000).astype(np.int16)
        self._recognizer.transcribe(noise, 16_000, "en")

    def describe(self) -> dict[str, Any]:
        asr, translator, tts = self._recognizer, self._translator, self._synthesizer
        return {
            "asr": {"name": "faster-whisper", "version": asr.version, "model": asr.model_name},
            "translation": {"name": translator.name, "version": translator.version},
            "tts": {"name": tts.name, "version": tts.version, "model": tts.model},
        }

    def config_problem(self, config: StreamConfig) -> str | None:
        if self._recognizer.english_only and config.source_language != "en":
            return f"source_language {config.source_language!r}: ASR model {self._recognizer.model_name} knows en only"
        return self._translator.pair_problem(
            config.source_language, config.target_language
        ) or self._synthesizer.language_problem(config.target_language)

    async def process(self, fragment: Fragment, stream: StreamConfig, started: Started) -> Result:
        result = Result()
        begin = time.perf_counter()

        async def stage(name: str, thread: WorkThread, work: Callable[[], T]) -> T:
            result.stage, result.working_since = name, None

            def timed() -> tuple[T, float]:
                begin = result.working_since = time.perf_counter()
                value = work()
                return value, (time.perf_counter() - begin) * 1000

            value, result.stage_ms[name] = await thread.run(timed)
            return value

        def recognize() -> tuple[Transcript, int]:
            samples, frames = decode(fragment, stream.sample_rate_hz)
            return self._recognizer.transcribe(samples, fragment.sample_rate_hz, stream.source_language), frames

        def dub(text: str, frames: int, start_s: float) -> tuple[Samples, bool]:
            tts = self._synthesizer
            text = figures.spoken(text, stream.target_language)
            rate, expected_s = stream.sample_rate_hz, tts.expected_s(text)
            fitted = fit_speech(lambda speed: tts.speak(text, speed), tts.max_speed, frames, rate, start_s, expected_s)
            return fitted.samples, fitted.cut

        try:
            async with self._turn:
                await started(result)
                begin = time.perf_counter()
                transcript, frames = await stage("asr", self._asr_thread, recognize)
            result.transcript = transcript.text
            samples, cut = np.zeros(frames, np.int16), False
            if transcript.text:
                result.translated_text = await stage(
                    "translation",
                    self._speech_thread,
                    lambda: self._translator.translate(transcript.text, stream.source_language, stream.target_language),
                )
                samples, cut = await stage(
                    "tts", self._speech_thread, lambda: dub(result.translated_text, frames, transcript.start_s)
                )
                if not samples.any():
                    raise RuntimeError(f"{self._synthesizer.name} gave no sound for {result.translated_text!r}")
            result.pcm = encode_pcm(samples, stream.channels)
            result.status = "success"
            if cut:
                result.status = "partial"
                result.error = StageError(
                    "MODEL_ERROR",
                    "the dub is too long even at full speed; its end is cut",
                    "tts",
                    False,
                )
        except Deferred:
            raise
        except Exception as error:
            logger.warning(
                "stage failed",
                exc_info=True,
                extra={"stream_id": stream.stream_id, "fragment_id": fragment.fragment_id, "stage": result.stage},
            )
            result.error = stage_error(error, result.stage)
        result.processing_time_ms = (time.perf_counter() - begin) * 1000
        return result


def decode(fragment: Fragment, rate: int) -> tuple[Samples, int]:
    """The fragment's mono samples at its own rate, and how many frames its dub has at `rate` Hz.

    Raises AudioDecodeError.
    """
    if fragment.format != "pcm_s16le":
        # An encoder's padding makes the file longer than what it stands for.
        frames = round(fragment.duration_ms * rate / 1000)
        return decode_file(fragment.data, fragment.sample_rate_hz), frames
    samples = decode_pcm(fragment.data, fragment.channels)
    return samples, round(len(samples) * rate / fragment.sample_rate_hz)


def timed_out(result: Result, timeout_s: float) -> Result:
    """The answer for a fragment that is not done in time, with what there is of its text."""
    since = result.working_since
    waiting = ", waiting for other fragments" if since is None else ""
    message = f"not done after {timeout_s:g} s (PROCESSING_TIMEOUT){waiting}"
    error = StageError("TIMEOUT", message, result.stage, True)
    before = sum(ms for stage, ms in result.stage_ms.items() if stage != result.stage)
    worked_ms = 0.0 if since is None else (time.perf_counter() - since) * 1000
    times = {**result.stage_ms, result.stage: min(worked_ms, max(0.0, timeout_s * 1000 - before))}
    return replace(result, status="failed", pcm=None, processing_time_ms=timeout_s * 1000, stage_ms=times, error=error)


def stage_error(error: Exception, stage: str) -> StageError:
    """The contract's error for an exception of a stage."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, ProgramTimeoutError):
        return StageError("TIMEOUT", message, stage, True)
    if isinstance(error, TranslationError):
        return StageError(error.code, message, stage, error.retryable)
    if isinstance(error, AudioDecodeError):  # no retry can mend it
        return StageError("INVALID_CONFIG", message, stage, False)
    return StageError("MODEL_ERROR", message, stage, True)
