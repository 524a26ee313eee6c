"""EventBridge: buses, rules and their targets, the archive, schedules."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import wire
from sandbox.clock import Clock
from sandbox.front import AwsFailure, Front
from sandbox.identity import Caller
from sandbox.patterns import check, matches
from sandbox.transform import target_input

Event = dict[str, Any]
Deliver = Callable[[Mapping[str, Any], str, str], bool]
"""Hands a text to a target (its declaration, its ARN, the text); False if it cannot be delivered at all."""

ENTRY_LIMIT = 1_048_576


@dataclass(frozen=True)
class Rule:
    """A rule with its targets.

    Attributes:
        arn: rule ARN.
        bus: ARN of its bus.
        pattern: event pattern, None for a schedule.
        schedule: "rate(5 minutes)" or "cron(0 6 * * ? *)", None for a pattern.
        targets: as declared.
        enabled: whether it delivers.
    """

    arn: str
    bus: str
    pattern: Mapping[str, Any] | None
    schedule: str | None
    targets: Sequence[Mapping[str, Any]]
    enabled: bool = True


@dataclass
class Archive:
    """What an archive keeps."""

    arn: str
    bus: str
    pattern: Mapping[str, Any] | None
    events: list[Event] = field(default_factory=list)


class Events:
    """The router.

    Attributes:
        seen: every event that came to a bus, with the bus's ARN.
        undelivered: events that no target took and no dead letter queue was there for, with the rule's ARN.

    Args:
        deliver: hands text to anything that is not a bus.
        dead_letter: sends a text with attributes to a queue.
    """

    def __init__(
        self,
        clock: Clock,
        account: str,
        region: str,
        deliver: Deliver,
        dead_letter: Callable[[str, str, Mapping[str, str]], bool],
    ) -> None:
        self.seen: list[tuple[str, Event]] = []
        self.undelivered: list[tuple[str, Event]] = []
        self._clock = clock
        self._home = f"arn:aws:events:{region}:{account}:event-bus/"
        self._deliver = deliver
        self._dead_letter = dead_letter
        self._buses: set[str] = set()
        self._rules: list[Rule] = []
        self._archives: dict[str, Archive] = {}

    @property
    def default_bus(self) -> str:
        """ARN of the home account's default bus."""
        return self._home + "default"

    def serve(self, front: Front) -> None:
        """Answer the operations of EventBridge that our code uses."""
        front.serve("events:PutEvents", self._put_events)
        front.serve("events:StartReplay", self._start_replay)

    def add_bus(self, arn: str) -> None:
        """Make a bus known. Every account's default bus is known anyhow."""
        self._buses.add(arn)

    def add_archive(self, archive: Archive) -> None:
        """Keep what comes to a bus from now on."""
        self._archives[archive.arn] = archive

    def add_rule(self, rule: Rule) -> None:
        """Have a rule deliver from now on.

        Raises:
            PatternError: EventBridge would refuse its pattern.
        """
        if rule.pattern is not None:
            check(rule.pattern)
        if not self._known(rule.bus):
            raise ValueError(f"{rule.arn} is on a bus that does not exist: {rule.bus}")
        self._rules.append(rule)
        if rule.schedule is not None and rule.enabled:
            every(self._clock, rule.schedule, lambda: self.tick(rule.arn))

    def tick(self, rule_arn: str) -> None:
        """Fire a scheduled rule now."""
        (rule,) = (rule for rule in self._rules if rule.arn == rule_arn)
        _, _, _, region, account, _ = rule.arn.split(":", 5)
        event = envelope(self._clock.now(), account, region, "aws.events", "Scheduled Event", {}, [rule.arn])
        self._fire(rule, event)

    def schedules(self) -> list[str]:
        """Return the ARNs of the rules that fire by the clock."""
        return [rule.arn for rule in self._rules if rule.schedule is not None]

    def put(self, event: Event, bus: str | None = None) -> None:
        """Let a bus have a whole event, as a service of AWS would.

        Args:
            event: with all members of the envelope.
            bus: ARN; the default bus of the event's own account and region if None.
        """
        bus = bus or f"arn:aws:events:{event['region']}:{event['account']}:event-bus/default"
        copied: Event = json.loads(json.dumps(event))
        self.seen.append((bus, copied))
        for archive in self._archives.values():
            if archive.bus == bus and (archive.pattern is None or matches(archive.pattern, copied)):
                archive.events.append(copied)
        for rule in self._rules:
            if rule.bus == bus and rule.enabled and rule.pattern is not None and matches(rule.pattern, copied):
                self._fire(rule, copied)

    def _known(self, bus: str) -> bool:
        return bus in self._buses or bus.endswith(":event-bus/default")

    def _fire(self, rule: Rule, event: Event) -> None:
        for target in rule.targets:
            self._clock.soon(lambda target=target: self._send(rule, target, event))  # type: ignore[misc]

    def _send(self, rule: Rule, target: Mapping[str, Any], event: Event) -> None:
        arn = target["Arn"]
        if ":event-bus/" in arn:
            if self._known(arn):
                self.put(event, arn)  # account, time, id and detail stay the sender's
                return
        elif self._deliver(target, arn, target_input(target, event, rule.arn)):
            return
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        why = {"RULE_ARN": rule.arn, "TARGET_ARN": arn, "ERROR_CODE": "RESOURCE_NOT_FOUND"}
        if not queue or not self._dead_letter(queue, json.dumps(event), why):
            self.undelivered.append((rule.arn, event))

    def _put_events(self, request: wire.Request, caller: Caller | None) -> Mapping[str, Any]:
        entries = [self._entry(entry, request.region, caller) for entry in request.parameters["Entries"]]
        return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}

    def _entry(self, entry: Mapping[str, Any], region: str, caller: Caller | None) -> Mapping[str, str]:
        source, kind = entry.get("Source"), entry.get("DetailType")
        if not source or not kind or "Detail" not in entry:
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": "Source, DetailType and Detail are required"}
        if source.startswith("aws."):
            return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        if len(json.dumps(dict(entry)).encode()) > ENTRY_LIMIT:
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": "Entry is too large"}
        account = caller.account if caller else self._home.split(":")[4]
        name = entry.get("EventBusName") or "default"
        bus = name if name.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{name}"
        if not self._known(bus):
            return {"ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"Event bus {name} does not exist."}
        when = datetime.fromtimestamp(entry["Time"], UTC) if "Time" in entry else self._clock.now()
        event = envelope(when, account, region, source, kind, detail, entry.get("Resources", []))
        self.put(event, bus)
        return {"EventId": event["id"]}

    def _start_replay(self, request: wire.Request, caller: Caller | None) -> Mapping[str, Any]:
        wanted = request.parameters
        archive = self._archives.get(wanted["EventSourceArn"])
        if archive is None:
            raise AwsFailure("ResourceNotFoundException", f"Archive {wanted['EventSourceArn']} does not exist.")
        name, bus = wanted["ReplayName"], wanted["Destination"]["Arn"]
        begin, end = (datetime.fromtimestamp(wanted[key], UTC) for key in ("EventStartTime", "EventEndTime"))
        for event in list(archive.events):
            if begin <= datetime.fromisoformat(event["time"]) < end:
                self.put({**event, "replay-name": name}, bus)
        now = self._clock.now().timestamp()
        return {"ReplayArn": archive.arn.replace(":archive/", ":replay/"), "State": "STARTING", "ReplayStartTime": now}


def envelope(
    when: datetime, account: str, region: str, source: str, kind: str, detail: Any, resources: Sequence[str] = ()
) -> Event:
    """Return an event in EventBridge's envelope."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": account,
        "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


def every(clock: Clock, schedule: str, action: Callable[[], None]) -> None:
    """Call `action` by a schedule expression: "rate(5 minutes)", or a daily "cron(30 6 * * ? *)".

    Raises:
        ValueError: another form.
    """
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    daily = re.fullmatch(r"cron\((\d+) (\d+) \* \* \? \*\)", schedule)
    if rate is None and daily is None:
        raise ValueError(f"the sandbox does not know the schedule {schedule!r}")

    def pause() -> float:
        if rate is not None:
            return int(rate[1]) * {"minute": 60.0, "hour": 3600.0, "day": 86400.0}[rate[2]]
        assert daily is not None
        now = clock.now()
        due = now.replace(hour=int(daily[2]), minute=int(daily[1]), second=0, microsecond=0)
        return ((due if due > now else due + timedelta(days=1)) - now).total_seconds()

    def fire() -> None:
        clock.after(pause(), fire, deadline=True)
        action()

    clock.after(pause(), fire, deadline=True)
