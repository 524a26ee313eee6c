"""An instance with a root and a data volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.model import Json
from firebreak.core.target import Instance
from tests.contract.scenes import ACCOUNT, REGION, Scene
from tests.ec2_world import attach_volume, launch, vpc


class World(Scene):
    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.ec2 = aws("ec2")
        _, subnet = vpc(self.ec2)
        self.instance, _ = launch(self.ec2, subnet, [])
        attach_volume(self.ec2, self.instance, "/dev/sdf")
        self.target = Instance(account=ACCOUNT, region=REGION, instance_id=self.instance)

    def drift(self) -> None:
        attach_volume(self.ec2, self.instance, "/dev/sdg")

    def delete(self) -> None:
        self.ec2.terminate_instances(InstanceIds=[self.instance])

    def state(self) -> Json:
        snapshots = self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        return sorted(
            [s["VolumeId"], s["Description"], sorted([tag["Key"], tag["Value"]] for tag in s.get("Tags", ()))]
            for s in snapshots
        )
