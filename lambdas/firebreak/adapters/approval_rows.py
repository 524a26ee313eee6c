"""How approvals, votes and their audit records lie in the table. Free of pydantic, as the public function needs it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from firebreak.adapters.writes import Item
from firebreak.core.approval import Approval, Post, Question, Vote

REPLAY_KEPT = 900
"""Seconds a replay mark is kept at least: three times as long as a signature lives."""


def approval_key(approval: str) -> tuple[str, str]:
    """Key of an approval's row."""
    return f"APPROVAL#{approval}", "APPROVAL"


def token_key(approval: str) -> tuple[str, str]:
    """Key of the row of the task token that waits for an approval."""
    return f"TOKEN#{approval}", "TOKEN"


def listing(stand: str) -> str:
    """What approvals that stand so are listed under."""
    return f"approval#{stand}"


def stamp(moment: datetime) -> str:
    """A moment as text of fixed width in UTC, so that texts compare as moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def approval_row(approval: Approval) -> Item:
    """A new approval as its row."""
    pk, sk = approval_key(approval.id)
    return {
        "pk": pk,
        "sk": sk,
        "incident": approval.incident,
        "revision": approval.revision,
        "step": approval.step,
        "effect": approval.effect,
        "environment": approval.environment,
        "question": json.dumps(asdict(approval.question), ensure_ascii=False),
        "digest": approval.digest,
        "quorum": approval.quorum,
        "excluded": set(approval.excluded),
        "created_at": stamp(approval.created_at),
        "expires_at": stamp(approval.expires_at),
        "exec_deadline": stamp(approval.exec_deadline),
        "listing": listing("open"),
        "listed_at": stamp(approval.expires_at),
        **moving(approval),
    }


def moving(approval: Approval) -> Item:
    """The attributes of an approval that moves change."""
    return {
        "status": approval.status,
        "approvers": list(approval.approvers),
        "decided_at": _stamp_or_none(approval.decided_at),
        "decider": approval.decider,
        "reason": approval.reason,
        "holder": approval.holder,
        "version": approval.version,
        "head": approval.head,
    }


def read_approval(row: Mapping[str, Any]) -> Approval:
    """The approval in a row."""
    question: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(row["question"]).items()
    }
    return Approval(
        id=row["pk"].removeprefix("APPROVAL#"),
        incident=row["incident"],
        revision=row["revision"],
        step=row["step"],
        effect=row["effect"],
        environment=row["environment"],
        question=Question(**question),
        digest=row["digest"],
        quorum=row["quorum"],
        excluded=frozenset(row["excluded"]),
        status=row["status"],
        created_at=_moment(row["created_at"]),
        expires_at=_moment(row["expires_at"]),
        exec_deadline=_moment(row["exec_deadline"]),
        posting=_moment(row["posting"]) if "posting" in row else None,
        post=Post(channel=row["channel"], ts=row["ts"]) if "ts" in row else None,
        approvers=tuple(row["approvers"]),
        decided_at=_moment(row["decided_at"]) if row["decided_at"] else None,
        decider=row["decider"],
        reason=row["reason"],
        holder=row["holder"],
        version=row["version"],
        head=row["head"],
    )


def vote_row(vote: Vote) -> Item:
    """A vote as its row."""
    return {
        "pk": f"VOTE#{vote.approval}",
        "sk": vote.person,
        "choice": vote.choice,
        "digest": vote.digest,
        "route": vote.route,
        "principal": vote.principal,
        "reason": vote.reason,
        "at": stamp(vote.at),
    }


def read_vote(row: Mapping[str, Any]) -> Vote:
    """The vote in a row."""
    return Vote(
        approval=row["pk"].removeprefix("VOTE#"),
        person=row["sk"],
        choice=row["choice"],
        digest=row["digest"],
        route=row["route"],
        principal=row["principal"],
        reason=row["reason"],
        at=_moment(row["at"]),
    )


def replay_row(mark: str, now: datetime) -> Item:
    """The mark that a request was handled. `ttl` lets the table forget it, in seconds since 1970."""
    return {"pk": f"REPLAY#{mark}", "sk": "REPLAY", "at": stamp(now), "ttl": int(now.timestamp()) + REPLAY_KEPT}


def audit_row(
    incident: str,
    chain: str,
    sequence: int,
    at: datetime,
    event: str,
    actor: str,
    words: tuple[str, ...],
    previous: str = "",
) -> Item:
    """An audit record as its row: what `firebreak.core.audit.AuditRecord` is, hash included, without its import."""
    record = {
        "incident": incident,
        "chain": chain,
        "sequence": sequence,
        "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "event": event,
        "actor": actor,
        "words": list(words),
        "previous": previous,
    }
    body = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        "pk": f"AUDIT#{incident}",
        "sk": f"{chain}#{sequence:04d}",
        "hash": hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest(),
        "body": body,
    }


def _stamp_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
