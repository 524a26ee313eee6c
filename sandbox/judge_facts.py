"""What the judge has to know beside a request: where it is made, and what the things it names are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend

from sandbox.backend import Backend


@dataclass(frozen=True)
class Facts:
    """The surroundings of one request.

    Attributes:
        account, region: where it is made.
        machines: ARNs of the state machines there are.
        backend: where the rest is looked up.
    """

    account: str
    region: str
    machines: Sequence[str]
    backend: Backend

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def tags(self, id: str) -> Mapping[str, str]:
        """Return the tags of something in EC2."""
        with self._state("ec2") as ec2:
            return dict(ec2.tags.get(id, {}))

    def volumes(self, instance: str) -> Mapping[str, str]:
        """Return the device name of each volume of an instance by its id; empty if there is no such instance."""
        with self._state("ec2") as ec2:
            found = ec2.get_instance(instance) if any(i.id == instance for i in ec2.all_instances()) else None
            mapping = found.block_device_mapping.items() if found else ()
            return {device.volume_id: name for name, device in mapping}

    def root_device(self, instance: str) -> str:
        """Return the device name of an instance's root volume."""
        with self._state("ec2") as ec2:
            return str(ec2.get_instance(instance).root_device_name)

    def partition_key(self, table: str, index: str | None) -> str:
        """Return the name of the partition key of a table or of one of its indexes; "" if there is none."""
        with self._state("dynamodb") as dynamodb:
            if table not in dynamodb.tables:
                return ""
            found = dynamodb.tables[table]
            if index is None:
                return str(found.hash_key_attr)
            schemas = [one.schema for one in (*found.global_indexes, *found.indexes) if one.name == index]
            return next((part["AttributeName"] for s in schemas for part in s if part["KeyType"] == "HASH"), "")

    def secret(self, name: str) -> str:
        """Return the ARN of a secret by its name or ARN."""
        if name.startswith("arn:"):
            return name
        with self._state("secretsmanager") as secrets:
            return str(secrets.secrets[name].arn) if name in secrets.secrets else self.arn("secretsmanager", name)

    def user(self, name: str) -> str:
        """Return the ARN of an IAM user, its path included; the plain one if there is none of that name."""
        with self._state("iam", "aws") as iam:
            arns = [str(user.arn) for user in iam.users.values() if user.name == name]
        return next(iter(arns), f"arn:aws:iam::{self.account}:user/{name}")

    @contextmanager
    def _state(self, service: str, region: str = "") -> Iterator[Any]:
        with self.backend.lock:
            yield get_backend(service)[self.account][region or self.region]  # type: ignore[call-overload]  # as in backend.py
