"""The bundled neural voice: what it says is heard by Whisper."""

# ruff: noqa: RUF001 (phonemes are letters of their own)

import re
from pathlib import Path

import numpy as np
import pytest
from sts_testing import MODELS, speech_config

from sts_service import programs
from sts_service.audio import Samples, resample
from sts_service.config import ConfigError
from sts_service.figures import spoken, write_out
from sts_service.fit import fit_speech, trim
from sts_service.tts import KokoroSynthesizer, create_synthesizer, phonemes_of

LINES = [
    "Tarde buena todo el mundo. El estadio es lleno y los equipos están a punto.",
    "El kicker carreras a la bola y lo envía profundo a la noche.",
    "Coge se acerca la línea de gol y carreras abajo el lado izquierdo.",
    "El quarterback toma la bola y busca un jugador abierto.",
    "Echa un pase largo abajo el medio, y está cogido.",
    "Qué un juego sumo. La multitud es en sus pies y gritando.",
    "Ahora necesitan tres más patios antes del fin del juego.",
    "El defensa es fuerte esta noche. Paran el corredor otra vez.",
    "Diez segundos en el reloj. Echa la bola a la esquina.",
    "Touchdown! El equipo de casa gana el juego en el último segundo.",
]
"""What Apertium makes of the broadcast of fixtures/1-min-nfl.yaml."""


@pytest.fixture(scope="module")
def kokoro() -> KokoroSynthesizer:
    synthesizer = create_synthesizer(speech_config())
    assert isinstance(synthesizer, KokoroSynthesizer)
    return synthesizer


@pytest.fixture(scope="module")
def whisper() -> object:
    from faster_whisper import WhisperModel

    return WhisperModel(str(MODELS / "whisper-base"), device="cpu", compute_type="int8", cpu_threads=2)


def words(text: str) -> list[str]:
    """Figures by value, as Whisper writes "10" for "diez"."""
    return re.findall(r"\w+", write_out(text).lower())


def word_error_rate(expected: list[str], heard: list[str]) -> float:
    row = list(range(len(heard) + 1))
    for i, word in enumerate(expected, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1] / len(expected)


def hear(whisper: object, samples: Samples, rate: int) -> str:
    audio = resample(samples, rate, 16_000).astype(np.float32) / 32768
    options = {"temperature": 0.0, "condition_on_previous_text": False, "without_timestamps": True}
    segments, _ = whisper.transcribe(audio, language="es", beam_size=5, **options)  # type: ignore[attr-defined]
    return " ".join(segment.text.strip() for segment in segments)


def test_the_voice_is_understood(kokoro: KokoroSynthesizer, whisper: object) -> None:
    rates = {line: word_error_rate(words(line), words(hear(whisper, *kokoro.speak(line, 1.0)))) for line in LINES}
    assert np.mean(list(rates.values())) <= 0.1, rates


def test_figures_are_spoken_as_words(kokoro: KokoroSynthesizer, whisper: object) -> None:
    text = spoken("El equipo tiene 23 jugadores, 4 goles y 10 minutos.", "es")
    assert not re.search(r"\d", text)
    heard = words(hear(whisper, *kokoro.speak(text, 1.0)))
    assert {"veintitrés", "cuatro", "diez"} <= set(heard), heard


@pytest.mark.parametrize("voice", ["ef_dora", "em_alex"])
def test_the_length_is_foreseen(voice: str) -> None:
    kokoro = create_synthesizer(speech_config(TTS_VOICE=voice))
    assert kokoro.language_problem("es") is None
    assert "speaks 'es', not 'en'" in str(kokoro.language_problem("en"))
    assert kokoro.model == f"kokoro-v1.0.int8 {voice}"
    for line in (LINES[0], LINES[4]):
        samples, rate = kokoro.speak(line, 1.0)
        assert kokoro.expected_s(line) == pytest.approx(len(trim(samples)) / rate, rel=0.15)


def test_it_speaks_faster_when_asked(kokoro: KokoroSynthesizer) -> None:
    normal, rate = kokoro.speak(LINES[3], 1.0)
    fast, _ = kokoro.speak(LINES[3], kokoro.max_speed)
    assert rate == 24_000
    assert 1.25 < len(trim(normal)) / len(trim(fast)) < 1.55


def test_what_must_be_faster_is_spoken_once_and_still_understood(kokoro: KokoroSynthesizer, whisper: object) -> None:
    text = f"{LINES[0]} {LINES[8]}"
    speeds = []

    def speak(speed: float) -> tuple[Samples, int]:
        speeds.append(speed)
        return kokoro.speak(text, speed)

    fitted = fit_speech(speak, kokoro.max_speed, 6 * 44_100, 44_100, 0.6, kokoro.expected_s(text))
    assert len(speeds) == 1
    assert 1.1 < speeds[0] <= kokoro.max_speed
    assert (len(fitted.samples), fitted.cut) == (6 * 44_100, False)
    heard = hear(whisper, fitted.samples, 44_100)
    assert word_error_rate(words(text), words(heard)) <= 0.25, heard


@pytest.mark.parametrize("text", ["", "...", "¿?"])
def test_text_without_words_gives_no_audio(kokoro: KokoroSynthesizer, text: str) -> None:
    assert len(kokoro.speak(text, 1.0)[0]) == 0


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("Diez segundos en el reloj. ¿Qué tal?", "djˈeθ seɣˈundos en el relˈox. kˈe tˈal?"),
        ("  Uno,\n dos… tres ", "ˈuno, dˈos… tɾˈes"),
        ("--version", "bˈeɾsjon"),
    ],
)
def test_phonemes(text: str, phonemes: str) -> None:
    assert phonemes_of(text, "es") == phonemes


def test_phonemes_have_no_marks_of_other_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "run", lambda *_, **__: "(en)tˈʌtʃdaʊn(es) ɡˈol\n".encode())
    assert phonemes_of("Touchdown gol", "es") == "tˈʌtʃdaʊn ɡˈol"


def test_voice_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="TTS_VOICE: seen 'jf_alpha', expected one of ef_dora, em_alex"):
        create_synthesizer(speech_config(TTS_VOICE="jf_alpha"))


def test_model_by_path(tmp_path: Path, kokoro: KokoroSynthesizer) -> None:
    for file in (MODELS / "kokoro").iterdir():
        (tmp_path / file.name).symlink_to(file)
    again = create_synthesizer(speech_config(MODELS_DIR="/nowhere", TTS_MODEL=str(tmp_path)))
    assert np.array_equal(again.speak("Hola.", 1.0)[0], kokoro.speak("Hola.", 1.0)[0])


def test_model_is_missing_or_broken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"TTS_MODEL: seen '{tmp_path}/kokoro', expected a folder.*npm run setup"):
        create_synthesizer(speech_config(MODELS_DIR=str(tmp_path)))
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ConfigError, match="one file of its voices"):
        create_synthesizer(speech_config(TTS_MODEL=str(tmp_path)))
    (tmp_path / "voices.npz").write_bytes(b"no voices")
    with pytest.raises(RuntimeError, match=f"TTS_MODEL={tmp_path}: the model cannot be loaded: "):
        create_synthesizer(speech_config(TTS_MODEL=str(tmp_path)))


def test_gpu_that_there_is_not() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("there is one")
    with pytest.raises(ConfigError, match="DEVICE: seen 'cuda', expected cpu or auto"):
        create_synthesizer(speech_config(DEVICE="cuda"))
