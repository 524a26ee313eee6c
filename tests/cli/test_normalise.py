"""`firebreak normalise`: one answer for every event, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from firebreak.cli.main import main
from firebreak.core import registry
from firebreak.core.finding import Finding

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "findings"
PLACE = ("--account", "111122223333", "--region", "eu-west-1", "--cluster", "shop")


def event(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def run(text: str | bytes, *options: str) -> tuple[Result, list[Any]]:
    """Pipe a text in; return the result and the answers."""
    result = CliRunner().invoke(main, ["normalise", "-", *options], input=text)
    lines = result.stdout.split("\n")
    assert lines.pop() == ""
    return result, [json.loads(line) for line in lines]


def test_findings_and_errors_come_out_in_the_order_of_the_events() -> None:
    events = [event("guardduty/instance-dns"), {"source": "aws.ec2", "detail-type": "x"}, event("guardduty/access-key")]
    result, answers = run("\n".join(map(json.dumps, events)))
    assert result.exit_code == 0
    assert [answer["ok"] for answer in answers] == [True, False, True]
    found = [Finding.model_validate(finding) for finding in answers[0]["findings"]]
    assert found == [Finding.model_validate(finding) for finding in event("guardduty/instance-dns.golden")]
    assert answers[1] == {"ok": False, "error": "not for Firebreak: 'aws.ec2' 'x'"}
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[1, 2]\n{}", "an event is a JSON object, this is a list of 2"),
        ("7", "an event is a JSON object, this is a number"),
        ("{}", "the event is an empty object"),
        ('{"id":NaN}', "holds a number that cannot be used"),
        ('{"id":Infinity}', "holds a number that cannot be used"),
        ('{"id":1e999}', "holds a number that cannot be used"),
        ('{"id":"\\ud800"}', "half a UTF-16 surrogate pair"),
        ('{"id":' + "[" * 150 + "]" * 150 + "}", "nested deeper than 100 levels"),
        ('{"id":' + "[" * 90_000 + "]" * 90_000 + "}", "nested too deep to be read"),
        ('{"id":' + "9" * 5_000 + "}", "4300"),
        ('{"id":"' + "x" * 1_100_000 + '"}', "an event has at most 1,048,576"),
        ('{"id":', "not JSON"),
        (b'{"id":"\xe9"}', "not UTF-8"),
    ],
)
def test_what_is_no_event_is_answered_with_the_reason(text: str | bytes, error: str) -> None:
    result, answers = run(text)
    assert (result.exit_code, result.stderr) == (0, "")
    assert answers[0]["ok"] is False
    assert error in answers[0]["error"]


def test_a_finding_of_the_api_is_refused_as_such() -> None:
    _, answers = run(json.dumps(event("guardduty/error-api-form-bare")))
    assert "GetFindings" in answers[0]["error"]


def test_a_sample_is_a_finding_that_is_flagged() -> None:
    _, answers = run(json.dumps(event("guardduty/sample-by-flag")))
    assert [finding["sample"] for finding in answers[0]["findings"]] == [True]


def test_bare_forms_need_to_be_told_where_they_come_from() -> None:
    bare = json.dumps(event("falco/raw")["detail"]["alert"] if "detail" in event("falco/raw") else event("falco/raw"))
    _, (lacking,) = run(bare)
    assert lacking["ok"] is False
    assert "account" in lacking["error"]
    _, (told,) = run(bare, *PLACE)
    assert [(finding["account"], finding["region"]) for finding in told["findings"]] == [("111122223333", "eu-west-1")]


def test_the_output_is_plain_ascii_whatever_comes_in() -> None:
    dressed = event("guardduty/instance-dns")
    dressed["detail"]["title"] = "\u202e\x1b[31mred\u2028\x85 ünï"
    result, answers = run(json.dumps(dressed, ensure_ascii=False))
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout
    assert len(answers) == 1


def test_a_mistake_about_one_event_does_not_cost_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    source = registry.sources()["guardduty"]
    known = source.normalise

    def breaks(given: dict[str, Any], origin: Any) -> Any:
        if given.get("id") == "break":
            raise KeyError("id")
        return known(given, origin)

    monkeypatch.setattr(source, "normalise", breaks)
    good = event("guardduty/instance-dns")
    result, answers = run("\n".join(map(json.dumps, [good, {**good, "id": "break"}, good])))
    assert [answer["ok"] for answer in answers] == [True, False, True]
    assert answers[1]["error"] == "a mistake of Firebreak's own: KeyError: 'id'"
    assert result.exit_code == 1


def test_nothing_in_is_nothing_out() -> None:
    result, answers = run("")
    assert (result.exit_code, answers) == (0, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-file.json"], "No such file"),
        (["-", "--account", "123"], "12 digits"),
        (["-", "--account", "١" * 12], "12 digits"),
        (["-", "--nonsense"], "No such option"),
        ([], "Missing argument"),
        (["."], "Is a directory"),
    ],
)
def test_what_cannot_be_begun_is_one_line_and_exit_code_two(words: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["normalise", *words])
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_text_in_utf_16_is_told_what_to_do() -> None:
    result = CliRunner().invoke(main, ["normalise", "-"], input="{}".encode("utf-16"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "save it as UTF-8" in result.stderr


@settings(max_examples=60)
@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=10,
        ),
        min_size=2,
        max_size=6,
    )
)
def test_every_line_of_json_gets_one_answer(values: list[Any]) -> None:
    text = "\n".join(json.dumps(value) for value in values)
    result, answers = run(text)
    assert result.exit_code == 0
    assert len(answers) == len(values)
