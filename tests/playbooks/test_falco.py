"""playbooks/falco.yaml: Falco's rules."""

from __future__ import annotations

import pytest

from firebreak.core.playbook import Playbook
from firebreak.wire.falco_rules import RULES
from tests.playbooks.shipped import (
    CORDON,
    CORDON_ASKS,
    INSTANCE,
    ISOLATE_ASKS,
    LOW,
    PLAYBOOKS,
    POD,
    SNAPSHOT,
    outcome,
)

UNASKED = [SNAPSHOT, CORDON, ISOLATE_ASKS]
ASKED = [SNAPSHOT, CORDON_ASKS, ISOLATE_ASKS]
FALCO: list[Playbook] = [playbook for playbook in PLAYBOOKS.playbooks if playbook.match.source == "falco"]


@pytest.mark.parametrize(
    ("rule", "playbook", "steps"),
    [
        ("Known Cryptominer Process Executed", "falco-miner", UNASKED),
        ("Detect crypto miners using the Stratum protocol", "falco-miner", UNASKED),
        ("Detect outbound connections to common miner pool ports", "falco-suspected-miner", [SNAPSHOT, CORDON_ASKS]),
        ("Drop and execute new binary in container", "falco-foreign-code", UNASKED),
        ("Fileless execution via memfd_create", "falco-foreign-code", UNASKED),
        ("Detect release_agent File Container Escapes", "falco-escape", UNASKED),
        ("Debugfs Launched in Privileged Container", "falco-suspected-escape", ASKED),
        ("Reverse Shell from Web Server", "falco-reverse-shell", UNASKED),
        ("Netcat Remote Code Execution in Container", "falco-suspected-shell", ASKED),
        ("Redirect STDOUT/STDIN to Network Connection in Container", "falco-suspected-shell", ASKED),
        ("Find AWS Credentials", "falco-credentials", [SNAPSHOT, CORDON_ASKS]),
        ("Read sensitive file untrusted", "falco-credentials", [SNAPSHOT, CORDON_ASKS]),
        ("Terminal shell in container", "everything-else", []),
        ("Contact K8S API Server From Container", "everything-else", []),
        ("Attach/Exec Pod", "everything-else", []),
        ("Known cryptominer process executed", "everything-else", []),
        ("Known Cryptominer Process Executed ", "everything-else", []),
        ("A rule of our own", "everything-else", []),
    ],
)
def test_a_rule_gets_what_it_calls_for_whatever_its_priority(rule: str, playbook: str, steps: list[str]) -> None:
    assert outcome(rule, LOW, POD, source="falco") == (playbook, steps)


def test_outside_a_cluster_there_is_nothing_to_cordon() -> None:
    found = outcome("Known Cryptominer Process Executed", LOW, INSTANCE, source="falco")
    assert found == ("falco-miner", [SNAPSHOT, ISOLATE_ASKS])


def test_a_victim_is_left_alone_and_no_other_source_can_use_a_rules_name() -> None:
    rule = "Known Cryptominer Process Executed"
    assert outcome(rule, LOW, POD, "victim", source="falco") == ("victims", [])
    assert outcome(rule, LOW, POD) == ("everything-else", [])


def test_every_rule_is_named_exactly_as_falco_names_it() -> None:
    named = [rule for playbook in FALCO for rule in playbook.match.type or ()]
    assert set(named) <= set(RULES)
    assert len(named) == len(set(named))


def test_what_runs_unasked_is_only_what_clearly_does_harm() -> None:
    for playbook in FALCO:
        changes = [step for step in playbook.steps if step.effect != "collect" and step.consent == "auto"]
        if changes:
            assert {RULES[rule].posture for rule in playbook.match.type or ()} == {"acting"}
            assert {RULES[rule].severity for rule in playbook.match.type or ()} <= {4}
