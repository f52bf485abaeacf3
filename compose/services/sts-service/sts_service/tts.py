"""Speech synthesis: Kokoro, espeak-ng, Piper or Coqui."""

import functools
import importlib.metadata
import logging
import re
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from . import coqui, programs
from .audio import Samples
from .config import ConfigError, SpeechConfig

KOKORO_RATE_HZ = 24_000
KOKORO_THREADS = 2
KOKORO_LANGUAGES = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}
"""espeak-ng's name of the language by the first letter of a voice; Japanese and Chinese need other phonemes."""
KOKORO_START_S = 0.17
KOKORO_PHONEME_S = 0.0466
"""Length of speech at speed 1 by the number of its phonemes, marks and spaces: none of 15 texts differed by over 9 %."""
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

    def expected_s(self, text: str) -> float | None:
        """About how many seconds `speak` will make of the text at speed 1; None if only speaking tells."""

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        """Mono samples and their rate in Hz; `speed` 1 is normal, 1.5 half as fast again, at most `max_speed`."""


class KokoroSynthesizer:
    """Kokoro: neural, on the CPU or a GPU, 0.4 s for a second of speech (2 cores)."""

    name = "kokoro"
    max_speed = 1.4

    def __init__(self, folder: Path, voice: str, device: str) -> None:
        """Raises ConfigError when there is no such model or voice, RuntimeError when it or the package cannot be loaded."""
        try:
            import onnxruntime
            from kokoro_onnx import Kokoro
        except ImportError as error:
            raise RuntimeError(f"TTS_PROVIDER=kokoro: {error}; install what requirements.lock lists") from error
        programs.require("espeak-ng", "espeak-ng")
        # It has a handler of its own, which writes lines that are no JSON when LOG_LEVEL is DEBUG.
        library = logging.getLogger("kokoro_onnx")
        library.handlers.clear()
        library.setLevel(logging.WARNING)
        models, voices = sorted(folder.glob("*.onnx")), sorted([*folder.glob("voices*.npz"), *folder.glob("voices*.bin")])
        if len(models) != 1 or len(voices) != 1:
            expected = "a folder with one Kokoro model (.onnx) and one file of its voices (voices….npz or voices….bin)"
            raise ConfigError("TTS_MODEL", str(folder), f"{expected}; npm run setup makes the bundled one")
        try:
            session = onnxruntime.InferenceSession(models[0], _session_options(), providers=_providers(device))
            self._kokoro = Kokoro.from_session(session, str(voices[0]))
            known = sorted(self._kokoro.voices)
        except ConfigError:
            raise
        except Exception as error:
            raise RuntimeError(f"TTS_MODEL={folder}: the model cannot be loaded: {error}") from error
        language = KOKORO_LANGUAGES.get(voice[:1])
        if voice not in known or language is None:
            spoken = [name for name in known if name[:1] in KOKORO_LANGUAGES]
            raise ConfigError("TTS_VOICE", voice, f"one of {', '.join(spoken)}")
        self._voice, self._language = voice, language
        self._phonemes = functools.lru_cache(8)(functools.partial(phonemes_of, language=language))
        self.model = f"{models[0].stem} {voice}"
        self.version = importlib.metadata.version("kokoro-onnx")
        # The first run allocates what later ones use.
        self.speak("Hola.", 1.0)

    def language_problem(self, language: str) -> str | None:
        spoken = self._language.split("-")[0]
        return None if language == spoken else f"Kokoro voice {self._voice!r} speaks {spoken!r}, not {language!r}"

    def expected_s(self, text: str) -> float | None:
        return KOKORO_START_S + KOKORO_PHONEME_S * len(self._phonemes(text))

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        phonemes = self._phonemes(text)
        if not any(character.isalpha() for character in phonemes):
            return np.zeros(0, np.int16), KOKORO_RATE_HZ
        wave, rate = self._kokoro.create(phonemes, self._voice, speed, is_phonemes=True)
        return (np.clip(wave, -1, 1) * 32767).astype(np.int16), int(rate)


def phonemes_of(text: str, language: str) -> str:
    """IPA with the punctuation that Kokoro pauses at; espeak-ng reads what is written, figures too.

    By its program: kokoro-onnx itself would copy espeak-ng's library into the folder for temporary files and run it
    from there, which a container does not allow.
    """
    parts = []
    for clause, marks in re.findall(r"(.+?)([,.;:!?…]+(?=\s|$)|$)\s*", " ".join(text.split())):
        # Without an end of line, espeak-ng of Ubuntu 24.04 leaves out the last letter.
        line = f"{clause}\n".encode()
        ipa = programs.run(["espeak-ng", "-q", "-v", language, "--ipa", "-b", "1", "--stdin"], line).decode()
        # Words of another language come between marks, "(en)…(es)".
        parts.append(" ".join(re.sub(r"\([\w-]+\)", "", ipa).split()) + marks)
    return " ".join(parts)


def _session_options() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = KOKORO_THREADS
    options.inter_op_num_threads = 1
    # The bundled model's graph has been optimized before: doing it again takes a fifth of its start, and changes nothing.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    # Threads that spin while they wait take the cores from the recognition of other fragments.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _providers(device: str) -> list[str]:
    """What a model runs on. Raises ConfigError: ONNX Runtime itself only warns, and takes the CPU."""
    import onnxruntime

    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise ConfigError("DEVICE", device, "cpu or auto: the installed onnxruntime cannot use CUDA")
    cuda = ["CUDAExecutionProvider"] if has_cuda and device != "cpu" else []
    return [*cuda, "CPUExecutionProvider"]


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

    def expected_s(self, text: str) -> float | None:
        return None

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        words_per_minute = round(ESPEAK_WORDS_PER_MINUTE * speed)
        # The text goes through stdin: as an argument, one that starts with "-" would be read as an option.
        wav = programs.run(
            ["espeak-ng", "-v", self.model, "-s", str(words_per_minute), "-b", "1", "--stdin", "--stdout"],
            f"{text}\n".encode(),
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
            from piper import PiperVoice, SynthesisConfig
        except ImportError as error:
            raise RuntimeError(f"TTS_PROVIDER=piper: {error}; install piper-tts") from error
        if not Path(model).is_file() or not Path(f"{model}.json").is_file():
            raise ConfigError("TTS_MODEL", model, "the path of a Piper voice (.onnx with its .onnx.json beside it)")
        _providers(device)
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

    def expected_s(self, text: str) -> float | None:
        return None

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
            advice = "run: npm run setup -- --with coqui, which builds the image with it, too (build argument EXTRAS=coqui)"
            raise RuntimeError(f"TTS_PROVIDER=coqui: {error}; {advice}") from error
        file = Path(model)
        config = file.with_name("config.json")
        if (file.is_absolute() or model.startswith(".")) and not (file.is_file() and config.is_file()):
            raise ConfigError("TTS_MODEL", model, coqui.EXPECTED)
        if not file.is_file():
            coqui.fetch(model)
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

    def expected_s(self, text: str) -> float | None:
        return None

    def speak(self, text: str, speed: float) -> tuple[Samples, int]:
        wave = np.asarray(self._tts.tts(text=text), dtype=np.float32)
        samples = (np.clip(wave, -1, 1) * 32767).astype(np.int16)
        return samples, int(self._tts.synthesizer.output_sample_rate)


def create_synthesizer(config: SpeechConfig) -> Synthesizer:
    """The synthesizer that the settings ask for."""
    if config.tts_provider == "kokoro":
        folder = Path(config.tts_model) if config.tts_model else config.models_dir / "kokoro"
        return KokoroSynthesizer(folder, config.tts_voice, config.device)
    if config.tts_provider == "piper":
        return PiperSynthesizer(config.tts_model, config.device)
    if config.tts_provider == "coqui":
        return CoquiSynthesizer(config.tts_model, config.device)
    return EspeakSynthesizer(config.tts_voice)
