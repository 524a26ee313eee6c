"""What a finding can point at and an action can change. Account, partition and region are part of every target."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias
from urllib.parse import quote

from pydantic import Field

from firebreak.core.model import Model, digest

GLOBAL = "global"  # the region of what has none: IAM users, keys, roles

KEY_LIMIT = 900
"""Characters of a key. A sort key of the table has 1,024 bytes; an S3 object's name alone may need more, quoted."""


class Place(Model):
    """Where a target lives.

    Attributes:
        worldwide: whether it belongs to no region.
        shared: whether much that has nothing to do with each other goes by it (a cluster, a role): it is never locked,
            or all its incidents would become one.
        partition: "aws", "aws-cn", "aws-us-gov", …
        account: the owning account, 12 digits.
        region: the region, or "global".
    """

    identity: ClassVar[tuple[str, ...]] = ()
    worldwide: ClassVar[bool] = False
    shared: ClassVar[bool] = False

    kind: str
    partition: str = "aws"
    account: str = Field(pattern=r"^\d{12}$")
    region: str = Field(pattern=r"^[a-z]{2,}(-[a-z0-9]+)*$")

    @property
    def key(self) -> str:
        """The target's name in the table: unique across partitions, accounts and regions."""
        parts = (self.partition, self.account, self.region, self.kind, *(getattr(self, name) for name in self.identity))
        whole = "/".join(quote(str(part), safe=":.@-_") for part in parts)
        return whole if len(whole) <= KEY_LIMIT else f"{whole[: KEY_LIMIT - 65]}~{digest(whole)}"

    @property
    def label(self) -> str:
        """What a person calls it."""
        return "/".join(str(getattr(self, name)) for name in self.identity)

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


class Instance(Place):
    """An EC2 instance."""

    identity: ClassVar = ("instance_id",)
    kind: Literal["instance"] = "instance"
    instance_id: str = Field(pattern=r"^i-[0-9a-f]{8,17}$")

    @property
    def arn(self) -> str:
        return self._arn("ec2", f"instance/{self.instance_id}")


class Cluster(Place):
    """An EKS cluster."""

    identity: ClassVar = ("name",)
    shared: ClassVar = True
    kind: Literal["cluster"] = "cluster"
    name: str = Field(min_length=1, max_length=100)

    @property
    def arn(self) -> str:
        return self._arn("eks", f"cluster/{self.name}")


class Node(Place):
    """A Kubernetes node of a cluster, by the name Kubernetes gives it."""

    identity: ClassVar = ("cluster", "name")
    kind: Literal["node"] = "node"
    cluster: str = Field(min_length=1, max_length=100)
    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")


class Pod(Place):
    """A Kubernetes pod, or the workload that a source names in its stead."""

    identity: ClassVar = ("cluster", "namespace", "name")
    kind: Literal["pod"] = "pod"
    cluster: str = Field(min_length=1, max_length=100)
    namespace: str = Field(min_length=1, max_length=63)
    name: str = Field(min_length=1, max_length=253)
    uid: str | None = None
    workload: str = "pods"  # as the source spells the kind: "pods", "deployments", …


class KubernetesUser(Place):
    """A user or service account as the Kubernetes API server names it."""

    identity: ClassVar = ("cluster", "name")
    shared: ClassVar = True
    kind: Literal["kubernetes_user"] = "kubernetes_user"
    cluster: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1)


class AccessKey(Place):
    """An IAM access key, long-lived (AKIA…) or of a session (ASIA…), with whom it belongs to."""

    identity: ClassVar = ("access_key_id",)
    worldwide: ClassVar = True
    kind: Literal["access_key"] = "access_key"
    access_key_id: str = Field(min_length=1)
    principal_id: str | None = None
    user_name: str | None = None
    user_type: str | None = None


class Principal(Place):
    """An IAM user, role or role session without a known key."""

    identity: ClassVar = ("principal_id",)
    worldwide: ClassVar = True
    shared: ClassVar = True
    kind: Literal["principal"] = "principal"
    principal_id: str = Field(min_length=1)
    user_name: str | None = None
    user_type: str | None = None


class Bucket(Place):
    """An S3 bucket."""

    identity: ClassVar = ("name",)
    kind: Literal["bucket"] = "bucket"
    name: str = Field(min_length=1)

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:s3:::{self.name}"


class S3Object(Place):
    """One object, or one version of it, in an S3 bucket."""

    identity: ClassVar = ("bucket", "object_key", "version_id")
    kind: Literal["s3_object"] = "s3_object"
    bucket: str = Field(min_length=1)
    object_key: str
    version_id: str | None = None


class LambdaFunction(Place):
    """A Lambda function."""

    identity: ClassVar = ("name",)
    kind: Literal["lambda_function"] = "lambda_function"
    name: str = Field(min_length=1)

    @property
    def arn(self) -> str:
        return self._arn("lambda", f"function:{self.name}")

    def mapping_arn(self, uuid: str) -> str:
        """Return the ARN of an event source mapping of the function."""
        return self._arn("lambda", f"event-source-mapping:{uuid}")


class Database(Place):
    """An RDS instance, Aurora cluster member or Limitless shard group."""

    identity: ClassVar = ("name",)
    kind: Literal["database"] = "database"
    name: str = Field(min_length=1)


class EcsTask(Place):
    """An ECS task."""

    identity: ClassVar = ("cluster", "name")
    kind: Literal["ecs_task"] = "ecs_task"
    cluster: str
    name: str = Field(min_length=1)


class EcsCluster(Place):
    """An ECS cluster."""

    identity: ClassVar = ("name",)
    shared: ClassVar = True
    kind: Literal["ecs_cluster"] = "ecs_cluster"
    name: str = Field(min_length=1)


class Container(Place):
    """A container that a source names without the task or pod around it."""

    identity: ClassVar = ("container_id",)
    kind: Literal["container"] = "container"
    container_id: str = Field(min_length=1)


class Host(Place):
    """A machine known only by the name a sensor gave it; resolved to a node or instance before anything is planned."""

    identity: ClassVar = ("cluster", "name")
    kind: Literal["host"] = "host"
    cluster: str = ""
    name: str = Field(min_length=1)


class Resource(Place):
    """Anything else, by ARN or bare identifier: snapshots, images, recovery points, guardrails, groups."""

    identity: ClassVar = ("type", "id")
    shared: ClassVar = True
    kind: Literal["resource"] = "resource"
    type: str = Field(min_length=1)
    id: str = Field(min_length=1)


Target: TypeAlias = Annotated[
    Instance
    | Cluster
    | Node
    | Pod
    | KubernetesUser
    | AccessKey
    | Principal
    | Bucket
    | S3Object
    | LambdaFunction
    | Database
    | EcsTask
    | EcsCluster
    | Container
    | Host
    | Resource,
    Field(discriminator="kind"),
]
