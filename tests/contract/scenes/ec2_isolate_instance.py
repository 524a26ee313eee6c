"""An instance with two interfaces in a dual-stack VPC, each with groups of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.model import Json
from firebreak.core.target import Instance
from tests.contract.scenes import ACCOUNT, REGION, Scene
from tests.ec2_world import attach, group, groups_of, launch, quarantine, vpc


class World(Scene):
    cases = {"defaults": {}, "cut tracked": {"cut_tracked": True, "untrack_seconds": 30}}

    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.ec2 = aws("ec2")
        self.vpc, subnet = vpc(self.ec2)
        self.quarantine = quarantine(self.ec2, self.vpc)
        web, db = group(self.ec2, self.vpc, "web"), group(self.ec2, self.vpc, "db")
        self.other = group(self.ec2, self.vpc, "other")
        self.instance, self.first = launch(self.ec2, subnet, [web, db])
        self.second = attach(self.ec2, subnet, self.instance, [db], index=1)
        self.target = Instance(account=ACCOUNT, region=REGION, instance_id=self.instance)

    def drift(self) -> None:
        self.ec2.modify_network_interface_attribute(NetworkInterfaceId=self.second, Groups=[self.other])

    def delete(self) -> None:
        self.ec2.terminate_instances(InstanceIds=[self.instance])
        self.ec2.delete_network_interface(NetworkInterfaceId=self.second)

    def state(self) -> Json:
        return {eni: groups_of(self.ec2, eni) for eni in (self.first, self.second)}

    def secured(self) -> bool:
        states = [tuple(groups) for groups in self.state().values()]
        sealed = [state == (self.quarantine["sealed"],) for state in states]
        return all(sealed) or not (any(sealed) or (self.quarantine["untrack"],) in states)
