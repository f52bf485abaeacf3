"""An engine without models: each fragment comes back as it was."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from . import __version__
from .audio import AudioDecodeError, encode_pcm, resample
from .contract import Fragment, StreamConfig
from .engine import Result, decode, stage_error
from .fit import place


class EchoEngine:
    """Answers with the fragment's own audio, in the stream's rate and channels, for tests of what surrounds an STS.

    PCM that has them already comes back byte by byte; anything else goes through mono.
    """

    device = "cpu"

    def load(self) -> None:
        """There is nothing to load."""

    def describe(self) -> dict[str, Any]:
        return {"echo": {"name": "echo", "version": __version__}}

    def config_problem(self, config: StreamConfig) -> str | None:
        return None

    async def process(self, fragment: Fragment, stream: StreamConfig, started: Callable[[], Awaitable[None]]) -> Result:
        await started()
        begin = time.perf_counter()
        text = f"[ECHO] fragment {fragment.sequence_number}"
        result = Result(transcript=text, translated_text=text)
        try:
            # Sound is all that takes time here, so it counts as speech; in a thread, as others are served meanwhile.
            result.pcm = await asyncio.to_thread(own_audio, fragment, stream)
            result.status = "success"
        except AudioDecodeError as error:
            result.error = stage_error(error, "tts")
        result.stage_ms["tts"] = result.processing_time_ms = (time.perf_counter() - begin) * 1000
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
