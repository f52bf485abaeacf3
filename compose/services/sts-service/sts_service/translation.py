"""Text translation: Apertium on this machine, or Google's web API."""

import html
import http.client
import json
import re
import urllib.error
import urllib.request
from typing import Any, Protocol

from . import figures, programs
from .config import SpeechConfig

GOOGLE_RATE_LIMITS = ("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED")
"""Reasons with which Google's 403 means 429."""


class TranslationError(RuntimeError):
    """The translator gave no translation; `retryable` tells whether the same text may succeed later.

    `code` is one of the contract's.
    """

    def __init__(self, message: str, retryable: bool = True, code: str = "MODEL_ERROR") -> None:
        super().__init__(message)
        self.retryable = retryable
        self.code = code


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
        written, said = programs.run_saying(["apertium", "-u", "eng-spa"], f"{text}\n".encode())
        out = written.decode()
        # Apertium loses the spaces in "línea de 45 patios".
        spaced = re.sub(r"(?<=[^\W\d_])de(?=\d)", " de ", out)
        # Whisper writes what is counted in figures, and Apertium leaves them. They become words after the translation, as
        # Apertium itself makes "veinte un jugadores" of "twenty one players", and "cien y uno" of "one hundred and one".
        translated = tidy(figures.write_out(spaced))
        if not translated:
            because = f": {said}" if said else ""
            raise TranslationError(f"apertium gave no text for {text!r}{because}", retryable=False)
        return translated


class GoogleTranslator:
    """Google Cloud Translation, basic edition (v2), or a gateway that answers in its place."""

    name = "google"
    version = "v2"

    def __init__(self, url: str, api_key: str, timeout_s: float = programs.TIMEOUT_S) -> None:
        """`timeout_s` bounds each wait for the network."""
        self._url = url
        self._api_key = api_key
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_NoRedirect)

    def pair_problem(self, source: str, target: str) -> str | None:
        return "source and target language are the same" if source == target else None

    def translate(self, text: str, source: str, target: str) -> str:
        request = urllib.request.Request(
            self._url,
            data=json.dumps({"q": text, "source": source, "target": target, "format": "text"}).encode(),
            # The key goes into a header: a URL ends up in logs and error messages.
            headers={"Content-Type": "application/json", "X-Goog-Api-Key": self._api_key},
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                answer = json.load(response)
            translated = tidy(html.unescape(answer["data"]["translations"][0]["translatedText"]))
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from None
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(cause, TimeoutError):
                raise programs.ProgramTimeoutError(f"google did not answer within {self._timeout_s:g} s") from error
            raise TranslationError(f"google gave no usable answer: {type(cause).__name__}: {cause}") from error
        if not translated:
            raise TranslationError("google gave an empty translation", retryable=False)
        return translated

    def _refusal(self, answer: urllib.error.HTTPError) -> TranslationError:
        """What an answer other than 200 means: 429 and 5xx pass, the rest is a matter of the settings."""
        try:
            body = answer.read(10_000).decode(errors="replace")
        except OSError as error:
            body = f"body not readable: {error}"
        # Whoever answers may repeat what was sent.
        message = f"google answered {answer.code}: {_message_of(body)}".replace(self._api_key, "(API key)")
        if answer.code == 429 or (answer.code == 403 and any(reason in body for reason in GOOGLE_RATE_LIMITS)):
            return TranslationError(message, retryable=True, code="RATE_LIMIT")
        if answer.code >= 500:
            return TranslationError(message, retryable=True)
        return TranslationError(message, retryable=False, code="INVALID_CONFIG")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection would take the API key to another address."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _message_of(body: str) -> str:
    """error.message of Google's JSON; what came instead, shortened, when it is not that."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return body[:300]


def tidy(text: str) -> str:
    """One line, single spaces, none before punctuation, a capital after each sentence end."""
    line = re.sub(r"\s+([,.;:!?])", r"\1", " ".join(text.split()))
    return re.sub(r"(^|[.!?]\s+)([^\W\d_])", lambda match: match[1] + match[2].upper(), line)


def create_translator(config: SpeechConfig) -> Translator:
    """The translator that the settings ask for."""
    if config.translation_provider == "google":
        return GoogleTranslator(config.google_url, config.google_api_key)
    return ApertiumTranslator()
