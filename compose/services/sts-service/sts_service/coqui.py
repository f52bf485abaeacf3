"""Models of Coqui's catalogue: fetched when they are first asked for, and kept in TTS_HOME, or the model hub's cache.

The library asks for them without a time limit, and takes a folder in which half a model lies for the model.
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from . import hub
from .config import ConfigError

FAIRSEQ_ADDRESS = "https://dl.fbaipublicfiles.com/mms/tts"
"""Where the library finds `tts_models/LANGUAGE/fairseq/vits`, which its catalogue does not list."""
EXPECTED = (
    "a name of Coqui's catalogue, such as tts_models/es/css10/vits, or the path of a model file with config.json beside it"
)

Item = dict[str, Any]
"""What the catalogue says of a model."""


def fetch(name: str) -> None:
    """Bring a model, and the vocoder that it speaks through, to this machine where they are not.

    Raises ConfigError if the catalogue has no such name or asks for an agreement, RuntimeError if it cannot be had.
    """
    from TTS.utils.manage import ModelManager

    manager = ModelManager()
    item = item_of(manager.models_dict, name)
    if not manager.tos_agreed(item, folder_of(manager, name)):
        raise ConfigError("TTS_MODEL", name, "a model that asks for no agreement to its terms")
    vocoder = item.get("default_vocoder")
    for each in [name, vocoder] if vocoder else [name]:
        try:
            _fetch_one(manager, each)
        except Exception as error:
            raise RuntimeError(
                f"TTS_MODEL={name}: the model is not on this machine and cannot be had from where Coqui keeps it: "
                f"{type(error).__name__}: {error}; load it where there is a network, or give the path of its file"
            ) from error


def item_of(catalogue: dict[str, Any], name: str) -> Item:
    """Raises ConfigError if the catalogue, by kind, language, data set and model, has no such speaking model or vocoder."""
    parts = name.split("/")
    if len(parts) == 4 and parts[0] == "tts_models" and parts[2] == "fairseq":
        return {"github_rls_url": f"{FAIRSEQ_ADDRESS}/{parts[1]}.tar.gz"}
    item: Any = catalogue if parts[0] in ("tts_models", "vocoder_models") and len(parts) == 4 else {}
    for part in parts:
        item = item.get(part, {})
    if not item:
        raise ConfigError("TTS_MODEL", name, EXPECTED)
    return dict(item)


def folder_of(manager: Any, name: str) -> Path:
    return Path(manager.output_prefix) / name.replace("/", "--")


def _fetch_one(manager: Any, name: str) -> None:
    item = item_of(manager.models_dict, name)
    if "repo_id" in item:
        _ask_hub(item)
        return
    folder = folder_of(manager, name)
    if folder.is_dir():
        return
    _ask(item["github_rls_url"])
    # Where only whole models lie it is put when it is whole: a service that is ended meanwhile leaves half of one.
    unfinished = Path(manager.output_prefix) / "unfinished"
    part = type(manager)(output_prefix=unfinished)
    shutil.rmtree(folder_of(part, name), ignore_errors=True)
    try:
        part.download_model(name)
        os.replace(folder_of(part, name), folder)
    finally:
        shutil.rmtree(folder_of(part, name), ignore_errors=True)


def _ask(addresses: str | list[str]) -> None:
    """One short question; the download itself may take minutes. Raises requests.RequestException."""
    import requests

    for address in [addresses] if isinstance(addresses, str) else addresses:
        with requests.head(address, timeout=hub.ANSWER_TIMEOUT_S, allow_redirects=True) as answer:
            answer.raise_for_status()


def _ask_hub(item: Item) -> None:
    """The same for models of the hub, of which whole files only are kept anyway."""
    from huggingface_hub import snapshot_download

    with contextlib.suppress(Exception):
        snapshot_download(
            item["repo_id"], allow_patterns=item.get("allow"), ignore_patterns=item.get("ignore"), local_files_only=True
        )
        return
    hub.ask(item["repo_id"])
