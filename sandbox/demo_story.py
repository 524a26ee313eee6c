"""The story of the demo, scene by scene. Each ends with what it changed, read back from the estate."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from firebreak.core.incident import Incident
from sandbox import demo_events
from sandbox.demo_sight import Picture, Sight
from sandbox.demo_stage import Stage


@dataclass
class Story:
    """The story on its stage."""

    stage: Stage
    _event: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sight: Sight = self.stage.sight
        self.estate = self.sight.lab.estate
        self.before: Picture = self.sight.picture()

    def play(self) -> None:
        """Play it all."""
        self.command_and_control()
        self.fileless_execution()
        self.stolen_key()
        self.opened_bucket()
        self.victim()
        self.again()
        self.undo()
        self.stage.sound()

    def command_and_control(self) -> None:
        """GuardDuty reports a bastion: evidence, then isolation, unasked."""
        stage, bastion = self.stage, self.estate.bastion
        stage.scene(
            "A bastion talks to an attacker's server",
            "The host itself acts, says GuardDuty: its disks are snapshotted, then both its interfaces are sealed.",
        )
        sandbox = self.sight.lab.sandbox
        self._event = demo_events.command_and_control(sandbox.account, sandbox.region, bastion, stage.now)
        begun = stage.begin(f"GuardDuty: {demo_events.COMMAND_AND_CONTROL}, severity 8, {bastion}")
        sandbox.put_event(self._event)
        stage.settle()
        incident = self._opened(begun, 1)
        if incident is None:
            return
        stage.check("the incident is contained", incident.status == "contained", f"{incident.id}: {incident.status}")
        self._evidence(incident, bastion)
        self._isolated(bastion)

    def fileless_execution(self) -> None:
        """Falco reports a pod: its node is cordoned unasked, and cut off once a person agrees."""
        stage, (node, instance) = self.stage, sorted(self.estate.nodes.items())[0]
        stage.scene(
            "A pod runs a program that no image brought",
            "Falco reports it. The node takes no new pods; to cut it off stops all its pods, so a person is asked.",
        )
        alert = demo_events.fileless_execution(node, stage.now)
        begun = stage.begin(f"Falco: {demo_events.FILELESS}, Critical, node {node}")
        send_alert(self.sight, json.dumps(alert))
        stage.settle()
        incident = self._opened(begun, 2)
        if incident is None:
            return
        report = stage.held[incident.id]
        scheduling = self.sight.node(node)
        stage.check("the node is cordoned", scheduling.cordoned, f"Kubernetes: unschedulable={scheduling.cordoned}")
        self._evidence(incident, instance)
        asked = next((step for step in report.steps if step.asked), None)
        stage.check(
            "a person was asked before the node was cut off", asked is not None, asked.status if asked else "no"
        )
        if asked is not None and asked.approved_by:
            stage.check("the incident is contained", incident.status == "contained", incident.status)
            self._isolated(instance)
        elif asked is not None:
            same = self.sight.groups(instance) == self.before.groups[instance]
            stage.check(
                f"the answer was no ({asked.status}), and the node is not cut off", same, self._groups(instance)
            )

    def stolen_key(self) -> None:
        """GuardDuty reports a key: it is turned off once a person agrees."""
        stage, key = self.stage, self._key
        stage.scene(
            f"The key of {key.user_name} is used from the Tor network",
            "Whatever else uses the key stops working with it, so a person is asked before it is turned off.",
        )
        sandbox = self.sight.lab.sandbox
        begun = stage.begin(f"GuardDuty: {demo_events.STOLEN_KEY}, severity 5, {key.id}")
        sandbox.put_event(demo_events.stolen_key(sandbox.account, sandbox.region, key, stage.now))
        stage.settle()
        status = self.sight.keys()[key.id]
        self._agreed(self._opened(begun, 3), "the key is off", status == "Inactive", f"IAM: {key.id} is {status}")

    def opened_bucket(self) -> None:
        """GuardDuty reports a bucket that was opened to everyone: it is closed once a person agrees."""
        stage, bucket, sandbox = self.stage, self.estate.bucket, self.sight.lab.sandbox
        stage.scene(
            f"The bucket {bucket} is opened to everyone",
            "Customers may be among those who read it, so a person is asked before the public is shut out.",
        )
        sandbox.client("s3").put_bucket_policy(Bucket=bucket, Policy=demo_events.everyone_reads(bucket))
        begun = stage.begin(f"GuardDuty: {demo_events.OPENED_BUCKET}, severity 8, {bucket}")
        event = demo_events.opened_bucket(sandbox.account, sandbox.region, bucket, self._key, stage.now)
        sandbox.put_event(event)
        stage.settle()
        block = self.sight.block()
        what = "the public is shut out of the bucket"
        self._agreed(self._opened(begun, 4), what, len(block or ()) == 4, f"S3: {_flags(block)}")

    def victim(self) -> None:
        """Someone guesses passwords at a host of ours: people are told, nothing is done."""
        stage, host = self.stage, self.estate.web[0]
        stage.scene(
            "Someone on the internet guesses passwords at a web server",
            "The server is only the victim. To cut it off would be a switch in the attacker's hand.",
        )
        sandbox, before, told = self.sight.lab.sandbox, self._facts(), len(self.sight.lab.sandbox.notices())
        stage.begin(f"GuardDuty: {demo_events.BRUTE_FORCED}, severity 8, {host}, from {demo_events.ATTACKER}")
        sandbox.put_event(demo_events.brute_forced(sandbox.account, sandbox.region, host, stage.now))
        stage.settle()
        notices = sandbox.notices()[told:]
        stage.check("people were told", len(notices) == 1, notices[0].splitlines()[0] if notices else "no notice")
        self._nothing_changed(before)

    def again(self) -> None:
        """EventBridge delivers at least once: the first event comes again."""
        stage = self.stage
        stage.scene("The first event comes again", "EventBridge delivers at least once. Nothing may happen twice.")
        before = self._facts()
        stage.begin(f"GuardDuty: the same finding, the same delivery, {self.estate.bastion}")
        self.sight.lab.sandbox.put_event(self._event)
        stage.settle()
        self._nothing_changed(before)

    def undo(self) -> None:
        """Everything is taken back, the newest first."""
        stage = self.stage
        stage.scene("All of it is taken back", "What was there before was written down before the first change.")
        stage.terminal.begun = stage.now
        for incident in reversed(self.sight.incidents()):
            if incident.over:
                continue
            stage.say("arrives", f"firebreak undo {incident.id}")
            self.sight.undo(incident)
            stage.settle()
            after = self.sight.incident(incident.id)
            stage.check("the incident is released", after.status == "closed", f"{after.status}: {after.reason}")
        picture = self.sight.picture()
        for instance in (self.estate.bastion, *self.estate.nodes.values()):
            same = picture.groups[instance] == self.before.groups[instance]
            stage.check(f"{instance} has the exact groups it had", same, self._groups(instance))
        for node in self.estate.nodes:
            same = picture.nodes[node] == self.before.nodes[node]
            cordoned = picture.nodes[node].cordoned
            stage.check(
                f"{node} schedules as it did", same, f"unschedulable={cordoned}; spec and annotations as before"
            )
        key, block = self._key.id, picture.block
        stage.check("the key is as it was", picture.keys == self.before.keys, f"IAM: {key} is {picture.keys[key]}")
        stage.check("the bucket's block is as it was", block == self.before.block, f"S3: {_flags(block)}")
        kept = picture.snapshots - self.before.snapshots
        stage.check("the evidence is kept", len(kept) >= 2, f"{len(kept)} snapshots")

    # What the scenes share.

    def _opened(self, begun: datetime, count: int) -> Incident | None:
        incidents = self.sight.incidents()
        new = [incident for incident in incidents if incident.id not in self.stage.held]
        told = f"{len(incidents)} in all"
        self.stage.check("one incident was opened", len(new) == 1 and len(incidents) == count, told)
        if not new:
            return None
        self.stage.hold(new[0], begun)
        return new[0]

    def _agreed(self, incident: Incident | None, what: str, done: bool, saw: str) -> None:
        """Check that a step was asked about, and done if and only if a person agreed."""
        if incident is None:
            return
        asked = next((step for step in self.stage.held[incident.id].steps if step.asked), None)
        self.stage.check("a person was asked before", asked is not None, asked.status if asked else "no")
        if asked is not None and asked.approved_by:
            self.stage.check(what, done, saw)
        elif asked is not None:
            self.stage.check(f"the answer was no ({asked.status}), and nothing was changed", not done, saw)

    @property
    def _key(self) -> demo_events.Key:
        user = self.sight.lab.sandbox.client("iam").get_user(UserName=self.estate.user)["User"]
        return demo_events.Key(self.estate.key, self.estate.user, user["UserId"])

    def _evidence(self, incident: Incident, instance: str) -> None:
        found = self.sight.snapshots(incident.id)
        covered = {snapshot["VolumeId"] for snapshot in found if snapshot["State"] == "completed"}
        words = ", ".join(f"{each['SnapshotId']} of {each['VolumeId']} {each['State']}" for each in found)
        volumes = self.sight.volumes(instance)
        self.stage.check("every disk is in a completed snapshot", bool(volumes) and covered == volumes, f"EC2: {words}")
        manifests = self.sight.manifests(incident.id)
        self.stage.check("an evidence manifest is kept", bool(manifests), f"S3: {', '.join(manifests)}")

    def _isolated(self, instance: str) -> None:
        groups = self.sight.groups(instance)
        sealed = self.sight.isolated(groups)
        self.stage.check(f"{instance} is isolated, all {len(groups)} interfaces", sealed, self._groups(instance))

    def _groups(self, instance: str) -> str:
        groups = self.sight.groups(instance)
        return "EC2: " + ", ".join(f"{eni} {self.sight.named(ids)}" for eni, ids in sorted(groups.items()))

    def _facts(self) -> tuple[Picture, int, int]:
        return self.sight.picture(), len(self.sight.incidents()), len(self.sight.lab.sandbox.executions())

    def _nothing_changed(self, before: tuple[Picture, int, int]) -> None:
        after = self._facts()
        self.stage.check("the estate is as it was", after[0] == before[0], "EC2, Kubernetes, IAM and S3")
        counts = f"{after[1]} incidents, {after[2]} executions"
        self.stage.check("no incident was opened and nothing was started", after[1:] == before[1:], counts)


def _flags(block: frozenset[str] | None) -> str:
    return "no public access block" if block is None else f"public access block, {len(block)} of 4 flags on"


def tell(stage: Stage) -> None:
    """Play the story on a stage."""
    Story(stage).play()


def send_alert(sight: Sight, body: str) -> None:
    """Put an alert into the cluster's queue, as falcosidekick does."""
    sandbox = sight.lab.sandbox
    client, name = sandbox.client("sqs"), sandbox.queue_arn("falco-prod").rpartition(":")[2]
    client.send_message(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"], MessageBody=body)
