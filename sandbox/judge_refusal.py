"""How each service says that a call is not allowed; our code reads these codes, and they differ."""

from __future__ import annotations

from sandbox import wire
from sandbox.identity import Caller
from sandbox.judge_policies import Decision

_DENIED = {
    "ec2": ("UnauthorizedOperation", 403),
    "s3": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "sqs": ("AccessDenied", 403),
    "lambda": ("AccessDeniedException", 403),
    "eks": ("AccessDeniedException", 403),
}
"""Code and status of each service that does not follow its protocol's habit ("Common errors" of each reference)."""

_NOBODY = {"ec2": ("AuthFailure", 401), "s3": ("InvalidAccessKeyId", 403)}


def refusal(request: wire.Request, caller: Caller | None, decision: Decision) -> tuple[str, str, int]:
    """Return error code, message and HTTP status for a call that a decision stops."""
    json = request.protocol in ("json", "rest-json", "cbor")
    if not decision.judged:
        return "NotImplementedLocally", decision.because, 501
    if caller is None:
        code, status = _NOBODY.get(
            request.service, ("UnrecognizedClientException", 400) if json else ("InvalidClientTokenId", 403)
        )
        return code, "The security token included in the request is invalid.", status
    said = f"User: {caller.arn} is not authorized to perform: {decision.action} on resource: {decision.resource}"
    if request.service == "ec2":
        said = f"You are not authorized to perform this operation. {said}"
    code, status = _DENIED.get(request.service, ("AccessDeniedException", 400) if json else ("AccessDenied", 403))
    return code, f"{said} {decision.because}", status
