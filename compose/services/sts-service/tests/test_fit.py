import resource
import tempfile
from pathlib import Path

import numpy as np
import pytest

from sts_service.audio import Samples
from sts_service.engine import stage_error
from sts_service.fit import cut_in_pause, fit_speech, place, shorten, trim

RATE = 22_050


def tone(seconds: float) -> Samples:
    return (8000 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


def speaker(seconds: float, spoken: list[float]) -> object:
    def speak(speed: float) -> tuple[Samples, int]:
        spoken.append(speed)
        return tone(seconds / speed), RATE

    return speak


def span_s(samples: Samples, rate: int) -> tuple[float, float]:
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 300)
    return float(loud[0]) / rate, float(loud[-1]) / rate


@pytest.mark.parametrize(
    ("length", "start", "begin"),
    [(3, 0, 0), (3, 5, 5), (3, 7, 7), (3, 8, 7), (3, 99, 7), (10, 4, 0), (12, 4, 0), (0, 4, 0)],
)
def test_place_keeps_the_length_and_moves_speech_inside(length: int, start: int, begin: int) -> None:
    placed = place(np.ones(length, np.int16), 10, start)
    assert len(placed) == 10
    assert placed.sum() == min(length, 10)
    if length:
        assert placed[begin] == 1


@pytest.mark.parametrize(
    ("seconds", "start_s", "speed", "begins", "cut"),
    [
        (2.0, 1.0, 1.0, 1.0, False),  # fits where the original speech began
        (4.0, 1.0, 1.0, 1.0, False),  # exactly
        (4.5, 1.0, 1.0, 0.5, False),  # begins earlier
        (6.0, 1.0, 6.0 / 4.95, 0.0, False),  # the synthesizer talks faster
        (10.0, 1.0, 10.0 / 4.95, 0.0, False),  # and the stretcher does the rest
        (20.0, 1.0, 1.6 * 1.8, 1.0, True),  # too much for both: what the cut leaves fits where the speech began
    ],
)
def test_fit_speech(seconds: float, start_s: float, speed: float, begins: float, cut: bool) -> None:
    spoken: list[float] = []
    fitted = fit_speech(speaker(seconds, spoken), 1.6, 5 * 44_100, 44_100, start_s)  # type: ignore[arg-type]
    assert len(fitted.samples) == 5 * 44_100
    assert fitted.speed == pytest.approx(speed, rel=0.01)
    assert fitted.cut is cut
    begin, end = span_s(fitted.samples, 44_100)
    assert begin == pytest.approx(begins, abs=0.08)
    assert end <= 5
    assert max(spoken) <= 1.6


def test_trim() -> None:
    quiet = np.zeros(100, np.int16)
    assert len(trim(np.concatenate([quiet, np.full(7, 500, np.int16), quiet]))) == 7
    assert len(trim(quiet)) == 0


def test_cut_is_made_in_a_pause() -> None:
    speech = tone(2.0)
    pause = slice(round(1.25 * RATE), round(1.35 * RATE))
    speech[pause] = 0
    assert 1.24 < len(cut_in_pause(speech, round(1.6 * RATE), RATE)) / RATE < 1.38


def test_disk_that_is_full_is_an_error_and_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file can grow: so it is on a disk that is full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            shorten(np.ones(10_000, np.int16), 22_050, 1.5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    error = stage_error(caught.value, "tts")
    assert (error.code, error.stage, error.retryable) == ("MODEL_ERROR", "tts", True)
    assert list(tmp_path.iterdir()) == []
    assert len(shorten(np.ones(10_000, np.int16), 22_050, 1.5)) == pytest.approx(10_000 / 1.5, rel=0.1)
