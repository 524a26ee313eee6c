"""The manifests for clusters say what the units declare."""

from __future__ import annotations

import yaml

from firebreak.core.grant import KubernetesRule
from firebreak.core.registry import actions
from stacks.rbac import FILE, groups, manifests


def test_the_file_is_as_it_would_be_rendered() -> None:
    assert FILE.read_text() == manifests(), "run `python -m stacks.rbac`"


def test_a_cluster_role_holds_what_the_action_declares_and_no_more() -> None:
    documents = {
        (document["kind"], document["metadata"]["name"]): document for document in yaml.safe_load_all(manifests())
    }
    for action in actions().values():
        name = f"firebreak:{action.name.replace('.', '-')}"
        declared = [
            rule for rule in (*action.reads, *action.writes, *action.collects) if isinstance(rule, KubernetesRule)
        ]
        assert (("ClusterRole", name) in documents) == bool(declared)
        if declared:
            found = {
                (rule["apiGroups"][0], rule["resources"][0], verb)
                for rule in documents["ClusterRole", name]["rules"]
                for verb in rule["verbs"]
            }
            assert found == {(rule.group, rule.resource, verb) for rule in declared for verb in rule.verbs}


def test_the_observer_only_looks() -> None:
    verbs = {verb for rule in groups("firebreak")["firebreak-observer"].rules for verb in rule.verbs}
    assert verbs <= {"get", "list"}


def test_groups_keep_their_names_whatever_the_prefix() -> None:
    assert [one.name for one in groups("other").values()] == [one.name for one in groups("firebreak").values()]
    assert all(role.startswith("other-") for role in groups("other"))
