"""Orders of people: what is read of one, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core import registry
from firebreak.core.decision import Circumstances, decide, may_act
from firebreak.core.errors import FindingError
from firebreak.core.finding import Finding, Order
from firebreak.core.playbook import Playbooks
from firebreak.core.source import Origin
from firebreak.core.target import Instance
from firebreak.sources.person import Person, Wanted, event
from tests.hostile import HIDDEN
from tests.sources.findings import changed, fixture, one

ORDERED = fixture("person", "instance")
NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)


def wanted(reason: str = "drill", number: int = 1) -> Wanted:
    order = Order(action="ec2.isolate_instance", by="arn:aws:iam::111122223333:user/ana", reason=reason)
    target = Instance(account="444455556666", region="eu-central-1", instance_id="i-0123456789abcdef0")
    return Wanted(id=f"{number:032x}", order=order, target=target)


def sent(of: Wanted) -> Finding:
    (finding,) = Person().normalise(event(of, "111122223333", "eu-west-1", NOW), Origin())
    return finding


def test_an_order_is_about_the_account_of_its_target_and_not_of_the_bus() -> None:
    found = one(ORDERED)
    assert (found.account, found.region, found.targets[0].key) == (
        "444455556666", "eu-central-1", "aws/444455556666/eu-central-1/instance/i-0123456789abcdef0",
    )  # fmt: skip


def test_one_order_is_one_finding_however_often_it_comes_and_another_is_another() -> None:
    assert sent(wanted()).key == sent(wanted()).key
    assert sent(wanted()).key != sent(wanted(number=2)).key


def test_an_order_decides_whatever_playbooks_say() -> None:
    found = sent(wanted())
    assert may_act(Playbooks(), found)
    decision = decide(Playbooks(), found, Circumstances(kinds=frozenset({"instance"})))
    assert (decision.playbook, [(step.action, step.consent) for step in decision.steps]) == (
        "ordered", [("ec2.isolate_instance", "auto")],
    )  # fmt: skip
    (reason,) = decision.reasons
    assert reason.standing == "chosen"


def test_parameters_that_are_left_out_are_the_actions_own() -> None:
    found = one(ORDERED)
    assert found.order is not None
    parameters = registry.action("ec2.isolate_instance").parameters()
    assert found.order.parameters == parameters.model_dump(mode="json")


@given(st.just(HIDDEN.encode("utf-8", "ignore").decode()) | st.text(min_size=1, max_size=500))
def test_a_reason_is_text_and_nothing_else(reason: str) -> None:
    if 0 < len(reason) <= 500:
        found = sent(wanted(reason))
        assert found.order is not None
        assert found.order.reason == reason


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("detail.id", "1"),
        ("detail.id", ...),
        ("detail.order", ...),
        ("detail.order.by", ""),
        ("detail.order.action", "../ec2.isolate_instance"),
        ("detail.order.action", "EC2.isolate_instance"),
        ("detail.order.action", 7),
        ("detail.order.parameters", []),
        ("detail.order.reason", "x" * 501),
        ("detail.order.more", 1),
        ("detail.target.kind", "planet"),
        ("detail.target.account", "1234"),
        ("detail.target.region", ""),
        ("detail.target.instance_id", "i-1; drop"),
    ],
)
def test_what_cannot_be_done_is_named_by_its_field(path: str, value: Any) -> None:
    assert one(ORDERED)
    with pytest.raises(FindingError) as caught:
        one(changed(ORDERED, path, value))
    assert caught.value.field.startswith(".".join(path.split(".")[:2])), caught.value.field
