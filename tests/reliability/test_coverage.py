"""The scan of the code finds every call, and a place is found again on the stack of the call that is made there."""

from __future__ import annotations

from pathlib import Path

import pytest

from reliability.coverage import CODE, ELSEWHERE, Reached, Site, _elsewhere, sites
from reliability.fault import Misfortune
from reliability.run import play

HIDDEN = """
def plan(clients, target):
    ec2 = clients.aws("ec2")
    ec2.describe_instances(
        InstanceIds=[target]
    )
    found = ec2.pages("describe_volumes", "Volumes")
    return [volume for volume in found]


class Store:
    def read(self):
        return self._table.get("pk", "sk")

    def words(self):
        return ", ".join(self.names.items())
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions" / "new.py").write_text(HIDDEN)
    return tmp_path


def test_a_call_is_found_by_its_operation_its_pages_or_what_it_is_made_on(code: Path) -> None:
    assert sites(code) == [
        Site("actions/new.py", "plan", 2, 8, "ec2.pages"),
        Site("actions/new.py", "plan", 4, 6, "ec2.describe_instances"),
        Site("actions/new.py", "read", 13, 13, "self._table.get"),
    ]


def test_a_call_that_no_run_came_to_is_missed(code: Path) -> None:
    reached = Reached.by(["actions/new.py:4", "actions/new.py:7", "actions/other.py:13"], code)
    assert [str(site) for site in reached.missed] == ["actions/new.py:13 read: self._table.get"]
    assert Reached.by(["actions/new.py:5", "actions/new.py:8", "actions/new.py:13"], code).missed == ()


def test_a_run_tells_the_places_that_its_calls_were_made_from(folder: str) -> None:
    outcome = play(Misfortune("only"), folder)
    played = [site for site in sites() if site.file == "adapters/ledger_table.py" and site.function == "begin"]
    assert played
    assert not set(played) & set(Reached.by(outcome.places).missed)
    assert Reached.by(()).missed == tuple(sites())


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_what_is_held_elsewhere_is_there(pattern: str) -> None:
    file, _, function = pattern.partition(" ")
    found = list(CODE.glob(file))
    assert found
    assert function in ("", "*") or f"def {function}(" in found[0].read_text()
    assert not any(_elsewhere(site, pattern) for site in sites())
