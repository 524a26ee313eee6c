"""A question as a Slack message.

What others may have written stands in `rich_text` and `plain_text` only, where Slack interprets nothing; the fallback
text, which it does interpret, is made of our own words. Source: "Block Kit reference", Slack developer documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from firebreak.core.approval import Approval, Question
from firebreak.core.slack_request import ACTION_IDS

Block = dict[str, Any]

METADATA = "firebreak_approval"
"""The type of the metadata by which a message is found again when the answer to its post was lost."""

LINES = 12
"""Lines of one part; the rest is counted. `firebreak approvals show` has all of them."""

HEADINGS = {
    "pending": "Firebreak asks",
    "approved": "Approved",
    "redeemed": "Approved",
    "denied": "Denied",
    "expired": "Expired",
    "cancelled": "Withdrawn",
    "superseded": "Withdrawn",
}


def message(approval: Approval) -> dict[str, Any]:
    """Return the message that shows where an approval stands: the members of chat.postMessage and chat.update."""
    asked = approval.question
    heading = f"{HEADINGS[approval.status]}: {asked.action}"
    blocks: list[Block] = [
        {"type": "header", "text": _plain(f"{heading}?" if approval.status == "pending" else heading)},
        {"type": "rich_text", "elements": list(_parts(asked))},
        {"type": "context", "elements": [_plain(line) for line in _standing(approval)]},
    ]
    if approval.status == "pending":
        blocks.append(_buttons(approval))
    return {
        "text": f"{heading} ({asked.severity})",
        "blocks": blocks,
        "metadata": {"event_type": METADATA, "event_payload": {"approval": approval.id}},
        "unfurl_links": False,
        "unfurl_media": False,
    }


def retired() -> dict[str, Any]:
    """Return what replaces a copy of a question, posted because the answer to the first post was lost."""
    text = "Asked twice by mistake; the other message is the one that counts."
    return {"text": text, "blocks": [{"type": "context", "elements": [_plain(text)]}]}


def _parts(asked: Question) -> Iterable[Block]:
    undo = "It can be taken back." if asked.reversible else "It CANNOT be taken back."
    yield from _part("What", (asked.what, undo))
    yield from _part("Where", (asked.where,))
    yield from _part("Why", (f"{asked.severity} severity", *asked.why))
    yield from _part("Changes", asked.changes)
    yield from _part("What follows from it", asked.effects)
    yield from _part("What stays possible", asked.residual)


def _part(title: str, lines: tuple[str, ...]) -> Iterable[Block]:
    if not lines:
        return
    shown = lines if len(lines) <= LINES else (*lines[: LINES - 1], f"and {len(lines) - LINES + 1} more")
    yield {"type": "rich_text_section", "elements": [{"type": "text", "text": title, "style": {"bold": True}}]}
    yield {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "\n".join(shown)}]}


def _standing(approval: Approval) -> Iterable[str]:
    yield f"Plan {approval.digest[:8]}, incident {approval.incident}, approval {approval.id[:8]}"
    if approval.status == "pending":
        quorum = f"{approval.quorum} people have to agree. " if approval.quorum > 1 else ""
        yield f"{quorum}Open until {approval.expires_at:%Y-%m-%d %H:%M} UTC; no answer is a no."
    elif approval.status in ("approved", "redeemed"):
        yield f"Approved by {', '.join(approval.approvers)}{_at(approval)}"
    elif approval.status == "denied":
        yield f"Denied by {approval.decider}{_at(approval)}"
    elif approval.status == "expired":
        yield f"Nobody decided in time, which is a no{_at(approval)}"
    else:
        yield f"Withdrawn{_at(approval)}: nothing is to be decided any more"


def _at(approval: Approval) -> str:
    return f" at {approval.decided_at:%Y-%m-%d %H:%M} UTC" if approval.decided_at else ""


def _buttons(approval: Approval) -> Block:
    looks = {"approve": ("Approve", "primary"), "deny": ("Deny", "danger")}
    return {
        "type": "actions",
        "block_id": f"firebreak-{approval.id}",
        "elements": [
            {
                "type": "button",
                "action_id": action_id,
                "text": _plain(looks[choice][0]),
                "style": looks[choice][1],
                "value": approval.id,
            }
            for action_id, choice in ACTION_IDS.items()
        ],
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
