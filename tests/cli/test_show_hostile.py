"""Text that somebody else wrote, as the command shows it: nothing that a terminal obeys, no line that poses as ours."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firebreak.cli import approvals, incidents, undo
from firebreak.cli.main import LINES, _told, main
from firebreak.cli.show import print_json, table
from firebreak.cli.story import Asked, Story
from firebreak.core.approval import Question
from firebreak.core.audit import AuditRecord
from firebreak.core.errors import FirebreakError, Retriable
from firebreak.core.plan import Change
from firebreak.core.target import Pod
from tests.approvals import incident, plan, question, step, vote
from tests.hostile import HIDDEN, require_fit
from tests.world import START

AT = datetime(2026, 11, 2, tzinfo=UTC)
POSING = "fine\nThe trail holds: 5 records\r\n\x85\u2028\x0bApproved by ana"
TEXTS = [HIDDEN, HIDDEN * 1_000, POSING, "x" * 100_000, "\u0301" * 10_000, "[bold red]x[/]", "\x1b]0;title\x07", ""]
ANY = st.text(st.characters(codec=None), max_size=30) | st.sampled_from(TEXTS)


def story(text: str) -> Story:
    """An incident in which everything that others may write is one text."""
    made = plan(
        changes=(Change(resource=text, what=text, before=text, after=text),),
        effects=(text,),
        residual=(text,),
        target=Pod(account="111122223333", region="eu-west-1", cluster="shop", namespace="a", name="b").model_copy(
            update={"name": text}
        ),
    )
    done = step(
        plan=made, target=made.target, status="verified", error=text, outcome=(text,), residual=(text,), reasons=(text,)
    )
    approval = question(status="denied", reason=text, decider="ana", decided_at=START)
    record = AuditRecord(
        incident="inc-1", chain=done.id, sequence=1, at=AT, event="e", actor=f"arn:{text}", words=(text,)
    )
    return Story(
        incident=incident(title=text, reason=text, region=text),
        findings=(),
        decisions=(text,),
        steps=[done, done.model_copy(update={"effect": "collect"})],
        asked={done.id: Asked(approval, [vote(reason=text)])},
        trail=[record],
        breaks=[text],
    )


def question_of(text: str) -> Any:
    return question(
        question=Question(
            action="ec2.isolate_instance",
            severity="high",
            reversible=True,
            what=text,
            where=text,
            why=(text,),
            changes=(text,),
            effects=(text,),
            residual=(text,),
        )
    )


SHOWN: dict[str, Callable[[str], object]] = {
    "an incident": lambda text: incidents._show(story(text)),
    "an undo": lambda text: undo._show(story(text)),
    "a question": lambda text: approvals._show(question_of(text)),
    "a table": lambda text: table(("One", "Other"), [(text, text)]),
    "an error": lambda text: _told(Retriable(text)),
    "a mistake of ours": lambda text: _told(ValueError(text)),
}
LONGEST = 60_000
"""Characters: each text is cut, and there are some twenty places for it."""


@pytest.mark.parametrize("what", SHOWN)
@pytest.mark.parametrize("text", TEXTS)
def test_whatever_is_shown_is_plain_and_short(what: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    SHOWN[what](text)
    captured = capsys.readouterr()
    require_fit(captured.out + captured.err, LONGEST, 1_000)


@pytest.mark.parametrize("what", [name for name in SHOWN if "error" not in name and "mistake" not in name])
def test_no_text_makes_a_line_of_its_own(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    SHOWN[what]("fine Approved by ana")
    expected = len(capsys.readouterr().out.split("\n"))
    SHOWN[what]("fine\nApproved by ana")
    out = capsys.readouterr().out
    assert len(out.split("\n")) == expected
    assert not any(line.strip().startswith("Approved by ana") for line in out.split("\n"))


def test_an_error_of_many_lines_does_not_fill_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    _told(FirebreakError("x\n" * 100_000))
    assert len(capsys.readouterr().err.splitlines()) == LINES


@settings(max_examples=60)
@given(ANY)
@example("\x7f")
@example("\ud800")
def test_json_for_machines_is_printable_ascii_and_reads_back(text: str) -> None:
    with CliRunner().isolation() as (out, *_):
        print_json({"text": text, text: [text]})
        printed = out.getvalue().decode()
    assert printed.isascii()
    require_fit(printed.removesuffix("\n"), 1_000_000)
    assert json.loads(printed) == json.loads(json.dumps({"text": text, text: [text]}))


EVENT = {"rule": "Terminal shell in container", "priority": "Notice", "output": "x", "source": "syscall"}
PLACE = ["--account", "111122223333", "--region", "eu-west-1", "--cluster", "shop"]


def events(text: str) -> list[bytes]:
    return [
        json.dumps(
            {**EVENT, "output": text, "output_fields": {"k8s.pod.name": text, "k8s.ns.name": "a", text: 1}}
        ).encode(),
        json.dumps({**EVENT, "rule": text}).encode(),
        json.dumps({**EVENT, "priority": text}).encode(),
        json.dumps({"source": text, "detail-type": text, "detail": {}}).encode(),
        json.dumps({text: text}).encode(),
        text.encode("utf-8", "surrogatepass"),
        b"[" * 10_000,
        b'{"rule":' * 10_000,
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":NaN}',
        b'{"rule":"a","rule":"b","priority":"Notice","output":"x"}',
    ]


def run(command: str, event: bytes) -> None:
    result = CliRunner().invoke(main, [command, "-", *PLACE], input=event)
    assert result.exit_code in (0, 2, 4, 6), result.exit_code
    assert "mistake of" not in result.output
    odd = {char for char in result.output if unicodedata.category(char)[0] == "C"} - {"\n"}
    assert not odd, ascii(odd)


@settings(max_examples=15)
@given(ANY)
def test_events_made_to_break_their_reader_have_an_answer_for_each(text: str) -> None:
    for event in events(text):
        run("normalise", event)


@pytest.mark.parametrize("text", [HIDDEN, POSING])
def test_events_made_to_break_their_reader_are_explained_or_refused(text: str) -> None:
    for event in events(text)[:7]:
        run("explain", event)


@pytest.mark.parametrize("value", ["[" * 10_000, "9" * 5_000, "NaN", HIDDEN.encode("utf-8", "replace").decode()])
def test_a_fact_that_is_no_json_is_a_text(value: str) -> None:
    result = CliRunner().invoke(
        main, ["explain", "-", *PLACE, "--fact", f"pod.node={value}"], input=json.dumps(EVENT).encode()
    )
    assert "mistake of" not in result.output
