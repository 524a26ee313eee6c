"""What happens, as it happens: read off the table's stream, AWS's journal and the cluster's audit log, and put in
words. Reading it there costs Firebreak nothing and adds no call of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from boto3.dynamodb.types import TypeDeserializer

from firebreak.core.display import clean
from firebreak.core.incident import Incident, StepRecord
from firebreak.core.registry import actions
from sandbox.journal import Call as AwsCall
from sandbox.kubernetes import Answer, Call
from sandbox.lab import Lab

Kind: TypeAlias = Literal[
    "arrives", "incident", "decides", "plans", "asks", "answer", "changes", "verified", "settled", "possible", "told",
    "status", "ends",
]  # fmt: skip

HOUSEKEEPING = ("dynamodb", "states", "sts", "sqs", "events", "lambda", "secretsmanager", "logs", "s3", "sns", "kms")
"""Services in which Firebreak keeps its own house; what it changes there changes nothing of the estate, unless an
action does it."""
READS = ("Describe", "Get", "List")
ID = re.compile(r"(i|eni|vol|snap|sg|vpc)-[0-9a-f]+$")
BAD = ("failed", "stale", "undo_failed")


@dataclass(frozen=True)
class Moment:
    """One thing that happened.

    Attributes:
        at: when, by the sandbox's clock.
        kind: what it is.
        words: for a person, in one line or several; what others wrote in it is cleaned.
        bad: whether it is something that went wrong.
    """

    at: datetime
    kind: Kind
    words: str
    bad: bool = False


@dataclass
class Watch:
    """Follows one lab from now on."""

    lab: Lab
    _seen: dict[str, str] = field(default_factory=dict)

    _answered: dict[int, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sandbox = self.lab.sandbox
        if (cluster := self.lab.estate.cluster) is not None:
            cluster.after = self._time
        self._arn = f"arn:aws:dynamodb:{sandbox.region}:{sandbox.account}:table/{self.lab.table}"
        self._read = TypeDeserializer().deserialize
        self._streamed = len(sandbox.cloud.backend.stream(self._arn, 0))
        self._journaled = len(sandbox.journal)
        self._audited = len(self._cluster_calls)

    @property
    def _cluster_calls(self) -> list[Call]:
        cluster = self.lab.estate.cluster
        return [] if cluster is None else cluster.calls

    def _time(self, call: Call, answer: Answer) -> Answer:
        """Note when the cluster answered: its own log has no times."""
        self._answered[call.number] = self.lab.sandbox.clock.now()
        return answer

    def look(self) -> list[Moment]:
        """Return what happened since the last look, in order."""
        return sorted([*self._table(), *self._calls(), *self._cluster()], key=lambda moment: moment.at)

    def _table(self) -> Iterator[Moment]:
        for record in self.lab.sandbox.cloud.backend.stream(self._arn, self._streamed):
            self._streamed += 1
            image = record["dynamodb"].get("NewImage")
            if image is None:
                continue
            row = {name: self._read(value) for name, value in image.items()}
            at = datetime.fromtimestamp(record["dynamodb"]["ApproximateCreationDateTime"], UTC)
            yield from self._row(row, at)

    def _row(self, row: Mapping[str, Any], at: datetime) -> Iterator[Moment]:
        kind, _, _ = str(row["sk"]).partition("#")
        status = str(row.get("status", ""))
        if kind in ("INCIDENT", "STEP", "APPROVAL"):
            name = f"{row['pk']}/{row['sk']}"
            if self._seen.get(name) == status:
                return
            self._seen[name] = status
        match kind:
            case "INCIDENT":
                yield from _incident(Incident.model_validate_json(row["body"]), at)
            case "STEP":
                step = StepRecord.model_validate_json(row["body"])
                if step.status == "decided" and self._seen.get(f"{row['pk']}/playbook") != step.playbook:
                    self._seen[f"{row['pk']}/playbook"] = step.playbook
                    why = [clean(reason).removeprefix(f"{step.playbook} chosen: ") for reason in step.reasons[1:]]
                    yield Moment(at, "decides", "\n".join((f"playbook {step.playbook}, because", *why)))
                yield from _step(step, at)
            case "APPROVAL" if status in ("approved", "denied", "expired"):
                people = ", ".join(row.get("approvers") or ()) or str(row.get("decider") or "nobody, in time")
                yield Moment(at, "answer", f"{status}: {people}")
            case "FINDING" if row.get("dropped"):
                yield Moment(at, "settled", f"nothing is done: {row['dropped']}")
        if kind != "STEP" and str(row["pk"]).startswith("AUDIT#"):
            yield from _guard(json.loads(row["body"]), at)

    def _calls(self) -> Iterator[Moment]:
        calls = list(self.lab.sandbox.journal)[self._journaled :]
        self._journaled += len(calls)
        for call in calls:
            if call.name == "sns:Publish" and not call.code:
                yield Moment(call.at, "told", clean(str(call.parameters.get("Subject") or "a notice")))
            elif call.function and _changes(call):
                refused = f" refused: {call.code}" if call.code else ""
                words = f"{call.name}{_about(call)}{refused}"
                yield Moment(call.at, "changes", words, bad=bool(call.code))

    def _cluster(self) -> Iterator[Moment]:
        calls = self._cluster_calls[self._audited :]
        for call in calls:
            if not call.status:
                return  # not answered yet
            self._audited += 1
            if call.verb not in ("get", "list") and not call.resource.startswith(("tokenreviews", "selfsubject")):
                refused = f" refused: {call.status}" if call.status >= 400 else ""
                words = f"kubernetes: {call.verb} {call.resource} {call.name}{refused}"
                yield Moment(self._answered[call.number], "changes", words, bad=call.status >= 400)


def _changes(call: AwsCall) -> bool:
    """Whether a call changes the estate."""
    role = call.caller.role.rpartition("/")[2] if call.caller is not None and call.caller.role else ""
    acts = role.removeprefix("firebreak-") in {name.replace(".", "-") for name in actions()}
    return (acts or call.service not in HOUSEKEEPING) and not call.operation.startswith(READS)


def _about(call: AwsCall) -> str:
    """The first thing of the estate that a call names, or else what its permission is about."""
    named = [str(value) for name, value in call.parameters.items() if name == "AccessKeyId" or ID.match(str(value))]
    named += [one.resource.rpartition(":")[2] for one in call.decisions if "*" not in one.resource]
    return next((f" {value}" for value in named), "")


def _incident(incident: Incident, at: datetime) -> Iterator[Moment]:
    match incident.status:
        case "open" if incident.revision == 1 and incident.version <= 1:
            lane = f"{incident.severity.word} severity, {incident.lane} lane"
            yield Moment(at, "incident", f"{incident.id} opened: {clean(incident.title)} ({lane})")
        case "acting":
            return
        case _:
            yield Moment(at, "status", f"{incident.id} is {incident.status}{_because(incident.reason)}")


def _step(step: StepRecord, at: datetime) -> Iterator[Moment]:
    what = f"{step.action} on {clean(step.target.label)}"
    match step.status:
        case "decided":
            consent = "a person is asked" if step.consent == "ask" else "unasked"
            yield Moment(at, "decides", f"{what}, {consent}")
        case "planned" if step.plan is not None:
            changes = [
                f"{clean(change.resource)}: {clean(change.what)} {clean(change.before)} → {clean(change.after)}"
                for change in step.plan.changes
            ]
            yield Moment(at, "plans", "\n".join((*changes, *(f"  so that {clean(it)}" for it in step.plan.effects))))
        case "asking":
            yield Moment(at, "asks", f"may {what} go ahead?")
        case "verified":
            yield Moment(at, "verified", "\n".join(map(clean, step.outcome)) or what)
            if step.residual:
                yield Moment(at, "possible", "\n".join(map(clean, step.residual)))
        case "undone":
            yield Moment(at, "verified", f"{what} taken back{_because('; '.join(step.outcome))}")
        case "unneeded":
            yield Moment(at, "settled", f"{what}: nothing to do")
        case "gone" | "refused" | "denied" | "expired" | "observed" | "failed" | "stale" | "undo_failed":
            yield Moment(at, "settled", f"{what}: {step.status}{_because(step.error)}", bad=step.status in BAD)


def _guard(record: Mapping[str, Any], at: datetime) -> Iterator[Moment]:
    """What a step's plan was judged by, where a person is asked on its account."""
    if record["event"] == "planned" and record["words"]:
        yield Moment(at, "plans", "guard: " + "; ".join(clean(words) for words in record["words"]))


def _because(reason: str | None) -> str:
    return f": {clean(reason)}" if reason else ""
