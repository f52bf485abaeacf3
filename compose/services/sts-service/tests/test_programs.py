"""External programs: their locale, and what they say."""

import pytest

from sts_service import programs
from sts_service.translation import ApertiumTranslator, TranslationError


def test_a_program_has_a_locale_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    monkeypatch.setenv("LANG", "xx_XX.UTF-8")
    assert programs.run(["locale", "charmap"]).strip() == b"UTF-8"
    assert ApertiumTranslator().translate("The ball is red", "en", "es") == "La bola es roja"


def test_where_there_is_no_text_its_errors_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    translator = ApertiumTranslator()
    monkeypatch.setattr(programs, "run_saying", lambda *_: (b"\n", "no locale"))
    with pytest.raises(TranslationError, match=r"gave no text for 'hello': no locale$"):
        translator.translate("hello", "en", "es")


def test_what_a_program_says_is_kept_apart() -> None:
    assert programs.run_saying(["sh", "-c", "echo out; echo err >&2"]) == (b"out\n", "err")
    with pytest.raises(programs.ProgramError, match="ended with 3: err"):
        programs.run_saying(["sh", "-c", "echo err >&2; exit 3"])
