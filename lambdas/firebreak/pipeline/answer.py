"""Answer: the door through which votes come in, public for Slack and under IAM for the command line.

It proves who asks, whether that person may, and takes the vote; what becomes of votes is decided elsewhere. A refusal
says the same whatever its cause, so that nobody learns by trying which approvals exist, who may answer them and how
they stand; the audit record has the true cause. Slack shows a refusal to the person who pressed, and to nobody else:
an answer other than 200 puts a warning beside the button. Free of pydantic, as everything it imports.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from firebreak.clock import Clock
from firebreak.core.approval import Approval, Choice, Post, Route, Vote, objection
from firebreak.core.approvers import Approvers
from firebreak.core.display import clean
from firebreak.core.slack_request import Unusable, Unverified, click, is_approval_id, verified_body
from firebreak.ports_approval import Ballot

SLACK_ROUTE = "POST /slack/interactions"
IAM_ROUTE = "POST /approvals/{id}"

REASON = 500
"""Characters kept of a reason."""
MAX_REQUEST = 16 * 1024
DIGEST = re.compile(r"[0-9a-f]{8,64}")
"""A digest or its start: it goes into the log and the audit trail, so it is nothing else."""
CHOICES: dict[str, Choice] = {"approve": "approve", "deny": "deny"}

UNVERIFIED = "This request is not authentic, or too old."
UNUSABLE = "This request cannot be understood."
REFUSAL = (
    "This cannot be answered by you, here or any more. "
    "`firebreak approvals list` shows what is open, firebreak.yaml who may answer."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """A vote that somebody tries to give, with who they are proven to be.

    Attributes:
        principal: who the door says it is.
        person: whom the settings know under that, or None.
        digest: the start of the plan's digest as the person gave it, "" where the door shows it itself.
        post: the message it was pressed in; None on a door without messages.
        mark: what makes the request this request.
    """

    approval: str
    choice: Choice
    route: Route
    principal: str
    person: str | None
    reason: str
    digest: str
    post: Post | None
    mark: str
    at: datetime


@dataclass(frozen=True)
class Answer:
    """The use case.

    Args:
        signing_secrets: returns Slack's signing secrets that hold now.
    """

    ballot: Ballot
    approvers: Approvers
    signing_secrets: Callable[[], Sequence[str]]
    clock: Clock

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one request of the HTTP API (payload format 2.0).

        Raises:
            FirebreakError: an outage of ours: table or secret out of reach.
        """
        now = self.clock()
        try:
            route = event.get("routeKey")
            if route == SLACK_ROUTE:
                attempt = self._pressed(event, now)
            elif route == IAM_ROUTE:
                attempt = self._called(event, now)
            else:
                raise Unusable("no such route")
            taken = attempt is not None and self._vote(attempt)
        except Unverified as error:
            log.warning("unverified: %s", error)
            return _response(401, UNVERIFIED)
        except Unusable as error:
            log.warning("unusable: %s", error)
            return _response(400, UNUSABLE)
        return _response(200, "") if taken else _response(403, REFUSAL)

    def _pressed(self, event: Mapping[str, Any], now: datetime) -> Attempt | None:
        body, mark = verified_body(event, self.signing_secrets, now.timestamp())
        pressed = click(body)
        if not self.approvers.from_slack(pressed.app, pressed.team, pressed.enterprise):
            log.warning("refused: from app %s, workspace %s", pressed.app, pressed.team or pressed.enterprise)
            return None
        return Attempt(
            approval=pressed.approval,
            choice=pressed.choice,
            route="slack",
            principal=f"{pressed.team or pressed.enterprise}/{pressed.user}",
            person=self.approvers.member(pressed.user),
            reason="",
            digest="",
            post=Post(channel=pressed.channel, ts=pressed.ts),
            mark=mark,
            at=now,
        )

    def _called(self, event: Mapping[str, Any], now: datetime) -> Attempt:
        context = event.get("requestContext")
        arn = _at(context, "authorizer", "iam", "userArn")
        request = _at(context, "requestId")
        if not isinstance(arn, str) or not isinstance(request, str):
            raise Unverified("no caller")
        approval = _at(event, "pathParameters", "id")
        if not is_approval_id(approval):
            raise Unusable("the path holds no approval id")
        said = _said(event)
        return Attempt(
            approval=str(approval),
            choice=CHOICES[said["decision"]],
            route="iam",
            principal=clean(arn, 600),
            person=self.approvers.caller(arn),
            reason=clean(said["reason"], REASON),
            digest=said["digest"],
            post=None,
            mark=hashlib.sha256(f"iam:{request}".encode("utf-8", "replace")).hexdigest(),
            at=now,
        )

    def _vote(self, attempt: Attempt) -> bool:
        """Take a vote; False where it is refused."""
        approval = self.ballot.get(attempt.approval)
        if approval is None:
            log.warning("refused: %s names no approval", attempt.principal)
            return False
        cause = self._standing(approval, attempt)
        if cause is None:
            vote = Vote(
                approval=approval.id,
                person=str(attempt.person),
                choice=attempt.choice,
                digest=approval.digest,
                route=attempt.route,
                principal=attempt.principal,
                reason=attempt.reason,
                at=attempt.at,
            )
            outcome = self.ballot.cast(approval, vote, attempt.mark)
            if outcome != "refused":
                log.info("vote on %s: %s", approval.id, outcome)
                return True
            current = self.ballot.get(approval.id) or approval
            cause = objection(current, vote) or f"{vote.person} has said the opposite before"
        log.warning("refused: %s on %s: %s", attempt.principal, approval.id, cause)
        self.ballot.refuse(approval, attempt.principal, cause, attempt.mark, attempt.at)
        return False

    def _standing(self, approval: Approval, attempt: Attempt) -> str | None:
        """Return why this person may not answer this question here, or None. Whether it is open, the table decides."""
        if attempt.post is not None and attempt.post != approval.post:
            return f"pressed in {attempt.post.channel}/{attempt.post.ts}, which is not where it was asked"
        if attempt.person is None:
            return "nobody of ours"
        if attempt.person not in self.approvers.may(approval.effect, approval.environment):
            return f"{attempt.person} may not answer for {approval.effect} steps in {approval.environment}"
        if not approval.digest.startswith(attempt.digest):
            return f"the plan is {approval.digest[:8]}, not {attempt.digest[:8]}"
        return None


def _said(event: Mapping[str, Any]) -> dict[str, str]:
    """Return decision, digest and reason of a request by IAM."""
    body = event.get("body")
    if not isinstance(body, str) or len(body) > MAX_REQUEST:
        raise Unusable("body missing or too long")
    try:
        said = json.loads(base64.b64decode(body, validate=True) if event.get("isBase64Encoded") is True else body)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Unusable("the body is no JSON") from error
    if not isinstance(said, dict) or not said.keys() <= {"decision", "digest", "reason"}:
        raise Unusable("the body is no object of decision, digest and reason")
    answer = {name: said.get(name, "") for name in ("decision", "digest", "reason")}
    if not all(isinstance(value, str) for value in answer.values()) or answer["decision"] not in CHOICES:
        raise Unusable("decision is approve or deny, and all are texts")
    if answer["decision"] == "deny" and not clean(answer["reason"]).strip():
        raise Unusable("a denial needs a reason")
    if answer["digest"] and not DIGEST.fullmatch(answer["digest"]):
        raise Unusable("a digest is given by eight to 64 of its hex digits")
    return answer


def _at(holder: object, *path: str) -> object:
    for name in path:
        holder = holder.get(name) if isinstance(holder, Mapping) else None
    return holder


def _response(status: int, text: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps({"message": text}) if text else "",
    }
