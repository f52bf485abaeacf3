"""An engine without models: each fragment comes back as it was."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from . import __version__
from .audio import AudioDecodeError, encode_pcm, resample
from .config import DelayRange
from .contract import Fragment, StreamConfig
from .controls import Control, Streams
from .echo_controls import EchoControls
from .engine import Result, Started, decode, stage_error
from .fit import place


class EchoEngine:
    """Answers with the fragment's own audio, in the stream's rate and channels, for tests of what surrounds an STS.

    PCM that has them already comes back byte by byte; anything else goes through mono. Clients can have it answer later
    and fail, see EchoControls.
    """

    device = "cpu"

    def __init__(self, delay: DelayRange) -> None:
        self._controls = EchoControls(delay)
        self._begun: WeakKeyDictionary[StreamConfig, int] = WeakKeyDictionary()
        """Fragments by session."""

    def load(self) -> None:
        """There is nothing to load."""

    def describe(self) -> dict[str, Any]:
        return {"echo": {"name": "echo", "version": __version__}}

    def config_problem(self, config: StreamConfig) -> str | None:
        return None

    def controls(self, streams: Streams) -> Mapping[str, Control]:
        return self._controls.by_event(streams)

    async def process(self, fragment: Fragment, stream: StreamConfig, started: Started) -> Result:
        result = Result(stage="tts")
        await started(result)
        begin = time.perf_counter()
        nth = self._begun[stream] = self._begun.get(stream, 0) + 1
        result.error = self._controls.failure(fragment, nth)
        await asyncio.sleep(self._controls.delay_s(stream.stream_id))
        if result.error is None:
            result.transcript = result.translated_text = f"[ECHO] fragment {fragment.sequence_number}"
            try:
                # In a thread, as others are served meanwhile.
                result.pcm = await asyncio.to_thread(own_audio, fragment, stream)
                result.status = "success"
            except AudioDecodeError as error:
                result.error = stage_error(error, "tts")
        # All the time is that of one stage: where it failed, or that which makes audio.
        result.processing_time_ms = (time.perf_counter() - begin) * 1000
        result.stage_ms[result.error.stage if result.error else "tts"] = result.processing_time_ms
        return result


def own_audio(fragment: Fragment, stream: StreamConfig) -> bytes:
    """The fragment's audio as s16le in the stream's rate and channels, exactly as long. Raises AudioDecodeError."""
    if (fragment.format, fragment.sample_rate_hz, fragment.channels) == (
        "pcm_s16le",
        stream.sample_rate_hz,
        stream.channels,
    ):
        return fragment.data
    samples, frames = decode(fragment, stream.sample_rate_hz)
    return encode_pcm(place(resample(samples, fragment.sample_rate_hz, stream.sample_rate_hz), frames, 0), stream.channels)
