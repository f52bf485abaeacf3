"""Speech synthesis: espeak-ng, Piper or Coqui."""

import importlib.metadata
from pathlib import Path
from typing import Protocol

import numpy as np

from . import programs
from .audio import Samples
from .config import ConfigError, SpeechConfig

ESPEAK_RATE_HZ = 22_050
ESPEAK_WORDS_PER_MINUTE = 175


class Synthesizer(Protocol):
    """A synthesizer; `speak` blocks and may be called by one thread at a time."""

    name: str
    version: str
    model: str
    max_speed: float
    """How much faster than normal `speak` can talk by itself and still be understood."""

    def language_problem(self, language: str) -> str | None:
        """Why the ISO 639-1 language cannot be spoken; None if it can, or if the voice does not tell."""

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        """Mono samples and their rate in Hz; `speed` 1 is normal, 1.5 half as fast again, at most `max_speed`."""


class EspeakSynthesizer:
    """espeak-ng: formant synthesis, 0.05 s a sentence."""

    name = "espeak-ng"
    max_speed = 1.6

    def __init__(self, voice: str) -> None:
        """Raises MissingProgramError; ConfigError when espeak-ng does not have the voice."""
        programs.require("espeak-ng", "espeak-ng")
        self.model = voice
        self.version = programs.run(["espeak-ng", "--version"]).decode().split("to-speech:")[-1].split()[0]
        try:
            programs.run(["espeak-ng", "-q", "-v", voice, "a"])
        except programs.ProgramError as error:
            raise ConfigError("TTS_VOICE", voice, "a voice that `espeak-ng --voices` lists") from error

    def language_problem(self, language: str) -> str | None:
        spoken = self.model.split("-")[0].split("+")[0]
        return None if language == spoken else f"voice {self.model!r} does not speak {language!r}"

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        words_per_minute = round(ESPEAK_WORDS_PER_MINUTE * speed)
        # The text goes through stdin: as an argument, one that starts with "-" would be read as an option.
        wav = programs.run(
            ["espeak-ng", "-v", self.model, "-s", str(words_per_minute), "-b", "1", "--stdin", "--stdout"],
            text.encode(),
        )
        # espeak-ng writes a WAV header of 44 bytes with an unknown length, which WAV readers stumble over.
        return np.frombuffer(wav[44 : len(wav) - len(wav) % 2], dtype="<i2").astype(np.int16), ESPEAK_RATE_HZ


class PiperSynthesizer:
    """Piper: neural, on the CPU."""

    name = "piper"
    max_speed = 1.4

    def __init__(self, model: str, device: str) -> None:
        """Raises ConfigError when there is no such voice, RuntimeError when it or the package cannot be loaded."""
        try:
            import onnxruntime
            from piper import PiperVoice, SynthesisConfig
        except ImportError as error:
            raise RuntimeError(f"TTS_PROVIDER=piper: {error}; install piper-tts") from error
        if not Path(model).is_file() or not Path(f"{model}.json").is_file():
            raise ConfigError("TTS_MODEL", model, "the path of a Piper voice (.onnx with its .onnx.json beside it)")
        # ONNX Runtime itself only warns, and takes the CPU.
        if device == "cuda" and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise ConfigError("DEVICE", device, "cpu or auto: the installed onnxruntime cannot use CUDA")
        self._options = SynthesisConfig
        try:
            self._voice = PiperVoice.load(model, use_cuda=device == "cuda")
        except Exception as error:
            raise RuntimeError(f"TTS_MODEL={model}: the voice cannot be loaded: {error}") from error
        self.model = Path(model).name
        self.version = importlib.metadata.version("piper-tts")

    def language_problem(self, language: str) -> str | None:
        spoken = str(self._voice.config.espeak_voice).split("-")[0]
        return None if language == spoken else f"Piper voice {self.model} speaks {spoken!r}, not {language!r}"

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        chunks = [c.audio_int16_array for c in self._voice.synthesize(text, self._options(length_scale=1 / speed))]
        samples = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
        return samples.astype(np.int16, copy=False), int(self._voice.config.sample_rate)


class CoquiSynthesizer:
    """Coqui TTS: a model of its catalogue by name, or a model file with config.json beside it; of one speaker."""

    name = "coqui"
    max_speed = 1.0  # Few of its models take a speed: the time stretcher does all of it.

    def __init__(self, model: str, device: str) -> None:
        """Raises ConfigError when there is no such file, RuntimeError when the model or the package cannot be loaded."""
        try:
            from TTS.api import TTS
        except ImportError as error:
            raise RuntimeError(f"TTS_PROVIDER=coqui: {error}; run: npm run setup -- --with coqui") from error
        file = Path(model)
        config = file.with_name("config.json")
        if (file.is_absolute() or model.startswith(".")) and not (file.is_file() and config.is_file()):
            raise ConfigError("TTS_MODEL", model, "a model name, or the path of a model file with config.json beside it")
        try:
            tts = TTS(model_path=model, config_path=str(config)) if file.is_file() else TTS(model_name=model)
            self._tts = tts.to("cuda" if device == "cuda" else "cpu")
            # What a model lacks, a phonemizer or the name of a speaker, shows only when it speaks.
            self.speak("Hola.", 1.0)
        except Exception as error:
            raise RuntimeError(f"TTS_MODEL={model}: the model cannot be used: {type(error).__name__}: {error}") from error
        self.model = file.name if file.is_file() else model
        self.version = importlib.metadata.version("coqui-tts")

    def language_problem(self, language: str) -> str | None:
        return None

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        wave = np.asarray(self._tts.tts(text=text), dtype=np.float32)
        samples = (np.clip(wave, -1, 1) * 32767).astype(np.int16)
        return samples, int(self._tts.synthesizer.output_sample_rate)


def create_synthesizer(config: SpeechConfig) -> Synthesizer:
    """The synthesizer that the settings ask for."""
    if config.tts_provider == "piper":
        return PiperSynthesizer(config.tts_model, config.device)
    if config.tts_provider == "coqui":
        return CoquiSynthesizer(config.tts_model, config.device)
    return EspeakSynthesizer(config.tts_voice)
