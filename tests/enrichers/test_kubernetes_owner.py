"""From a pod, node or host name to the instance below, with exactly the rights that the enricher declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from firebreak.adapters.aws import AwsClient, SessionClients
from firebreak.adapters.kubernetes import KubernetesClient
from firebreak.core.enricher import Enrichment
from firebreak.core.errors import Denied, TargetMissing
from firebreak.core.grant import KubernetesRule
from firebreak.core.target import Bucket, Host, Instance, Node, Place, Pod
from firebreak.enrichers.kubernetes_owner import LONGEST_CHAIN, KubernetesOwner
from sandbox.kubernetes import Cluster, User
from sandbox.kubernetes_wire import Wire
from tests.ec2_world import cured_moto, vpc

ENRICHER = KubernetesOwner()
WHERE: dict[str, Any] = {"account": "123456789012", "region": "us-east-1"}
GROUP = "firebreak:observer"


class World(SessionClients):
    """A cluster "prod" with one node on one instance, seen with exactly the rights that the enricher declares.

    Args:
        ec2: a boto3 client, shared: making one costs more than a test.
        machine: instance id and private DNS name of the node.
    """

    def __init__(self, ec2: Any, machine: tuple[str, str]) -> None:
        super().__init__(boto3.Session(region_name="us-east-1"), "us-east-1", kubernetes=self._open)
        self.ec2 = ec2
        self.instance, self.name = machine
        self.cluster = Cluster("prod")
        self.cluster.users["observer"] = User("observer", (GROUP,))
        rules = [
            {"apiGroups": [rule.group], "resources": [rule.resource], "verbs": list(rule.verbs)}
            for rule in ENRICHER.reads
            if isinstance(rule, KubernetesRule)
        ]
        self.cluster.add("clusterroles", {"metadata": {"name": "observer"}, "rules": rules})
        role = {"kind": "ClusterRole", "name": "observer"}
        subjects = [{"kind": "Group", "name": GROUP}]
        self.cluster.add("clusterrolebindings", {"metadata": {"name": "o"}, "roleRef": role, "subjects": subjects})
        self.node(self.name, f"aws:///us-east-1a/{self.instance}")

    def _open(self, clients: SessionClients, cluster: str) -> KubernetesClient:
        assert cluster == "prod"
        return KubernetesClient(Wire(self.cluster), "https://api.example", lambda: "observer")

    def aws(self, service: str) -> AwsClient:
        assert service == "ec2"
        return AwsClient(self.ec2, self.remaining)

    def node(self, name: str, provider: str | None, **labels: str) -> None:
        spec = {"providerID": provider} if provider else {}
        self.cluster.add("nodes", {"metadata": {"name": name, "labels": labels}, "spec": spec})

    def pod(self, name: str = "web-1", spec: Any = None, **metadata: Any) -> str:
        filled = {"nodeName": self.name, "serviceAccountName": "web", "containers": [{"name": "main"}], **(spec or {})}
        item = {"metadata": {"name": name, "namespace": "shop", **metadata}, "spec": filled}
        return str(self.cluster.add("pods", item).item["metadata"]["uid"])

    def controller(self, resource: str, name: str, owner: dict[str, Any] | None = None) -> str:
        item = {
            "metadata": {"name": name, "namespace": "shop", "ownerReferences": [owner] if owner else []},
            "spec": {},
        }
        return str(self.cluster.add(resource, item).item["metadata"]["uid"])

    @property
    def asked(self) -> list[str]:
        return [f"{call.verb} {call.resource}" for call in self.cluster.calls]


def launch(ec2: Any, **more: Any) -> tuple[str, str]:
    """Return instance id and private DNS name."""
    started = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, **more)["Instances"][0]
    return started["InstanceId"], started["PrivateDnsName"]


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[Any, tuple[str, str]]]:
    with cured_moto():
        ec2 = boto3.client("ec2", region_name="us-east-1")
        yield ec2, launch(ec2)


@pytest.fixture
def world(account: tuple[Any, tuple[str, str]]) -> World:
    return World(*account)


def values(enrichment: Enrichment) -> dict[str, Any]:
    return {fact.name: fact.value for fact in enrichment.facts}


def node(name: str, cluster: str = "prod") -> Node:
    return Node(**WHERE, cluster=cluster, name=name)


def pod(**more: Any) -> Pod:
    return Pod(**{**WHERE, "cluster": "prod", "namespace": "shop", "name": "web-1", **more})


def host(name: str, cluster: str = "") -> Host:
    return Host(**WHERE, cluster=cluster, name=name)


def owner(kind: str, name: str, uid: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "uid": uid, "controller": True}


# --- nodes


def test_a_node_is_the_instance_its_provider_id_names(world: World) -> None:
    found = ENRICHER.enrich(world, node(world.name))
    assert found.also == (Instance(**WHERE, instance_id=world.instance),)
    assert values(found) == {
        "node.provider_id": f"aws:///us-east-1a/{world.instance}",
        "node.instance_confirmed": True,
        "node.unschedulable": False,
        "node.deleting": False,
        "node.control_plane": False,
        "node.fargate": False,
    }
    assert {fact.about for fact in found.facts} == {node(world.name).key}
    assert found.tags == {}  # a node's labels are its kubelet's to write


@pytest.mark.parametrize("suffix", ["", ".us-east-1.compute.internal"])
def test_a_node_may_be_called_by_its_instance_id(world: World, suffix: str) -> None:
    world.node(world.instance + suffix, f"aws:///us-east-1a/{world.instance}")
    assert ENRICHER.enrich(world, node(world.instance + suffix)).also == (
        Instance(**WHERE, instance_id=world.instance),
    )


def test_a_node_that_claims_another_machines_instance_is_not_believed(world: World) -> None:
    victim, _ = launch(world.ec2)
    world.node("ip-10-9-9-9.ec2.internal", f"aws:///us-east-1a/{victim}")
    found = ENRICHER.enrich(world, node("ip-10-9-9-9.ec2.internal"))
    assert found.also == ()
    assert values(found)["node.instance_confirmed"] is False
    assert values(found)["node.provider_id"] == f"aws:///us-east-1a/{victim}"


def test_an_instance_that_is_gone_is_no_target(world: World) -> None:
    gone, name = launch(world.ec2)
    world.node(name, f"aws:///us-east-1a/{gone}")
    assert ENRICHER.enrich(world, node(name)).also != ()
    world.ec2.terminate_instances(InstanceIds=[gone])
    found = ENRICHER.enrich(world, node(name))
    assert (found.also, values(found)["node.instance_confirmed"]) == ((), False)


@pytest.mark.parametrize(
    "provider",
    [
        None,
        "",
        "aws:///us-east-1a/fargate-ip-10-0-1-7.ec2.internal",
        "aws:///eu-west-1a/i-0123456789abcdef0",
        "eks-hybrid:///us-east-1/prod/mi-0123456789abcdef0",
        "gce://project/us-east-1a/i-0123456789abcdef0",
        "aws:///us-east-1a/i-0123456789abcdef0/../i-0fedcba9876543210",
        "aws:///us-east-1a/i-0123456789abcdef0\n",
        "kind://docker/prod/blue",
    ],
)
def test_other_machines_have_no_instance(world: World, provider: str | None) -> None:
    world.node("other", provider)
    found = ENRICHER.enrich(world, node("other"))
    assert (found.also, values(found)["node.instance_confirmed"]) == ((), False)


def test_what_kind_of_node_it_is_becomes_facts(world: World) -> None:
    labels = {
        "node-role.kubernetes.io/control-plane": "",
        "eks.amazonaws.com/compute-type": "fargate",
        "eks.amazonaws.com/nodegroup": "general",
        "karpenter.sh/nodepool": "spot",
    }
    world.node("odd", None, **labels)
    found = values(ENRICHER.enrich(world, node("odd")))
    assert (found["node.control_plane"], found["node.fargate"]) == (True, True)
    assert (found["node.group"], found["node.pool"]) == ("general", "spot")


def test_a_node_that_is_not_there_is_missing(world: World) -> None:
    with pytest.raises(TargetMissing):
        ENRICHER.enrich(world, node("ip-10-0-0-1.ec2.internal"))


# --- pods


def test_a_pod_leads_to_its_node_and_the_nodes_instance_in_that_order(world: World) -> None:
    uid = world.pod()
    found = ENRICHER.enrich(world, pod(uid=uid))
    assert found.also == (node(world.name), Instance(**WHERE, instance_id=world.instance))
    assert values(found) == {
        "pod.node": world.name,
        "pod.service_account": "web",
        "pod.phase": "Pending",
        "pod.deleting": False,
        "pod.mirror": False,
        "pod.host_network": False,
        "pod.host_pid": False,
        "pod.privileged": False,
    }
    assert world.asked == ["get pods", "get nodes"]


def test_a_pod_that_has_the_run_of_its_node_is_told_as_such(world: World) -> None:
    containers = [{"name": "a"}, {"name": "b", "securityContext": {"privileged": True}}]
    mirror = {"kubernetes.io/config.mirror": "x"}
    world.pod(spec={"hostNetwork": True, "hostPID": True, "containers": containers}, annotations=mirror)
    found = values(ENRICHER.enrich(world, pod()))
    assert [found[f"pod.{name}"] for name in ("host_network", "host_pid", "privileged", "mirror")] == [True] * 4


def test_a_replaced_pod_does_not_lead_to_a_node(world: World) -> None:
    world.pod()
    found = ENRICHER.enrich(world, pod(uid="00000000-0000-0000-0000-000000000000"))
    assert (found.also, values(found)) == ((), {"pod.replaced": True})


def test_a_pod_that_is_not_scheduled_has_no_node(world: World) -> None:
    world.pod(spec={"nodeName": ""})
    found = ENRICHER.enrich(world, pod())
    assert found.also == ()
    assert values(found)["pod.phase"] == "Pending"


@pytest.mark.parametrize("workload", ["deployments", "DaemonSets", "jobs", "x" * 300])
def test_a_finding_on_a_controller_accuses_no_node(world: World, workload: str) -> None:
    world.pod()
    found = ENRICHER.enrich(world, pod(workload=workload))
    assert (found.also, values(found)) == ((), {"pod.workload": workload.lower()[:63]})
    assert world.asked == []
    assert ENRICHER.enrich(world, pod(workload="Pods")).also != ()


def test_the_chain_of_owners_is_followed(world: World) -> None:
    deployment = world.controller("deployments", "web")
    replicas = world.controller("replicasets", "web-5d9c", owner("Deployment", "web", deployment))
    world.pod(ownerReferences=[owner("ReplicaSet", "web-5d9c", replicas)])
    found = ENRICHER.enrich(world, pod())
    assert values(found)["pod.owners"] == ("ReplicaSet/web-5d9c", "Deployment/web")
    assert "get deployments" not in world.asked


def test_a_jobs_schedule_is_found(world: World) -> None:
    schedule = world.controller("cronjobs", "nightly")
    job = world.controller("jobs", "nightly-1", owner("CronJob", "nightly", schedule))
    world.pod(ownerReferences=[owner("Job", "nightly-1", job)])
    assert values(ENRICHER.enrich(world, pod()))["pod.owners"] == ("Job/nightly-1", "CronJob/nightly")


@pytest.mark.parametrize(
    ("reference", "owners"),
    [
        (owner("ReplicaSet", "gone", "1"), ("ReplicaSet/gone",)),
        (owner("ReplicaSet", "replaced", "not its uid"), ("ReplicaSet/replaced",)),
        (owner("Rollout", "argo", "1"), ("Rollout/argo",)),
        (owner("<!channel>", "x", "1"), None),
        (owner("ReplicaSet", "../../secrets/x", "1"), None),
        ({"kind": "ReplicaSet", "name": "x", "uid": "1", "controller": False}, None),
    ],
)
def test_a_chain_ends_where_it_cannot_be_followed(world: World, reference: dict[str, Any], owners: Any) -> None:
    deployment = world.controller("deployments", "web")
    world.controller("replicasets", "replaced", owner("Deployment", "web", deployment))
    world.pod(ownerReferences=[reference])
    found = ENRICHER.enrich(world, pod())
    assert values(found).get("pod.owners") == owners
    assert found.also != ()


def test_owners_that_own_each_other_end_the_search(world: World) -> None:
    """Whoever may write ReplicaSets may make a circle of them."""
    first = world.controller("replicasets", "a")
    second = world.controller("replicasets", "b", owner("ReplicaSet", "a", first))
    record = next(each for each in world.cluster.store.all(_kind("replicasets")) if each.name == "a")
    record.item["metadata"]["ownerReferences"] = [owner("ReplicaSet", "b", second)]
    world.pod(ownerReferences=[owner("ReplicaSet", "a", first)])
    assert len(values(ENRICHER.enrich(world, pod()))["pod.owners"]) == LONGEST_CHAIN


def _kind(resource: str) -> Any:
    from sandbox.kubernetes_kinds import KINDS

    return next(kind for kind in KINDS if kind.resource == resource)


# --- hosts


def test_a_host_of_a_cluster_is_the_node_of_exactly_that_name(world: World) -> None:
    found = ENRICHER.enrich(world, host(world.name, "prod"))
    assert found.also == (node(world.name), Instance(**WHERE, instance_id=world.instance))
    with pytest.raises(TargetMissing):
        ENRICHER.enrich(world, host(world.name.partition(".")[0], "prod"))


def test_a_host_outside_clusters_is_the_one_instance_of_that_name(world: World) -> None:
    found = ENRICHER.enrich(world, host(world.name))
    assert found.also == (Instance(**WHERE, instance_id=world.instance),)
    assert ENRICHER.enrich(world, host(world.instance)).also == found.also
    assert world.asked == []


def test_two_instances_of_one_name_are_none(world: World) -> None:
    """Two VPCs of the same range give the same address and name twice."""
    for _ in range(2):
        _, subnet = vpc(world.ec2, "10.7.0.0/16")
        _, name = launch(world.ec2, SubnetId=subnet, PrivateIpAddress="10.7.0.9")
    found = ENRICHER.enrich(world, host(name))
    assert (found.also, values(found)) == ((), {"host.instances": 2})


@pytest.mark.parametrize(
    "name",
    ["*", "ip-*", "ip-10-0-1-?", "nowhere.ec2.internal", "i-0123456789abcdef0", "a b", "Web", "x" * 300, "\u2028"],
)
def test_a_name_that_is_no_instances_finds_none(world: World, name: str) -> None:
    with pytest.raises(TargetMissing):
        ENRICHER.enrich(world, host(name))


def test_a_terminated_instance_answers_to_no_name(world: World) -> None:
    gone, _ = launch(world.ec2)
    assert ENRICHER.enrich(world, host(gone)).also != ()
    world.ec2.terminate_instances(InstanceIds=[gone])
    with pytest.raises(TargetMissing):
        ENRICHER.enrich(world, host(gone))


# --- hostile names, missing rights

HOSTILE = ["..", ".", "a/../b", "%2e%2e", "a?watch=1", "a#b", "web/eviction", "UPPER", "x\n", "\u202e", "a" * 254, "-a"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_cannot_be_one_reaches_no_server(world: World, name: str) -> None:
    hostile: list[Place] = [host(name, "prod")]
    if len(name) <= 253:
        hostile.append(pod(name=name))
    if len(name) <= 63:
        hostile.append(pod(namespace=name))
    for target in hostile:
        with pytest.raises(TargetMissing):
            ENRICHER.enrich(world, target)  # type: ignore[arg-type]  # members of the union, told as their base
    assert world.asked == []


def test_a_node_name_that_a_pod_claims_is_checked_too(world: World) -> None:
    world.pod(spec={"nodeName": "../secrets"})
    with pytest.raises(TargetMissing):
        ENRICHER.enrich(world, pod())
    assert world.asked == ["get pods"]


def test_missing_rights_are_told_and_not_taken_for_absence(world: World) -> None:
    world.cluster.users["observer"] = User("observer", ())
    with pytest.raises(Denied, match='cannot get resource "nodes"'):
        ENRICHER.enrich(world, node(world.name))


def test_other_targets_are_no_business_of_this_enricher(world: World) -> None:
    assert ENRICHER.enrich(world, Bucket(**WHERE, name="logs")) == Enrichment()
