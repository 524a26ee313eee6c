"""`firebreak dlq`: messages of the lanes that could not be handled, why, and another try."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import click

from firebreak.cli.console import Console, now
from firebreak.cli.options import examples, json_option, on_deployment, yes_option
from firebreak.cli.show import confirmed, line, print_json, span, table
from firebreak.core.dead_letter import DeadLetter, DeadLetters
from firebreak.core.errors import Refused, TargetMissing
from firebreak.core.incident import Lane

LANES: tuple[Lane, ...] = get_args(Lane)
lane_option = click.option("--lane", type=click.Choice(LANES), help="Only this lane.")


@click.group()
def dlq() -> None:
    """Messages that could not be handled, and another try."""


@dlq.command(name="list", epilog=examples("firebreak dlq list", "firebreak dlq list --lane urgent --json"))
@lane_option
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="At most so many a lane.")
@on_deployment
@json_option
def list_(console: Console, lane: Lane | None, limit: int, as_json: bool) -> None:
    """List the messages that could not be handled, with the reason. Takes nothing out."""
    letters, total = list[DeadLetter](), 0
    for queue in _lanes(console, lane).values():
        letters += queue.look(limit)
        total += queue.count()
    more = max(total - len(letters), 0)
    if as_json:
        print_json({"messages": [letter.model_dump(mode="json") for letter in letters], "more": more})
        return
    if not letters:
        line("Nothing was laid aside.")
        return
    _table(letters)
    if more:
        line(f"… and about {more} more; --limit shows them")
    line("`firebreak dlq redrive` sends them back, once what was wrong is put right; --json shows them whole.")


@dlq.command(
    epilog=examples(
        "firebreak dlq redrive --lane urgent",
        "firebreak dlq redrive --message 0b6a3f0e-5c1d-4d6a-9f51-2f0c8a7f8d11",
    )
)
@lane_option
@click.option("--message", "messages", multiple=True, help="Only the message of this id; can be given repeatedly.")
@on_deployment
@yes_option
@json_option
def redrive(console: Console, lane: Lane | None, messages: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Send messages back into their lane, to be handled like new ones.

    A message leaves the dead letters only after its lane has it. If this command dies in between, the message comes
    twice, which does no harm. What still cannot be handled is laid aside again, after some minutes.
    """
    queues = _lanes(console, lane)
    what = (
        f"{len(messages)} messages" if messages else f"about {sum(queue.count() for queue in queues.values())} messages"
    )
    if not confirmed(f"Send {what} back?", yes):
        raise Refused("nothing was sent: you said no")
    only = frozenset(messages) if messages else None
    sent = list[DeadLetter]()
    for queue in queues.values():
        for letter in queue.redrive(only):
            sent.append(letter)
            if not as_json:
                line(f"sent back: {letter.lane} {letter.id}")
    if as_json:
        print_json({"sent": [{"lane": letter.lane, "id": letter.id} for letter in sent]})
    else:
        line(f"{len(sent)} messages were sent back.")
    if missing := set(messages) - {letter.id for letter in sent}:
        raise TargetMissing(
            f"no message {', '.join(sorted(missing))} is laid aside; `firebreak dlq list` shows which are"
        )


def _lanes(console: Console, lane: Lane | None) -> dict[Lane, DeadLetters]:
    rows = console.wiring.table()
    return {each: console.wiring.dead_letters(rows, each) for each in LANES if lane in (None, each)}


def _table(letters: Iterable[DeadLetter]) -> None:
    rows = [(letter.lane, letter.id, span(now() - letter.sent_at), letter.error) for letter in letters]
    table(("Lane", "Message", "Age", "Error"), rows)
