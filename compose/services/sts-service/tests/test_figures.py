"""Numbers of English speech in Spanish words, translated by the real Apertium."""

import re

import pytest

from sts_service.figures import spoken, write_out
from sts_service.translation import ApertiumTranslator

TENS = re.findall(r"\w+", "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien")
TO_THIRTY = re.findall(
    r"\w+",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve",
)


@pytest.fixture(scope="module")
def apertium() -> ApertiumTranslator:
    return ApertiumTranslator()


def test_counting_to_a_hundred(apertium: ApertiumTranslator) -> None:
    counted = apertium.translate(", ".join(map(str, range(101))), "en", "es")
    words = counted.lower().split(", ")
    assert words[:30] == TO_THIRTY
    assert [words[number] for number in range(20, 101, 10)] == TENS
    assert words[31:100] == [
        f"{TENS[number // 10 - 2]}{f' y {TO_THIRTY[number % 10]}' if number % 10 else ''}" for number in range(31, 100)
    ]


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("1, 2, 3.", "Uno, dos, tres."),
        ("1 2 3 4", "Uno dos tres cuatro"),
        ("1-2-3-4", "Uno, dos, tres, cuatro"),
        ("1 player and 21 players", "Un jugador y veintiún jugadores"),
        ("101 players", "Ciento un jugadores"),
        ("1 of the players", "Uno de los jugadores"),
        ("He ran 23 yards.", "Corrió veintitrés patios."),
        ("The 45-yard line", "La línea de cuarenta y cinco patios"),
        ("1,234 fans", "Mil doscientos treinta y cuatro seguidores"),
        ("2,000,000 fans", "Dos millones de seguidores"),
        ("1 million people", "Un millón de personas"),
        ("1st", "Primero"),
        ("her 3rd goal", "Su tercer gol"),
        ("the 23rd of May", "El veintitrés de mayo"),
        ("In 1985 he was born.", "En mil novecientos ochenta y cinco nació."),
        ("the year 2026", "El año dos mil veintiséis"),
        ("3.5 seconds", "Tres punto cinco segundos"),
        ("50% of the fans", "Cincuenta por ciento de los seguidores"),
        ("$5 a ticket", "Cinco dólares una entrada"),
        ("$1,000,000", "Un millón de dólares"),
        ("$1.5 million", "Uno punto cinco millones de dólares"),
        ("It is 21-14.", "Es veintiuno a catorce."),
        ("-5 degrees", "Menos cinco grados"),
        # What is no number stays as it is.
        ("COVID-19", "COVID-19"),
        ("the F16", "El F16"),
        ("version 1.2.3", "Versión 1.2.3"),
        ("24/7", "24/7"),
    ],
)
def test_figures_are_translated_into_words(apertium: ApertiumTranslator, english: str, spanish: str) -> None:
    assert apertium.translate(english, "en", "es") == spanish


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$3.50, $21.01, $0.05 y €1", "tres dólares con cincuenta centavos, veintiún dólares con un centavo, cero dólares "
         "con cinco centavos y un euro"),
        ("21,000 y 31,001,000", "veintiún mil y treinta y un millones mil"),
        ("las 10:30, las 10:00", "las diez y treinta, las diez"),
        ("la 1.ª jugada, el 1.º, el 11.º", "la primera jugada, el primero, el once"),
        ("¿(7)? «8»...", "¿(siete)? «ocho»..."),
        ("121% de 10-15", "ciento veintiuno por ciento de diez a quince"),
        ("007, 3.os, 1980s, 12345678901234567890", "007, 3.os, 1980s, 12345678901234567890"),
        ("", ""),
    ],
)  # fmt: skip
def test_write_out(text: str, words: str) -> None:
    assert write_out(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Tiene 23 jugadores y 1 gol.", "Tiene veintitrés jugadores y un gol."),
        ("1.234 goles, 3,5 puntos y 1.234.567,8 €.", "mil doscientos treinta y cuatro goles, tres punto cinco puntos y "
         "un millón doscientos treinta y cuatro mil quinientos sesenta y siete punto ocho €."),
        ("Sin figuras", "Sin figuras"),
        ("la versión 1.2.3 del F16", "la versión 1.2.3 del F16"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_a_voice_is_given(text: str, words: str) -> None:
    assert spoken(text, "es") == words
    assert spoken(text, "fr") == text
