"""`firebreak normalise`: events in, findings out, one line of JSON for each event."""

from __future__ import annotations

from typing import Any, BinaryIO

import click

from firebreak.cli.events import read_events
from firebreak.cli.exit_codes import BROKEN
from firebreak.cli.options import examples, json_option
from firebreak.cli.origin import origin_options
from firebreak.cli.show import print_json
from firebreak.core.errors import InputError
from firebreak.core.finding import Finding
from firebreak.core.intake import normalise as to_findings
from firebreak.core.model import Json
from firebreak.core.registry import sources
from firebreak.core.source import Origin


@click.command(
    epilog=examples(
        "firebreak normalise finding.json",
        "firebreak normalise events.jsonl | jq -r 'select(.ok | not) | .error'",
        "kubectl logs falco-x2b7p | firebreak normalise - --account 111122223333 --region eu-central-1 --cluster shop",
    )
)
@click.argument("file", type=click.File("rb"))
@origin_options
@json_option
@click.pass_context
def normalise(ctx: click.Context, file: BinaryIO, origin: Origin, as_json: bool) -> None:
    """Turn events into findings, one line of JSON for each.

    FILE holds JSON Lines, one event a line, or JSON: an event, a list of events, or several events one after another;
    "-" is standard input. An event is what EventBridge delivers, or a finding or alert without its envelope.

    For each event, in order, exactly one line comes out: {"ok":true,"findings":[…]} or {"ok":false,"error":"…"}. A
    line that cannot be read is such an event too. The exit code is 0 whenever every event got its answer: the answers
    tell what became of each. It is 2 only where the file cannot be read at all.
    """
    failed = False
    for event in read_events(file):
        reply, mine = answer(event, origin)
        failed |= mine
        print_json(reply)
    ctx.exit(BROKEN if failed else 0)


def answer(event: Json | InputError, origin: Origin) -> tuple[dict[str, Any], bool]:
    """Return the answer to one event, and whether a mistake of our own is behind it."""
    try:
        return {"ok": True, "findings": [finding.model_dump(mode="json") for finding in findings(event, origin)]}, False
    except InputError as error:
        return {"ok": False, "error": str(error)}, False
    except Exception as error:  # noqa: BLE001 - a mistake about one event must not cost the answers to all others
        return {"ok": False, "error": f"a mistake of Firebreak's own: {type(error).__name__}: {error}"}, True


def findings(event: Json | InputError, origin: Origin) -> tuple[Finding, ...]:
    """Return the findings of one event.

    Raises:
        InputError: it cannot be read, is not for Firebreak, or is unusable.
    """
    if isinstance(event, InputError):
        raise event
    return to_findings(event, origin, sources())
