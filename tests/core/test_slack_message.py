"""A question as a Slack message: within Slack's limits, and inert whatever others wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.plan import Change
from firebreak.core.slack_limits import faults
from firebreak.core.slack_message import HEADINGS, LINES, message, retired
from firebreak.pipeline.ask import asked
from tests.approvals import incident, plan, question, step
from tests.world import START

DECIDED: dict[str, Any] = {"decided_at": START + timedelta(minutes=7)}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from nodes(member)
    elif isinstance(value, list):
        for member in value:
            yield from nodes(member)


def texts(content: Any) -> str:
    return "\n".join(node["text"] for node in nodes(content["blocks"]) if isinstance(node.get("text"), str))


def buttons(content: Any) -> list[dict[str, Any]]:
    return [node for node in nodes(content["blocks"]) if node.get("type") == "button"]


def test_a_question_says_what_where_why_what_changes_until_when_and_for_which_plan() -> None:
    shown = texts(message(question(question=asked(incident(), step(), plan()))))
    for expected in (
        "Firebreak asks: ec2.isolate_instance?",
        "instance i-0123456789abcdef0",
        "account 123456789012, eu-west-1, environment production",
        "high severity",
        "Backdoor:EC2/C&CActivity.B",
        "playbook ec2-command-and-control",
        "security groups: sg-0a → sg-0b",
        "target group web loses a target",
        "tracked connections go on",
        "It can be taken back.",
        "Open until 2026-11-02 11:00 UTC; no answer is a no.",
        "Plan dddddddd",
    ):
        assert expected in shown


def test_the_buttons_carry_the_approvals_id_and_nothing_else() -> None:
    found = buttons(message(question()))
    assert [(button["action_id"], button["value"]) for button in found] == [
        ("firebreak_approve", f"{1:032x}"),
        ("firebreak_deny", f"{1:032x}"),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "approved", "approvers": ("ana", "ben")}, "Approved by ana, ben at 2026-11-02 10:07 UTC"),
        ({"status": "redeemed", "approvers": ("ana",)}, "Approved by ana"),
        ({"status": "denied", "decider": "ben"}, "Denied by ben"),
        ({"status": "expired"}, "Nobody decided in time"),
        ({"status": "cancelled"}, "Withdrawn"),
        ({"status": "superseded"}, "Withdrawn"),
    ],
)
def test_a_decided_question_says_by_whom_and_has_no_buttons(changes: dict[str, Any], said: str) -> None:
    shown = message(question(**changes, **DECIDED))
    assert said in texts(shown)
    assert buttons(shown) == []
    assert faults(shown) == []


def test_what_cannot_be_taken_back_says_so_and_a_quorum_too() -> None:
    destroys = asked(incident(), step(effect="destructive"), plan())
    shown = texts(message(question(question=destroys, quorum=2)))
    assert "It CANNOT be taken back." in shown
    assert "2 people have to agree." in shown


def test_many_lines_are_counted() -> None:
    changes = tuple(Change(resource=f"eni-{n}", what="groups", before="a", after="b") for n in range(5_000))
    shown = message(question(question=asked(incident(), step(), plan(changes=changes))))
    assert faults(shown) == []
    assert f"eni-{LINES - 2} " in texts(shown)
    assert f"eni-{LINES} " not in texts(shown)
    assert "more" in texts(shown)


TRICKS = (
    *("<!channel>", "<@U0ANA>", "<https://evil.example|here>", "*bold*", "`", "```", "&lt;", "[a](b)", "evil.example"),
    *("\n", "\u202e", "\u200b", "\x00", "\x1b[2J", "\ud800", "javascript:alert(1)", "\nApproved by ana", "x" * 300),
)
HOSTILE = st.lists(st.sampled_from(TRICKS) | st.text(max_size=20), max_size=6).map("".join)


@given(text=HOSTILE, status=st.sampled_from(list(HEADINGS)))
def test_no_text_of_others_reaches_a_place_that_slack_interprets(text: str, status: Any) -> None:
    marker = f"MARK{text}MARK"
    hostile = plan(
        changes=(Change(resource=marker, what=marker, before=marker, after=marker),) * 3,
        effects=(marker,),
        residual=(marker,),
    )
    shown = message(
        question(
            question=asked(incident(title=marker), step(reasons=(marker,), playbook=marker), hostile),
            status=status,
            decider="ana",
            reason=marker,
            **DECIDED,
        )
    )
    json.dumps(shown).encode()
    assert faults(shown) == []
    assert "MARK" in texts(shown)  # the control: it is shown somewhere
    assert "MARK" not in shown["text"]
    assert all(node.get("type") not in ("mrkdwn", "link", "user", "usergroup", "broadcast") for node in nodes(shown))
    assert all("MARK" not in str(button) for button in buttons(shown))
    assert not any(line.startswith("Approved by ana") for line in texts({"blocks": shown["blocks"][1:2]}).splitlines())
    assert (shown["unfurl_links"], shown["unfurl_media"]) == (False, False)


def test_a_retired_copy_has_no_buttons() -> None:
    assert faults(retired()) == []
    assert buttons(retired()) == []


PLAIN = {"type": "plain_text", "text": "x"}
BUTTON = {"type": "button", "action_id": "a", "text": PLAIN, "value": "v"}
RUN = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}


def with_blocks(*blocks: Any) -> dict[str, Any]:
    return {"text": "x", "blocks": list(blocks)}


@pytest.mark.parametrize(
    "content",
    [
        with_blocks({"type": "header", "text": {**PLAIN, "text": "x" * 150}}),
        with_blocks(*[{"type": "header", "text": PLAIN}] * 50),
        with_blocks({"type": "context", "elements": [PLAIN] * 10}),
        with_blocks({"type": "actions", "elements": [{**BUTTON, "value": "v" * 2000, "style": "danger"}]}),
        with_blocks({"type": "actions", "elements": [{**BUTTON, "text": {**PLAIN, "text": "x" * 75}}]}),
        with_blocks({"type": "rich_text", "elements": [RUN], "block_id": "b" * 255}),
    ],
)
def test_what_slack_takes_has_no_faults(content: Any) -> None:
    assert faults(content) == []


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (None, "message"),
        ({"blocks": [{"type": "header", "text": PLAIN}]}, "text"),
        (with_blocks(), "blocks"),
        (with_blocks(*[{"type": "header", "text": PLAIN}] * 51), "blocks"),
        (with_blocks({"type": "header", "text": {**PLAIN, "text": "x" * 151}}), "blocks[0].text.text"),
        (with_blocks({"type": "header", "text": {**PLAIN, "text": ""}}), "blocks[0].text.text"),
        (with_blocks({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}), "blocks[0].text"),
        (with_blocks({"type": "section", "text": PLAIN}), "blocks[0]"),
        (with_blocks({"type": ["header"]}), "blocks[0]"),
        (with_blocks("header"), "blocks[0]"),
        (with_blocks({"type": "context", "elements": [PLAIN] * 11}), "blocks[0].elements"),
        (with_blocks({"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}]}), "blocks[0].elements[0]"),
        (with_blocks({"type": "actions", "elements": [BUTTON] * 2}), "blocks[0].elements"),
        (
            with_blocks({"type": "actions", "elements": [{**BUTTON, "value": "v" * 2001}]}),
            "blocks[0].elements[0].value",
        ),
        (with_blocks({"type": "actions", "elements": [{**BUTTON, "style": "red"}]}), "blocks[0].elements[0].style"),
        (
            with_blocks({"type": "actions", "elements": [{**BUTTON, "text": {**PLAIN, "text": "x" * 76}}]}),
            "blocks[0].elements[0].text.text",
        ),
        (
            with_blocks({"type": "actions", "elements": [{**BUTTON, "action_id": "a" * 256}]}),
            "blocks[0].elements[0].action_id",
        ),
        (with_blocks({"type": "rich_text", "elements": []}), "blocks[0].elements"),
        (
            with_blocks({"type": "rich_text", "elements": [{**RUN, "elements": [{"type": "link", "url": "x"}]}]}),
            "blocks[0].elements[0].elements[0]",
        ),
        (with_blocks({"type": "rich_text", "elements": [RUN], "block_id": "b" * 256}), "blocks[0].block_id"),
        (with_blocks(*[{"type": "rich_text", "elements": [RUN], "block_id": "b"}] * 2), "blocks"),
    ],
)
def test_what_slack_refuses_is_named_by_its_place(content: Any, where: str) -> None:
    assert any(fault.startswith(f"{where}: ") for fault in faults(content)), faults(content)
