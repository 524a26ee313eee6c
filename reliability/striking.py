"""Where real requests meet the injector: what was planned befalls them, and the SDK's own tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reliability.fault import Fault, Kind
from reliability.injector import Injector
from reliability.requests import Answered, Asked
from sandbox import wire
from sandbox.invocation import Invocation, Sent, finished, running
from sandbox.server import Wsgi

LASTING = ("reject",)
"""What befalls the SDK's own tries of a call as well."""

EVENTUAL = ("ec2", "elasticloadbalancing", "autoscaling", "iam")
"""Services whose reads may lag ("Eventual consistency" in the Amazon EC2 API's developer guide; AWS IAM User Guide,
"Changes that I make are not always immediately visible")."""


def may_lag(request: wire.Request) -> bool:
    """Tell whether a request reads or changes what reads may lag behind.

    Of S3 that is how a bucket is configured; objects and their lists are consistent ("Amazon S3 data consistency model"
    in the Amazon S3 User Guide).
    """
    configures = "/" not in request.path.strip("/") and not request.operation.startswith("ListObject")
    return request.service in EVENTUAL or (request.service == "s3" and configures)


@dataclass
class Striking:
    """Has what was planned befall the requests of invocations.

    Attributes:
        injector: numbers them, and knows what was planned.
        server: answers them.
        lasting: what befalls the SDK's own tries of a call, by its id.
        latest: what each read was last answered.
        before: what each read was last answered before the last change that its service took.
    """

    injector: Injector
    server: Wsgi
    lasting: dict[str, Kind] = field(default_factory=dict)
    latest: dict[tuple[str, str, Any], Answered] = field(default_factory=dict)
    before: dict[tuple[str, str, Any], Answered] = field(default_factory=dict)

    def strike(self, invocation: Invocation, sent: Sent, send: Callable[[], Any]) -> Any:
        """Answer a request of an invocation, or have it meet its fault."""
        asked = Asked.of(sent)
        number = len(self.injector.calls) + 1
        if asked.again in self.lasting:
            self.injector.faults[number] = Fault(number, self.lasting[asked.again])
        fault = self.injector.faults.get(number)
        if fault is not None and fault.kind in LASTING and asked.again:
            self.lasting[asked.again] = fault.kind
        self.injector.failing = lambda call, kind: asked.refused(kind)
        key = asked.request.service, sent.url, sent.body
        stale = self.before.get(key) if asked.reads and may_lag(asked.request) else None
        token = running(invocation)
        try:
            return self.injector.around(
                asked.name,
                asked.request.parameters,
                lambda: self._answer(asked, key).to(sent),
                reads=asked.reads,
                stale=(lambda: stale.to(sent)) if stale is not None else None,
            )
        finally:
            finished(token)

    def _answer(self, asked: Asked, key: tuple[str, str, Any]) -> Answered:
        answered = asked.answered(self.server)
        if may_lag(asked.request):
            if asked.reads:
                self.latest[key] = answered
            else:
                self.before |= {key: was for key, was in self.latest.items() if key[0] == asked.request.service}
        return answered
