"""What turns a fragment into its dub. `Engine` is the boundary: the server knows nothing else of speech."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from .asr import Transcript, WhisperRecognizer
from .audio import AudioDecodeError, Samples, decode_m4a, decode_pcm, encode_pcm
from .config import SpeechConfig
from .contract import Fragment, StreamConfig
from .fit import fit_speech
from .programs import ProgramTimeoutError, require
from .translation import TranslationError, create_translator
from .tts import create_synthesizer

logger = logging.getLogger(__name__)

STAGES = ("asr", "translation", "tts")

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
    """Outcome of a fragment. `pcm` is s16le in the stream's rate and channels, None when there is no dub."""

    status: str = "failed"
    pcm: bytes | None = None
    transcript: str = ""
    translated_text: str = ""
    processing_time_ms: float = 0.0
    stage_ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    error: StageError | None = None


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

    async def process(self, fragment: Fragment, stream: StreamConfig, started: Callable[[], Awaitable[None]]) -> Result:
        """Dub a fragment; awaits `started` when its turn has come, and lets a Deferred of it pass.

        A failure is a Result, not an exception.
        """


class SpeechEngine:
    """Recognition, translation, synthesis, fitting.

    Recognition has one thread, since one Whisper run uses both cores; the rest of the previous fragment overlaps with
    it in a second thread. So the work of all streams is done in order of arrival.
    """

    def __init__(self, config: SpeechConfig) -> None:
        self._config = config
        self.device = config.device
        self._asr_thread = ThreadPoolExecutor(1, "asr")
        self._speech_thread = ThreadPoolExecutor(1, "speech")
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

    async def process(self, fragment: Fragment, stream: StreamConfig, started: Callable[[], Awaitable[None]]) -> Result:
        result = Result()
        loop = asyncio.get_running_loop()
        current = "asr"
        begin = time.perf_counter()

        async def stage(name: str, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
            nonlocal current
            current = name

            def timed() -> tuple[T, float]:
                begin = time.perf_counter()
                value = work()
                return value, (time.perf_counter() - begin) * 1000

            value, result.stage_ms[name] = await loop.run_in_executor(thread, timed)
            return value

        def recognize() -> tuple[Transcript, int]:
            samples, frames = decode(fragment, stream.sample_rate_hz)
            return self._recognizer.transcribe(samples, fragment.sample_rate_hz, stream.source_language), frames

        def dub(text: str, frames: int, start_s: float) -> tuple[Samples, bool]:
            tts = self._synthesizer
            fitted = fit_speech(lambda speed: tts.speak(text, speed), tts.max_speed, frames, stream.sample_rate_hz, start_s)
            return fitted.samples, fitted.cut

        try:
            async with self._turn:
                await started()
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
                extra={"stream_id": stream.stream_id, "fragment_id": fragment.fragment_id, "stage": current},
            )
            result.error = stage_error(error, current)
        result.processing_time_ms = (time.perf_counter() - begin) * 1000
        return result


def decode(fragment: Fragment, rate: int) -> tuple[Samples, int]:
    """The fragment's mono samples at its own rate, and how many frames its dub has at `rate` Hz.

    Raises AudioDecodeError.
    """
    if fragment.format == "m4a":
        # An encoder's padding makes the file longer than what it stands for.
        frames = round(fragment.duration_ms * rate / 1000)
        return decode_m4a(fragment.data, fragment.sample_rate_hz), frames
    samples = decode_pcm(fragment.data, fragment.channels)
    return samples, round(len(samples) * rate / fragment.sample_rate_hz)


def stage_error(error: Exception, stage: str) -> StageError:
    """The contract's error for an exception of a stage."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, ProgramTimeoutError):
        return StageError("TIMEOUT", message, stage, True)
    if isinstance(error, TranslationError):
        return StageError(error.code, message, stage, error.retryable)
    return StageError("MODEL_ERROR", message, stage, not isinstance(error, AudioDecodeError))
