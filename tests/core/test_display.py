"""Text that somebody else wrote."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core import display
from firebreak.core.display import CAP, clean, defang, untrusted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("i-0123456789abcdef0", "i-0123456789abcdef0"),
        ("Grüße, 世界", "Grüße, 世界"),
        ("cafe\u0301", "café"),
        ("fine\nApproved by ana", "fine⏎Approved by ana"),
        ("a\r\nb\u2028c\x85d", "a⏎b⏎c⏎d"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("pay\u200bload\ufeff\u2060", "payload"),
        ("\x1b[31mred\x00", "[31mred"),
        ("a\u2066b\u2069c\u00adse", "abcse"),
        ("\ud800half", "half"),
        ("a\tb\u00a0c", "a b c"),
        ("\u3164\ufe0f", ""),
        (None, "None"),
    ],
)
def test_only_what_is_visible_remains_and_on_one_line(text: object, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://evil.example/x?y=1", "hxxps[:]//evil[.]example/x?y=1"),
        ("HTTP://EVIL.EXAMPLE", "hxxp[:]//EVIL[.]EXAMPLE"),
        ("ftp://files.example", "ftp[:]//files[.]example"),
        ("go to evil.example.com now", "go to evil[.]example[.]com now"),
        ("javascript:alert(1)", "javascript[:]alert(1)"),
        ("[text](https://evil.example)", "[text](hxxps[:]//evil[.]example)"),
        ("10.0.1.7", "10.0.1.7"),
        ("Backdoor:EC2/C&CActivity.B!DNS", "Backdoor:EC2/C&CActivity.B!DNS"),
        ("v1.2, python3.11", "v1.2, python3.11"),
        ("arn:aws:ec2:eu-west-1:111122223333:instance/i-0", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0"),
    ],
)
def test_nothing_reads_as_a_link(text: str, shown: str) -> None:
    assert defang(text) == shown


def test_a_long_text_says_that_it_was_cut() -> None:
    assert untrusted("x" * CAP) == "x" * CAP
    assert untrusted("x" * (CAP + 1)) == "x" * (CAP - 1) + "…"
    assert clean("\u200b" * 10_000 + "the point") == "…"
    assert len(untrusted("a.b" * 1_000_000)) == CAP


def test_marks_heaped_on_a_letter_are_few_and_no_long_run_is_ever_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    sorted_: list[int] = []

    class Counted:
        """Python's own table, with the longest run of marks that it had to sort."""

        def __getattr__(self, name: str) -> Any:
            return getattr(unicodedata, name)

        def normalize(self, form: Any, text: str) -> str:
            runs = "".join("x" if unicodedata.combining(char) else " " for char in text).split()
            sorted_.append(max(map(len, runs), default=0))
            return unicodedata.normalize(form, text)

    monkeypatch.setattr(display, "unicodedata", Counted())
    shown = clean("a" + "\u0301\u0323" * 20_000 + "b", 2_000)
    assert max(sorted_) <= display.MARKS
    assert len(shown) <= display.MARKS + 2
    assert clean("a\u0301\u0323") == unicodedata.normalize("NFC", "a\u0301\u0323")


@given(st.text("a\u0301\u0323\u0344\u0958\u093c\u1100\u1161\u034f", max_size=150))
def test_cleaning_marks_twice_is_doing_it_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_cleaning_and_defanging_twice_is_doing_it_once(text: str) -> None:
    for make in (clean, defang, untrusted):
        assert make(make(text)) == make(text)


@given(st.text(max_size=400))
def test_whatever_comes_is_short_visible_and_links_nowhere(text: str) -> None:
    shown = untrusted(text)
    assert len(shown) <= CAP
    assert not any(unicodedata.category(char)[0] == "C" for char in shown)
    assert "\n" not in shown
    assert "://" not in shown
    assert unicodedata.normalize("NFC", shown) == shown
