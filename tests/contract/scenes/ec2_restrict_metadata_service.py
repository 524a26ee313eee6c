"""An instance on which containers may ask for credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.model import Json
from firebreak.core.target import Instance
from tests.contract.scenes import ACCOUNT, REGION, Scene
from tests.ec2_world import group, launch, vpc

OPTIONS = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "InstanceMetadataTags": "enabled"}


class World(Scene):
    cases = {"defaults": {}, "turn off": {"turn_off": True}}

    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.ec2 = aws("ec2")
        home, subnet = vpc(self.ec2)
        self.instance, _ = launch(self.ec2, subnet, [group(self.ec2, home, "web")], MetadataOptions=OPTIONS)
        self.target = Instance(account=ACCOUNT, region=REGION, instance_id=self.instance)

    def drift(self) -> None:
        self.ec2.modify_instance_metadata_options(InstanceId=self.instance, HttpPutResponseHopLimit=7)

    def delete(self) -> None:
        self.ec2.terminate_instances(InstanceIds=[self.instance])

    def state(self) -> Json:
        reservations = self.ec2.describe_instances(InstanceIds=[self.instance])["Reservations"]
        return reservations[0]["Instances"][0]["MetadataOptions"]
