"""Falco's way: whose alert it is, is said by the queue it came through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from firebreak.core.deployment import WatchedCluster
from firebreak.core.registry import sources
from stacks.clusters import SIDEKICK
from stacks.names import of_cluster
from tests.stacks.conftest import ESTATE, MEMBER, SECURITY
from tests.stacks.iam import allowed
from tests.stacks.template import Template, text

FALCO = Path(__file__).parents[2] / "falco"
CLUSTERS = {"prod-a": (SECURITY, "firebreak-clusters"), "Prod_B": (MEMBER, f"firebreak-clusters-{MEMBER}")}


@pytest.fixture
def falco(estate: Mapping[str, Template]) -> Template:
    return estate["firebreak-falco"]


def pipe_of(falco: Template, cluster: WatchedCluster) -> dict[str, Any]:
    name = of_cluster("firebreak", "pipe", cluster)
    (found,) = [pipe for pipe in falco.all("AWS::Pipes::Pipe").values() if pipe["Name"] == name]
    return found


@pytest.mark.parametrize("cluster", ESTATE.clusters, ids=lambda cluster: cluster.name)
def test_a_pipe_adds_whose_alerts_they_are_and_drops_none(falco: Template, cluster: WatchedCluster) -> None:
    pipe = pipe_of(falco, cluster)
    template = text(pipe["TargetParameters"]["InputTemplate"])
    assert json.loads(template.replace("<$.body>", '{"rule": "R"}')) == {
        "account": cluster.account,
        "region": cluster.region,
        "cluster": cluster.name,
        "alert": {"rule": "R"},
    }
    parameters = pipe["SourceParameters"]
    assert parameters == {"SqsQueueParameters": {"BatchSize": 10}}, "a filter drops in silence, a window waits"


@pytest.mark.parametrize("cluster", ESTATE.clusters, ids=lambda cluster: cluster.name)
def test_what_a_pipe_sends_is_what_the_source_wants(falco: Template, cluster: WatchedCluster) -> None:
    sent = pipe_of(falco, cluster)["TargetParameters"]["EventBridgeEventBusParameters"]
    pattern = sources()["falco"].pattern
    assert (pattern["source"], pattern["detail-type"]) == ([sent["Source"]], [sent["DetailType"]])


@pytest.mark.parametrize("cluster", ESTATE.clusters, ids=lambda cluster: cluster.name)
def test_only_the_clusters_own_sender_may_send_to_its_queue(
    falco: Template, estate: Mapping[str, Template], cluster: WatchedCluster
) -> None:
    name = of_cluster("firebreak", "falco", cluster)
    (id,) = [id for id, queue in falco.all("AWS::SQS::Queue").items() if queue.get("QueueName") == name]
    (policy,) = [
        one["PolicyDocument"]["Statement"]
        for one in falco.all("AWS::SQS::QueuePolicy").values()
        if {"Ref": id} in one["Queues"]
    ]
    (grant,) = [one for one in policy if one["Effect"] == "Allow"]
    assert grant["Action"] == "sqs:SendMessage"
    assert cluster.account in text(grant["Principal"]["AWS"])
    sender = estate[CLUSTERS[cluster.name][1]].one("AWS::IAM::Role")["RoleName"]
    for role, may in ((sender, True), ("somebody", False), (f"{sender}x", False)):
        context = {"aws:PrincipalArn": f"arn:aws:iam::{cluster.account}:role/{role}"}
        assert allowed([{**grant, "Resource": "*"}], "sqs:SendMessage", "queue", context) == may


@pytest.mark.parametrize("cluster", ESTATE.clusters, ids=lambda cluster: cluster.name)
def test_a_sender_reaches_its_queue_and_nothing_else(estate: Mapping[str, Template], cluster: WatchedCluster) -> None:
    template = estate[CLUSTERS[cluster.name][1]]
    role = template.one("AWS::IAM::Role")
    (statement,) = template.role_statements(role["RoleName"])
    queue = of_cluster("firebreak", "falco", cluster)
    assert statement["Action"] == "sqs:SendMessage"
    assert text(statement["Resource"]) == f"arn:aws:sqs:eu-west-1:{SECURITY}:{queue}"
    association = template.one("AWS::EKS::PodIdentityAssociation")
    assert (association["Namespace"], association["ServiceAccount"]) == SIDEKICK
    assert association["ClusterName"] == cluster.name


@pytest.mark.parametrize("cluster", ESTATE.clusters, ids=lambda cluster: cluster.name)
def test_roles_become_the_groups_that_the_manifests_give_rights_to(
    estate: Mapping[str, Template], cluster: WatchedCluster
) -> None:
    entries = estate[CLUSTERS[cluster.name][1]].all("AWS::EKS::AccessEntry").values()
    groups = {text(one["PrincipalArn"]).rpartition("/")[2]: one["KubernetesGroups"] for one in entries}
    assert groups["firebreak-eks-cordon_node"] == ["firebreak:eks-cordon_node"]
    bound = {
        subject["name"]
        for document in yaml.safe_load_all((FALCO / "rbac.yaml").read_text())
        if document["kind"] == "ClusterRoleBinding"
        for subject in document["subjects"]
    }
    assert {group for (group,) in groups.values()} == bound
    assert {one["ClusterName"] for one in entries} == {cluster.name}


def test_names_of_clusters_that_look_alike_differ_and_fit() -> None:
    long = "a" * 100
    names = {
        of_cluster("firebreak-0123456789", "falco", WatchedCluster(name=name, account=account, region=region))
        for name in ("prod", "Prod", long, long[:-1])
        for account in (SECURITY, MEMBER)
        for region in ("eu-west-1", "us-east-1")
    }
    assert len(names) == 16
    assert all(len(name) <= 64 for name in names)


class TestValues:
    """The Helm values: each of these mistakes makes Falco blind or dumb while every pod is healthy."""

    @pytest.fixture
    def values(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((FALCO / "values.yaml").read_text())
        return found

    def test_alerts_are_not_cut_by_priority_so_that_the_heartbeat_arrives(self, values: dict[str, Any]) -> None:
        assert "minimumpriority" not in (FALCO / "values.yaml").read_text()
        assert values["falco"]["priority"] == "informational"
        assert values["metrics"] == {"enabled": True, "outputRule": True, "interval": "15m"}

    def test_sidekick_finds_its_credentials_and_keeps_its_settings(self, values: dict[str, Any]) -> None:
        sidekick = values["falcosidekick"]
        assert sidekick["image"]["tag"] == "2.34.1"
        assert sidekick["config"]["aws"] == {"useirsa": False, "checkidentity": False}

    def test_hosts_are_named_after_their_nodes(self, values: dict[str, Any]) -> None:
        assert values["falcoHostnameEnv"] is True
        assert values["collectors"]["containerEngine"]["enabled"] is True

    def test_rules_are_pinned_and_every_file_that_is_installed_is_loaded(self, values: dict[str, Any]) -> None:
        assert values["falcoctl"]["artifact"]["follow"]["enabled"] is False
        refs = dict(ref.split(":") for ref in values["falcoctl"]["config"]["artifact"]["install"]["refs"])
        assert all(version.count(".") == 2 for version in refs.values())
        files = values["falco"]["rules_files"]
        assert [f"/etc/falco/{name.removesuffix('-rules')}_rules.yaml" for name in refs] == files[:-1]
        assert files[-1] == "/etc/falco/rules.d", "ours come last"

    def test_our_rules_change_upstream_ones_by_override_alone(self) -> None:
        engine, *rules = yaml.safe_load((FALCO / "firebreak_rules.yaml").read_text())
        assert engine == {"required_engine_version": "0.57.0"}
        assert rules
        assert all(rule["override"] == {"items": "append"} for rule in rules)
