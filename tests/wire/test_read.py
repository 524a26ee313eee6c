"""The careful readers: a usable value or None, whatever is there."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.wire import read
from tests.wire.anything import ANYTHING

READERS = (
    read.objects,
    read.texts,
    read.name,
    read.prose,
    read.number,
    read.flag,
    read.account,
    read.region,
    read.partition,
    read.ip,
    read.domain,
    read.moment,
    read.inner_json,
    lambda value: read.whole(value, 0, 10),
    lambda value: read.member(value, "a", "b"),
    lambda value: read.arn_resource(value, "s3"),
)


@given(ANYTHING)
def test_no_reader_raises(value: Any) -> None:
    for reader in READERS:
        reader(value)


@given(ANYTHING)
def test_what_is_read_can_be_stored(value: Any) -> None:
    for text in (read.name(value), read.prose(value), read.domain(value), read.ip(value), *read.texts(value)):
        if text is not None:
            assert text.encode("utf-8").decode() == text
            assert 0 < len(text) <= read.TEXT_LIMIT


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", 5),
        ("5.0", 5.0),
        ("+3", 3),
        (" 4 ", 4),
        ("5.", 5.0),
        (5, 5),
        (5.5, 5.5),
        (True, None),
        ("1e3", None),
        ("0x1", None),
        ("٥", None),
        ("", None),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
        ([5], None),
    ],
)
def test_numbers_come_as_numbers_or_their_text(value: Any, expected: float | None) -> None:
    assert read.number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0", 0), (10, 10), (10.0, 10), (10.5, None), (11, None), (-1, None), ("ten", None), (1e308, None)],
)
def test_whole_numbers_have_bounds(value: Any, expected: int | None) -> None:
    assert read.whole(value, 0, 10) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.example", "a.example"),
        ("A.Example.", "a.example"),
        ("_dmarc.a.example", "_dmarc.a.example"),
        ("localhost", None),
        ("a..example", None),
        ("a.example\n", None),
        ("-a.example", None),
        ("a b.example", None),
        (f"{'a' * 64}.example", None),
        (".".join(["a" * 60] * 5), None),
        ("<script>.example", None),
    ],
)
def test_a_domain_is_one_by_its_characters(value: str, expected: str | None) -> None:
    assert read.domain(value) == expected


@pytest.mark.parametrize(
    ("arn", "service", "expected"),
    [
        ("arn:aws:eks:eu-west-1:111122223333:cluster/prod", "eks", "cluster/prod"),
        ("arn:aws:s3:::bucket/a:b", "s3", "bucket/a:b"),
        ("arn:aws:s3:::bucket", "eks", None),
        ("arn:aws:s3:::", "s3", None),
        ("bucket", "s3", None),
        (None, "s3", None),
    ],
)
def test_an_arn_gives_its_resource(arn: Any, service: str, expected: str | None) -> None:
    assert read.arn_resource(arn, service) == expected


@given(st.integers(10**11, 7 * 10**12))  # 1973 to 2191; smaller numbers would be seconds
def test_every_form_of_a_time_is_the_same_time(milliseconds: int) -> None:
    at = read.EPOCH + timedelta(milliseconds=milliseconds)
    for form in (
        at.isoformat(),
        at.isoformat().replace("+00:00", "Z"),
        at.replace(tzinfo=None).isoformat(" "),
        milliseconds,
        milliseconds * 10**3,
        milliseconds * 10**6,
        str(milliseconds * 10**6),
    ):
        assert read.moment(form) == at
    assert read.moment(milliseconds // 1000) == at.replace(microsecond=0)


@pytest.mark.parametrize("value", ["", "soon", "0001-01-01T00:00:00Z", -5, 10**30, "9" * 29, True, [], "2026-13-01"])
def test_what_is_no_time_is_none(value: Any) -> None:
    assert read.moment(value) is None


def test_json_inside_a_text_is_read_if_it_is_json() -> None:
    assert read.inner_json('{"a": 1}') == {"a": 1}
    for text in ("{", "[" * 100_000, "1" * 5_000, json.dumps("x")[:-1]):
        assert read.inner_json(text) is None
