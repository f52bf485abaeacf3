"""Text translation: Apertium on this machine, or Google's web API."""

import json
import re
import urllib.error
import urllib.request
from typing import Protocol

from . import figures, programs
from .config import Config

GOOGLE_URL = "https://translation.googleapis.com/language/translate/v2"


class TranslationError(RuntimeError):
    """The translator gave no translation; `retryable` tells whether the same text may succeed later."""

    def __init__(self, message: str, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class Translator(Protocol):
    """A translator; `translate` blocks."""

    name: str
    version: str

    def pair_problem(self, source: str, target: str) -> str | None:
        """Why the pair of ISO 639-1 codes cannot be translated; None if it can."""

    def translate(self, text: str, source: str, target: str) -> str:
        """Raises TranslationError, programs.ProgramError or programs.ProgramTimeoutError."""


class ApertiumTranslator:
    """Rule-based, English to Spanish, one pipeline of processes a call (0.15-0.25 s on idle cores, up to 0.9 s on busy)."""

    name = "apertium eng-spa"

    def __init__(self) -> None:
        """Raises MissingProgramError when Apertium or its language pair is not installed."""
        programs.require("apertium", "apertium")
        if b"eng-spa" not in programs.run(["apertium", "-l"]).split():
            raise programs.MissingProgramError("apertium mode eng-spa", "apertium-eng-spa")
        self.version = programs.run(["apertium", "-V"]).decode().split()[-1]

    def pair_problem(self, source: str, target: str) -> str | None:
        return None if (source, target) == ("en", "es") else f"apertium translates en to es only, not {source} to {target}"

    def translate(self, text: str, source: str, target: str) -> str:
        # -u hides the marks (*, @, #) of words that Apertium does not know.
        out = programs.run(["apertium", "-u", "eng-spa"], f"{text}\n".encode()).decode()
        # Apertium loses the spaces in "línea de 45 patios".
        spaced = re.sub(r"(?<=[^\W\d_])de(?=\d)", " de ", out)
        # Whisper writes what is counted in figures, and Apertium leaves them. They become words after the translation, as
        # Apertium itself makes "veinte un jugadores" of "twenty one players", and "cien y uno" of "one hundred and one".
        translated = tidy(figures.write_out(spaced))
        if not translated:
            raise TranslationError(f"apertium gave no text for {text!r}", retryable=False)
        return translated


class GoogleTranslator:
    """Google Cloud Translation, basic edition (v2)."""

    name = "google"
    version = "v2"

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def pair_problem(self, source: str, target: str) -> str | None:
        return "source and target language are the same" if source == target else None

    def translate(self, text: str, source: str, target: str) -> str:
        request = urllib.request.Request(
            GOOGLE_URL,
            data=json.dumps({"q": text, "source": source, "target": target, "format": "text"}).encode(),
            # The key goes into a header: a URL ends up in logs and error messages.
            headers={"Content-Type": "application/json", "X-Goog-Api-Key": self._api_key},
        )
        try:
            with urllib.request.urlopen(request, timeout=programs.TIMEOUT_S) as response:
                answer = json.load(response)
            return tidy(answer["data"]["translations"][0]["translatedText"])
        except urllib.error.HTTPError as error:
            detail = error.read(500).decode(errors="replace")
            retryable = error.code == 429 or error.code >= 500
            raise TranslationError(f"google answered {error.code}: {detail}", retryable) from error
        except TimeoutError as error:
            raise programs.ProgramTimeoutError(f"google did not answer within {programs.TIMEOUT_S:g} s") from error
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise TranslationError(f"google gave no usable answer: {error}") from error


def tidy(text: str) -> str:
    """One line, single spaces, none before punctuation, a capital after each sentence end."""
    line = re.sub(r"\s+([,.;:!?])", r"\1", " ".join(text.split()))
    return re.sub(r"(^|[.!?]\s+)([^\W\d_])", lambda match: match[1] + match[2].upper(), line)


def create_translator(config: Config) -> Translator:
    """The translator that the settings ask for."""
    if config.translation_provider == "google":
        return GoogleTranslator(config.google_api_key)
    return ApertiumTranslator()
