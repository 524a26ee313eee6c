"""One statement more in a bucket policy, and nothing else changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.bucket_policy import difference, has, lost_principals, same, statements, with_statement
from firebreak.core.model import Json

OURS: Json = {"Sid": "Ours", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["a", "b"]}
THEIRS: Json = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:role/x"]}}


def policy(*listed: Json, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": listed[0] if len(listed) == 1 else listed, **more})


STATEMENTS = st.lists(
    st.dictionaries(st.sampled_from(["Sid", "Action", "Resource"]), st.text() | st.lists(st.text())), max_size=4
)


@given(STATEMENTS, st.booleans())
def test_the_other_statements_stay_as_they_are_and_in_their_order(listed: list[Json], ascii_only: bool) -> None:
    text = json.dumps({"Version": "2008-10-17", "Id": "x", "Statement": listed}, ensure_ascii=ascii_only)
    wider = with_statement(text, OURS)
    assert statements(wider) == [*listed, OURS]
    assert json.loads(wider) | {"Statement": listed} == json.loads(text)


def test_a_bucket_without_a_policy_gets_one_of_this_statement_alone() -> None:
    assert json.loads(with_statement(None, OURS)) == {"Version": "2012-10-17", "Statement": [OURS]}
    assert statements(None) == []


def test_a_single_statement_need_not_be_in_a_list() -> None:
    assert statements(policy(THEIRS)) == [THEIRS]
    assert has(policy(THEIRS), {**THEIRS, "Principal": {"AWS": "arn:aws:iam::111122223333:role/x"}})
    assert not has(policy(THEIRS), OURS)
    assert not has(None, OURS)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (None, None, True),
        (None, policy(OURS), False),
        (policy(OURS), None, False),
        (policy(OURS), json.dumps(json.loads(policy(OURS)), indent=2), True),
        (policy(OURS), json.dumps({"Version": "2012-10-17", "Statement": [OURS]}), True),
        (policy(OURS), policy({**OURS, "Resource": ["b", "a"]}), False),
        (policy(OURS), policy(OURS, THEIRS), False),
        (policy(OURS), policy(OURS, Version="2008-10-17"), False),
    ],
)
def test_policies_are_the_same_however_they_are_spelt(one: str | None, other: str | None, equal: bool) -> None:
    assert same(one, other) == equal


@pytest.mark.parametrize(
    ("found", "known", "said"),
    [
        (None, policy(OURS), "there is no policy"),
        (policy(OURS), None, "there is a policy"),
        (policy(OURS, THEIRS), policy(OURS), 'statement "Theirs" is new'),
        (policy(OURS), policy(OURS, THEIRS), 'statement "Theirs" is gone'),
        (
            policy({**THEIRS, "Effect": "Deny"}),
            policy(THEIRS),
            'statement "Theirs" is gone; statement "Theirs" is new',
        ),
        (policy({"Effect": "Deny"}), policy(OURS), 'a statement without a name is new; statement "Ours" is gone'),
        (policy(OURS, THEIRS), policy(THEIRS, OURS), "its statements are the same, in another order"),
    ],
)
def test_what_differs_is_named(found: str | None, known: str | None, said: str) -> None:
    assert difference(found, known).startswith(said)


@pytest.mark.parametrize(
    ("principal", "lost"),
    [
        ({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}, ("AIDACKCEVSQ6C2EXAMPLE",)),
        ({"AWS": ["*", "AROACKCEVSQ6C2EXAMPLE"]}, ("AROACKCEVSQ6C2EXAMPLE",)),
        ({"AWS": "arn:aws:iam::111122223333:user/AIDACKCEVSQ6C2EXAMPLE"}, ()),
        ({"Service": "logging.s3.amazonaws.com"}, ()),
        ("*", ()),
    ],
)
@pytest.mark.parametrize("member", ["Principal", "NotPrincipal"])
def test_principals_that_were_deleted_show_by_their_ids(member: str, principal: Json, lost: tuple[str, ...]) -> None:
    assert lost_principals(policy(OURS, {"Effect": "Allow", member: principal})) == lost
