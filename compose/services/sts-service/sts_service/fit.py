"""Fitting speech into the exact length of its fragment."""

import tempfile
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import programs
from .audio import Samples, resample

MAX_STRETCH = 1.8
"""Limit of the time stretcher, on top of the synthesizer's own faster speech; beyond it words blur."""
MARGIN = 0.99
"""Speech that must be made shorter aims at this part of the fragment: neither program hits a length exactly."""
WORTH_SPEAKING_AGAIN = 1.1
"""Speech whose length was expected and that is up to this much too long is left to the stretcher: it is not heard."""
QUIET = 200
"""Samples below this (of 32767) at either end of synthesized speech are silence."""
FADE_S = 0.02

Speak = Callable[[float], tuple[Samples, int]]
"""speed -> (mono samples, rate in Hz)"""


@dataclass(frozen=True)
class Fitted:
    """Audio of exactly the wanted number of frames; `speed` is speech speed in all, `cut` whether words were lost."""

    samples: Samples
    speed: float
    cut: bool


def fit_speech(
    speak: Speak, max_speed: float, frames: int, rate: int, start_s: float, expected_s: float | None = None
) -> Fitted:
    """Speech in `frames` mono samples at `rate` Hz, beginning at `start_s` seconds if it fits there.

    Longer speech first begins earlier; then the synthesizer talks faster (up to `max_speed`), because it knows where
    the sounds are; then the time stretcher shortens what remains (pitch kept, up to MAX_STRETCH). Only what is longer
    even then is cut, in a pause. `expected_s` is about how long the speech will be at speed 1: what must be faster is
    then spoken once. Raises what `speak` and the time stretcher raise.
    """
    length_s = frames / rate
    speed = min(max_speed, max(1.0, (expected_s or 0) / (length_s * MARGIN)))
    samples, speech_rate = speak(speed)
    samples = trim(samples)
    wanted = max(1, int(length_s * speech_rate))
    excess = len(samples) / (wanted * MARGIN)
    if len(samples) > wanted and speed < max_speed and (expected_s is None or excess > WORTH_SPEAKING_AGAIN):
        speed = min(max_speed, speed * excess)
        samples = trim(speak(speed)[0])
    if len(samples) > wanted:
        stretch = min(MAX_STRETCH, len(samples) / (wanted * MARGIN))
        samples = trim(shorten(samples, speech_rate, stretch))
        speed *= stretch
    cut = len(samples) > wanted
    if cut:
        samples = cut_in_pause(samples, wanted, speech_rate)
    return Fitted(place(resample(samples, speech_rate, rate), frames, round(start_s * rate)), speed, cut)


def place(samples: Samples, frames: int, start: int) -> Samples:
    """`frames` samples of silence with `samples` at `start`, or as much earlier as they need to fit.

    What is longer than `frames` loses its last samples: only a resampler's rounding can be.
    """
    samples = samples[:frames]
    begin = max(0, min(start, frames - len(samples)))
    placed = np.zeros(frames, np.int16)
    placed[begin : begin + len(samples)] = samples
    return placed


def trim(samples: Samples) -> Samples:
    """Without the silence at both ends."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def cut_in_pause(samples: Samples, frames: int, rate: int) -> Samples:
    """At most `frames` samples, ended at the quietest 20 ms of the last third, faded out."""
    window = max(1, int(FADE_S * rate))
    first = frames * 2 // 3
    starts = range(first, max(first + 1, frames - window), window)
    energy = [float(np.abs(samples[at : at + window].astype(np.float32)).mean()) for at in starts]
    kept = samples[: starts[int(np.argmin(energy))] + window][:frames].copy()
    fade = min(window, len(kept))
    kept[len(kept) - fade :] = (kept[len(kept) - fade :] * np.linspace(1, 0, fade)).astype(np.int16)
    return kept


def shorten(samples: Samples, rate: int, factor: float) -> Samples:
    """Samples `factor` times as fast, pitch kept. Raises programs.ProgramError or programs.ProgramTimeoutError."""
    # rubberband's command reads and writes files only.
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "in.wav", Path(folder) / "out.wav"
        with wave.open(str(source), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(samples.astype("<i2").tobytes())
        programs.run(["rubberband", "-q", "-T", f"{factor:.5f}", str(source), str(result)])
        with wave.open(str(result), "rb") as stretched:
            return np.frombuffer(stretched.readframes(stretched.getnframes()), dtype="<i2").astype(np.int16)
