"""`firebreak approvals`: questions that wait for a person. An answer goes through the API's own door, under IAM."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from firebreak.cli.console import Console, now
from firebreak.cli.options import examples, json_option, on_deployment, yes_option
from firebreak.cli.show import confirmed, heading, line, moment, print_json, span, table, word
from firebreak.core.approval import Approval, Choice
from firebreak.core.display import clean
from firebreak.core.errors import Refused, TargetMissing

SHORTEST = 4
"""Characters of an id that may stand for the whole."""


@click.group()
def approvals() -> None:
    """Questions that wait for a person, and your answer."""


@approvals.command(name="list", epilog=examples("firebreak approvals list", "firebreak approvals list --json"))
@on_deployment
@json_option
def list_(console: Console, as_json: bool) -> None:
    """List the questions that wait for an answer, the most urgent first."""
    found = _open(console)
    if as_json:
        print_json([_dumped(approval) for approval in found])
        return
    if not found:
        line("Nobody is asked anything.")
        return
    rows = [
        (
            approval.id[:8],
            approval.incident,
            span(approval.expires_at - now()),
            approval.question.severity,
            approval.effect,
            f"{approval.question.action} on {approval.question.what}",
        )
        for approval in found
    ]
    table(("Question", "Incident", "Expires in", "Severity", "Effect", "What"), rows)
    line("Answer with `firebreak approvals approve ID` or `firebreak approvals deny ID --reason …`.")


@approvals.command(
    epilog=examples("firebreak approvals approve 3f9c2a71", "firebreak approvals approve 3f9c2a71 --yes")
)
@click.argument("approval")
@click.option("--reason", default="", help="Why; it stays in the trail.")
@on_deployment
@yes_option
@json_option
def approve(console: Console, approval: str, reason: str, yes: bool, as_json: bool) -> None:
    """Say yes to one plan.

    APPROVAL is the question's id, or its beginning. The plan is shown first, and your yes holds for exactly this plan.
    Whether you may answer is decided by firebreak.yaml and by your AWS identity. Saying it twice is saying it once.
    """
    _answer(console, approval, "approve", reason, yes, as_json)


@approvals.command(epilog=examples('firebreak approvals deny 3f9c2a71 --reason "this host is the honeypot"'))
@click.argument("approval")
@click.option("--reason", required=True, help="Why; it stays in the trail.")
@on_deployment
@yes_option
@json_option
def deny(console: Console, approval: str, reason: str, yes: bool, as_json: bool) -> None:
    """Say no to one plan. One no is enough.

    APPROVAL is the question's id, or its beginning.
    """
    if not clean(reason).strip():
        raise click.BadParameter("say why", param_hint="--reason")
    _answer(console, approval, "deny", reason, yes, as_json)


def _answer(console: Console, given: str, choice: Choice, reason: str, yes: bool, as_json: bool) -> None:
    asked = _find(console, given)
    if asked.status != "pending" or asked.expires_at <= now():
        status = "expired" if asked.status == "pending" else asked.status
        raise Refused(f"question {asked.id[:8]} is {status}; nothing can be said about it any more")
    if not as_json:
        _show(asked)
    if not confirmed(f"{choice.capitalize()} this plan?", yes):
        raise Refused("nothing was said: you did not agree")
    console.wiring.approval_api().vote(asked.id, choice, asked.digest, reason)
    if as_json:
        print_json({"approval": asked.id, "choice": choice, "digest": asked.digest})
        return
    line(f"Your word is taken: {choice}.")
    if choice == "approve" and asked.quorum > 1:
        line(f"It takes {asked.quorum} different people; `firebreak approvals list` shows whether it still waits.")


def _open(console: Console) -> list[Approval]:
    found = console.wiring.approvals(console.wiring.table()).listed("open")
    return [approval for approval in found if approval.expires_at > now()]


def _find(console: Console, given: str) -> Approval:
    """Return the question of an id, or the open one whose id begins so."""
    word = given.strip().lower()
    exact = console.wiring.approvals(console.wiring.table()).get(word)
    if exact is not None:
        return exact
    found = [approval for approval in _open(console) if len(word) >= SHORTEST and approval.id.startswith(word)]
    if len(found) > 1:
        raise click.UsageError(f"{given!r} begins the ids of {len(found)} questions; give more of it")
    if not found:
        raise TargetMissing(f"no question {given!r} waits for an answer; `firebreak approvals list` shows which do")
    return found[0]


def _show(asked: Approval) -> None:
    question = asked.question
    line(f"{question.action} on {clean(question.what)}", bold=True)
    line(f"  {clean(question.where)}; incident {asked.incident}, {word(question.severity)} severity")
    undone = "can be taken back" if question.reversible else "cannot be taken back"
    line(f"  {asked.effect}: {undone}")
    line(f"  plan {asked.digest[:12]}, expires {moment(asked.expires_at)} (UTC), needs {asked.quorum}")
    for title, lines in (
        ("Why", question.why),
        ("Changes", question.changes),
        ("Follows", question.effects),
        ("Still possible", question.residual),
    ):
        if lines:
            heading(title)
            for each in lines:
                line(f"  {clean(each, 1_000)}")
    line()


def _dumped(approval: Approval) -> dict[str, Any]:
    return {
        "id": approval.id,
        "incident": approval.incident,
        "step": approval.step,
        "effect": approval.effect,
        "environment": approval.environment,
        "digest": approval.digest,
        "quorum": approval.quorum,
        "status": approval.status,
        "created_at": approval.created_at.isoformat(),
        "expires_at": approval.expires_at.isoformat(),
        "question": asdict(approval.question),
    }
