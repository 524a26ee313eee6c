"""`firebreak explain`: which playbook decides about an event, which steps follow, and why not the others. Offline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, get_args

import click

from firebreak.cli.events import read_events
from firebreak.cli.exit_codes import MISUSED
from firebreak.cli.normalise import findings
from firebreak.cli.options import examples, json_option, pairs, scalar
from firebreak.cli.origin import origin_options
from firebreak.cli.show import heading, line, print_json, table, word
from firebreak.core.decision import Circumstances, Explanation
from firebreak.core.decision import explain as explained
from firebreak.core.display import clean
from firebreak.core.errors import InputError
from firebreak.core.finding import Finding
from firebreak.core.playbook import KINDS, Environment, Playbooks
from firebreak.core.source import Origin

LEADS_TO = {"pod": ("node", "instance"), "node": ("instance",), "host": ("node", "instance")}
"""What a target usually belongs to, by its kind; whether this one does, only a look-up tells."""


@click.command(
    epilog=examples(
        "firebreak explain finding.json",
        "firebreak explain finding.json --environment production --tag team=payments",
        "firebreak explain alert.json --fact kubernetes.namespace=kube-system --playbooks ../our/playbooks",
    )
)
@click.argument("file", type=click.File("rb"))
@click.option(
    "--playbooks",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("playbooks"),
    show_default=True,
    help="Folder of the playbooks.",
)
@click.option("--environment", type=click.Choice(get_args(Environment)), help="Suppose that the target serves this.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Suppose that the target has this tag.")
@click.option(
    "--fact",
    "facts",
    multiple=True,
    metavar="NAME=VALUE",
    help="Suppose that this was looked up; true, false, null and numbers are taken as such.",
)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(sorted(KINDS)), help="Suppose it leads to this.")
@origin_options
@json_option
@click.pass_context
def explain(
    ctx: click.Context,
    file: BinaryIO,
    folder: Path,
    environment: Environment | None,
    tags: tuple[str, ...],
    facts: tuple[str, ...],
    kinds: tuple[str, ...],
    origin: Origin,
    as_json: bool,
) -> None:
    """Say which playbook decides about an event, which steps follow, and why not the others.

    Nothing is looked up, at AWS or elsewhere: without --environment, --tag, --fact or --kind you see every playbook
    that could decide, and on what it depends. With one of them, what you do not say is taken as not found.

    FILE is as for `firebreak normalise`. With --json, one line comes out for each event.
    """
    from firebreak.operator_files import load_playbooks  # noqa: PLC0415 - imports every action, and YAML

    playbooks = load_playbooks(folder)
    supposed = {"tags": pairs("--tag", tags), "facts": {k: scalar(v) for k, v in pairs("--fact", facts).items()}}
    assumed = bool(environment or tags or facts or kinds)
    good = True
    for event in read_events(file):
        try:
            found = findings(event, origin)
        except InputError as error:
            good = False
            _unusable(str(error), as_json)
            continue
        explanations = [
            explained(
                playbooks,
                finding,
                Circumstances(environment=environment or "unknown", kinds=_kinds(finding, kinds), **supposed)
                if assumed or finding.order
                else None,
            )
            for finding in found
        ]
        if as_json:
            told = zip(found, explanations, strict=True)
            print_json({"ok": True, "findings": [_dumped(finding, explanation) for finding, explanation in told]})
            continue
        for finding, explanation in zip(found, explanations, strict=True):
            _show(finding, explanation, playbooks)
    ctx.exit(0 if good else MISUSED)


def _kinds(finding: Finding, supposed: Iterable[str]) -> frozenset[str]:
    named = {target.kind for target in finding.targets}
    led = {kind for name in named for kind in LEADS_TO.get(name, ())}
    return frozenset({*named, *led, *supposed})


def _dumped(finding: Finding, explanation: Explanation) -> dict[str, Any]:
    return {
        "key": finding.key,
        "type": finding.type,
        "severity": finding.severity.word,
        "posture": finding.posture,
        **explanation.model_dump(mode="json"),
    }


def _unusable(error: str, as_json: bool) -> None:
    if as_json:
        print_json({"ok": False, "error": error})
    else:
        click.echo(f"unusable: {clean(error, 1_000)}", err=True)


def _show(finding: Finding, explanation: Explanation, playbooks: Playbooks) -> None:
    line(f"{finding.source}: {clean(finding.type)}", bold=True)
    targets = ", ".join(f"{target.kind} {clean(target.label)}" for target in finding.targets) or "no target"
    line(f"  {word(finding.severity.word)} severity, account {finding.account}, {clean(finding.region)}")
    line(f"  {targets}")
    line(f"  posture {finding.posture}: {finding.posture_reason}")
    if explanation.decision is not None:
        _show_decision(explanation)
    else:
        _show_possible(explanation, playbooks)
    others = [reason for reason in explanation.reasons if reason.standing not in ("chosen", "possible")]
    if others:
        heading("Why not the others")
        table(("Playbook", "Standing", "Because"), [(r.playbook or "–", r.standing, r.because) for r in others])
    line()


def _show_decision(explanation: Explanation) -> None:
    decision = explanation.decision
    assert decision is not None
    line()
    if decision.playbook is None:
        line("No playbook decides." + (" People are told." if decision.notify else " Nobody is told."))
    else:
        line(f"Playbook {decision.playbook} decides." + (" People are told." if decision.notify else ""))
    for reason in decision.reasons:
        if reason.standing in ("chosen", "left out") or not reason.playbook:
            line(f"  {clean(reason.because, 1_000)}")
    if decision.steps:
        heading("Steps")
        rows = [(step.stage, step.action, step.effect, _consent(step.consent)) for step in decision.steps]
        table(("Stage", "Action", "Effect", "Consent"), rows)


def _show_possible(explanation: Explanation, playbooks: Playbooks) -> None:
    line()
    line("It depends on what is looked up. The first of these whose condition holds decides:")
    by_name = {playbook.name: playbook for playbook in playbooks.playbooks}
    because = {reason.playbook: reason.because for reason in explanation.reasons}
    rows = []
    for name in explanation.possible:
        playbook = by_name[name]
        steps = "\n".join(f"{step.action} ({_consent(step.consent)})" for step in playbook.steps)
        rows.append((str(playbook.priority), name, because[name], steps or "no steps"))
    for priority, name, condition, steps in rows:
        heading(f"{name} (priority {priority})")
        line(f"  {clean(condition, 1_000)}")
        for step in steps.splitlines():
            line(f"  - {step}")


def _consent(consent: str) -> str:
    return "asks a person" if consent == "ask" else "unasked, if the guard agrees"
