"""Figures in Spanish text, written out in words: "3 jugadores" becomes "tres jugadores"."""

import re

from num2words import num2words

CURRENCIES = {"$": ("dólar", "dólares", "centavo"), "€": ("euro", "euros", "céntimo")}
ORDINALS = ("primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno", "décimo")
"""Later ones are spoken as plain numbers: "el 23.º de mayo" is "el veintitrés de mayo"."""
FUNCTION_WORDS = re.compile(
    r"(?:a|al|con|contra|de|del|e|el|en|es|fue|hasta|la|las|los|más|menos|no|o|para|pero|por|que|se|si|sin|sobre|u|y)\b",
    re.IGNORECASE,
)
"""What may follow a figure that stands for itself; before any other word something is counted, as in "un jugador"."""
MAX_DIGITS = 15
"""Longer figures are no amounts."""

_NUMBER = r"(?:[1-9]\d{0,2}(?:,\d{3})+|0|[1-9]\d*)(?:\.\d+)?"
_CARDINAL = re.compile(rf"(-?)({_NUMBER})(%?)")
_MONEY = re.compile(rf"([$€])({_NUMBER})")
_ORDINAL = re.compile(r"(\d+)\.([ºª])")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_ROW = re.compile(r"\d+(?:[-,]\d+)+")
_SPANISH_NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+,\d+)(?![\w]|[.,]\w)")
_MILLIONS = re.compile(r" (?:mil )?mill(?:ones|ón)\b")


def write_out(text: str) -> str:
    """Spanish text with its figures in words, masculine; its numbers are in English notation (1,234.5).

    Knows numbers, percentages, $ and €, ordinals, times of day, scores and rows of numbers. Figures that are part of
    something else (F16, 24/7, 1.2.3) are left as they are.
    """
    text = re.sub(r"(?<!\S)(\$?)1 millones\b", r"\g<1>1 millón", text)
    written, at = "", 0
    for found in re.finditer(r"\S*\d\S*", text):
        figure = found[0].strip(".,;:!?¡¿()\"'«»")
        start = found.start() + found[0].index(figure)
        end = start + len(figure)
        words = _words(figure, text[end:])
        if words is None:
            continue
        millions = _MILLIONS.match(text, end)
        if millions and (amount := _MONEY.fullmatch(figure)):
            words = f"{shortened(cardinal(amount[2]))}{millions[0]} de {CURRENCIES[amount[1]][1]}"
            end = millions.end()
        written += text[at:start] + words
        at = end
    return written + text[at:]


def spoken(text: str, language: str) -> str:
    """Text as it is given to a voice: in Spanish with its figures in words, as not every voice knows how they are read.

    A translator writes them in the notation of the language: 1.234,5.
    """
    if language != "es":
        return text
    swapped = str.maketrans(".,", ",.")
    return write_out(_SPANISH_NUMBER.sub(lambda match: match[0].translate(swapped), text))


def _words(figure: str, following: str) -> str | None:
    """Words for a figure, in the short form ("un", "primer") if `following` begins with what is counted; None: leave it."""
    if sum(character.isdigit() for character in figure) > MAX_DIGITS:
        return None
    next_word = re.match(r"\s+(?=[^\W\d_])", following)
    counts = next_word is not None and not FUNCTION_WORDS.match(following, next_word.end())
    if match := _CARDINAL.fullmatch(figure):
        minus, number, percent = match.groups()
        words = counting(cardinal(number)) if counts and not percent else cardinal(number)
        return f"{'menos ' if minus else ''}{words}{' por ciento' if percent else ''}"
    if match := _MONEY.fullmatch(figure):
        return money(match[1], match[2])
    if match := _ORDINAL.fullmatch(figure):
        return ordinal(int(match[1]), match[2] == "ª", counts)
    if match := _CLOCK.fullmatch(figure):
        hour, minute = match.groups()
        return cardinal(hour) if minute == "00" else f"{cardinal(hour)} y {cardinal(minute)}"
    if _ROW.fullmatch(figure):
        numbers = [cardinal(part) for part in re.split("[-,]", figure)]
        # Two are a score or a range, more are counted.
        return " a ".join(numbers) if len(numbers) == 2 and "-" in figure else ", ".join(numbers)
    return None


def cardinal(number: str) -> str:
    """Words for a number in English notation."""
    whole, _, decimals = number.replace(",", "").partition(".")
    words = str(num2words(int(whole), lang="es"))
    # num2words says "veintiuno mil".
    words = re.sub(r"\w*uno(?= mil)", lambda match: shortened(match[0]), words)
    return " ".join([words, *(["punto"] if decimals else []), *(num2words(int(digit), lang="es") for digit in decimals)])


def money(sign: str, number: str) -> str:
    """Words for an amount; `sign` is a key of CURRENCIES."""
    one, many, hundredth = CURRENCIES[sign]
    whole, _, decimals = number.partition(".")
    if decimals and len(decimals) != 2:
        return f"{cardinal(number)} {many}"
    words = f"{counting(cardinal(whole))} {one if whole == '1' else many}"
    if not decimals.strip("0"):
        return words
    return f"{words} con {shortened(cardinal(decimals))} {hundredth}{'' if decimals == '01' else 's'}"


def ordinal(number: int, feminine: bool, counts: bool) -> str:
    """Words for a place in an order; "primer" and "tercer" where something masculine is counted."""
    if not 1 <= number <= len(ORDINALS):
        return cardinal(str(number))
    word = ORDINALS[number - 1]
    if feminine:
        return f"{word[:-1]}a"
    return word[:-1] if counts and number in (1, 3) else word


def counting(words: str) -> str:
    """The form before what is counted: "un (gol)", "un millón de (goles)"."""
    return f"{words} de" if words.endswith(("illón", "illones")) else shortened(words)


def shortened(words: str) -> str:
    """ "un" for "uno" at the end, "veintiún" for "veintiuno"."""
    return re.sub(r"\buno$", "un", re.sub(r"veintiuno$", "veintiún", words))
