"""EC2 instances, read."""

from __future__ import annotations

from firebreak.core.clients import Aws
from firebreak.core.errors import TargetMissing
from firebreak.core.model import Json


def living_instance(ec2: Aws, instance_id: str) -> Json:
    """Return an instance as DescribeInstances answers it.

    Raises:
        TargetMissing: it does not exist, or is terminated or on its way there.
    """
    reservations = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    if not instances:
        raise TargetMissing(f"instance {instance_id} does not exist")
    if (state := instances[0]["State"]["Name"]) in ("terminated", "shutting-down"):
        raise TargetMissing(f"instance {instance_id} is {state}")
    return instances[0]
