"""`firebreak actions`: what the actions declare of themselves."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from firebreak.cli.main import main
from firebreak.core import registry


def test_every_action_is_listed_with_its_effect() -> None:
    shown = CliRunner().invoke(main, ["actions", "list"])
    listed = json.loads(CliRunner().invoke(main, ["actions", "list", "--json"]).stdout)
    assert shown.exit_code == 0
    assert max(map(len, shown.output.splitlines())) <= 100
    assert {(each["name"], each["effect"]) for each in listed} == {
        (name, action.effect) for name, action in registry.actions().items()
    }
    for name in registry.actions():
        assert name in shown.output


@pytest.mark.parametrize("name", sorted(registry.actions()))
def test_an_action_is_shown_whole(name: str) -> None:
    action = registry.actions()[name]
    shown = CliRunner().invoke(main, ["actions", "show", name])
    assert shown.exit_code == 0
    whole = json.loads(CliRunner().invoke(main, ["actions", "show", name, "--json"]).stdout)
    assert len(whole["writes"]) == len(action.writes)
    for words in (action.effect, "Does not stop:", *action.parameters.model_fields):
        assert words in shown.output
    for grant in (*action.reads, *action.writes):
        assert str(getattr(grant, "action", getattr(grant, "resource", None))) in shown.output
    assert max(map(len, shown.output.splitlines())) <= 100


def test_an_action_that_does_not_exist_is_not_found() -> None:
    result = CliRunner().invoke(main, ["actions", "show", "../etc/passwd"])
    assert result.exit_code == 4
    assert "`firebreak actions list` names them" in result.stderr
