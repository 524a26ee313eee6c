"""The route of the HTTP API by which people answer under IAM: the only way in which a command decides a question."""

from __future__ import annotations

import json
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from firebreak.adapters.aws import translate
from firebreak.core.approval import Choice
from firebreak.core.errors import AwsError, Denied, InputError, Refused, Retriable

TIMEOUT = (3, 15)
"""Seconds to connect and to answer: the function behind it may have to start."""


class ApprovalApi:
    """The route `POST /approvals/{id}`.

    Args:
        credentials: botocore's credentials of the caller.
        region: where the API is.
        url: of the API.
    """

    def __init__(self, credentials: Any, region: str, url: str) -> None:
        self._credentials = credentials
        self._region = region
        self._url = url.rstrip("/")

    def vote(self, approval: str, choice: Choice, digest: str, reason: str) -> None:
        """Give one's vote. Giving it twice is giving it once.

        Args:
            approval: the question's id.
            choice: the vote.
            digest: of the plan that was shown; a vote on another plan is refused.
            reason: in one's own words; a denial needs one.

        Raises:
            Refused: Firebreak does not take it: not from this person, not on this plan, or not any more.
            Denied: IAM does not let this identity call the route.
            Retriable: it was not taken; try again.
        """
        body = json.dumps({"decision": choice, "digest": digest, "reason": reason})
        request = AWSRequest(
            "POST", f"{self._url}/approvals/{approval}", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            if self._credentials is None:
                raise Denied("there are no AWS credentials to sign with; set a profile or a role")
            SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(request)
            answer = URLLib3Session(timeout=TIMEOUT).send(request.prepare())
        except BotoCoreError as error:
            raise translate(error, "POST /approvals") from error
        if answer.status_code != 200:
            raise _refusal(answer.status_code, _message(answer.text))


def _refusal(status: int, said: str) -> Exception:
    if status == 400:
        return InputError(f"the answer was not understood: {said}")
    if status in (401, 403):
        # API Gateway's own refusal is this one word; anything longer is ours
        if said in ("Forbidden", ""):
            return Denied("IAM does not let this identity answer; it needs execute-api:Invoke on POST /approvals/*")
        return Refused(said)
    if status == 429 or status >= 500:
        return Retriable(f"POST /approvals: {status} {said}; nothing was decided, try again")
    return AwsError(str(status), "POST /approvals", said)


def _message(text: str) -> str:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text[:200]
    return str(said.get("message", ""))[:500] if isinstance(said, dict) else ""
