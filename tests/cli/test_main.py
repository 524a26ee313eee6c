"""The command as a whole: help, errors in one line, exit codes, and commands that other packages bring."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from firebreak.cli import main as module
from firebreak.cli.exit_codes import EXIT_CODES, code_of
from firebreak.cli.main import COMMANDS, main
from firebreak.cli.reference import commands
from firebreak.core import errors

ROOT = Path(__file__).resolve().parents[2]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "lambdas"), str(ROOT), *sys.path])
    env = os.environ | {"PYTHONPATH": path}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_help_names_every_command_and_exit_code() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.output
    for code, meaning in EXIT_CODES.items():
        assert f"  {code:<4} {meaning}" in result.output


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "from firebreak.cli.main import main; main(['--help'], standalone_mode=False); import sys; print(*sys.modules)"
    )
    shown = python("-c", code)
    assert shown.returncode == 0, shown.stderr
    loaded = set(shown.stdout.split())
    assert "firebreak.cli.main" in loaded
    assert not loaded & {"boto3", "botocore", "pydantic", "rich", "yaml", *(name for name, _ in COMMANDS.values())}


def test_offline_commands_do_without_boto3() -> None:
    code = "from firebreak.cli.main import main; main(['actions', 'list'], standalone_mode=False)"
    shown = python("-c", f"{code}; import sys; print(*sys.modules)")
    assert shown.returncode == 0, shown.stderr
    assert not set(shown.stdout.split()) & {"boto3", "botocore", "yaml"}


def test_each_line_of_help_is_the_commands_own() -> None:
    for context, command in commands():
        if context.info_name in COMMANDS and context.parent is not None and context.parent.parent is None:
            assert COMMANDS[context.info_name][1] == (command.help or "").split("\n")[0]


def test_every_command_has_examples_and_prints_json() -> None:
    for context, command in commands():
        if isinstance(command, click.Group):
            continue
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options, context.command_path
        assert "Examples:" in (command.epilog or ""), context.command_path
        for line in (command.epilog or "").splitlines()[2:]:
            assert context.command_path in line


def test_every_example_is_understood() -> None:
    for context, command in commands():
        for line in (command.epilog or "").splitlines()[2:]:
            words = [word.strip('"') for word in _words(line.partition(f"{context.command_path} ")[2])]
            words = [word for word in words if word not in ("finding.json", "alert.json", "events.jsonl")]
            files = (
                ["pyproject.toml"] if len(words) < len(_words(line.partition(f"{context.command_path} ")[2])) else []
            )
            command.make_context(context.info_name, [*files, *words], parent=context.parent).close()


def _words(line: str) -> list[str]:
    import shlex

    return shlex.split(line.partition(" | ")[0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Usage: firebreak"),
        (["nonsense"], "No such command 'nonsense'"),
        (["--nonsense"], "No such option"),
        (["incidents", "nonsense"], "No such command 'nonsense'"),
        (["undo"], "Missing argument 'INCIDENT'"),
        (["mode", "sometimes"], "'sometimes' is not one of 'observe', 'approve', 'auto'"),
        (["dlq", "list", "--limit", "0"], "--limit"),
    ],
)
def test_what_cannot_be_understood_ends_with_two_and_says_where_help_is(words: list[str], said: str) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert said in result.stderr
    if words:
        assert len(result.stderr.splitlines()) == 1
        assert "--help" in result.stderr


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (errors.SettingsError("x.yaml:3: no"), 2, "firebreak: x.yaml:3: no"),
        (errors.Refused("no"), 3, "firebreak: no"),
        (errors.Conflict("moved"), 3, "firebreak: moved"),
        (errors.TargetMissing("none"), 4, "firebreak: none"),
        (errors.Denied("not you"), 5, "firebreak: not you"),
        (errors.Throttled("slower"), 5, "firebreak: slower"),
        (click.Abort(), 130, "firebreak: stopped; nothing more was done"),
        (KeyboardInterrupt(), 130, "firebreak: stopped; nothing more was done"),
        (errors.Refused("a\x1b[31mb\u202e\nsecond"), 3, "firebreak: ab\nsecond"),
        (KeyError("x"), 1, "firebreak: a mistake of its own: KeyError: 'x'."),
    ],
)
def test_every_failure_is_a_line_and_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, said: str
) -> None:
    @click.command()
    def fails() -> None:
        raise raised

    monkeypatch.setattr(main, "get_command", lambda ctx, name: fails)
    result = CliRunner().invoke(main, ["actions"])
    assert result.exit_code == code
    assert result.stderr.replace("[31m", "").lstrip().startswith(said)
    assert "Traceback" not in result.output
    assert code in EXIT_CODES


def test_debug_shows_where_a_mistake_of_ours_is(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def fails() -> None:
        raise KeyError("x")

    monkeypatch.setattr(main, "get_command", lambda ctx, name: fails)
    assert "Traceback" in CliRunner().invoke(main, ["--debug", "actions"]).output


def test_every_error_of_the_tree_has_a_code_that_is_documented() -> None:
    made = [errors.Refused("x"), errors.OutOfTime("x"), errors.AwsError("c", "o", "m"), errors.FindingError("f", "r")]
    assert {code_of(error) for error in made} <= EXIT_CODES.keys()


def test_packages_bring_commands_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = metadata.EntryPoints(
        [
            metadata.EntryPoint("version", "tests.cli.test_main:brought", module.PLUGINS),
            metadata.EntryPoint("broken", "no_such_package.cli:broken", module.PLUGINS),
        ]
    )
    monkeypatch.setattr(metadata, "entry_points", lambda **wanted: entries.select(**wanted))
    shown = CliRunner().invoke(main, ["--help"]).output
    assert "version" in shown
    assert "no_such_package" not in sys.modules
    assert CliRunner().invoke(main, ["version"]).output == "brought\n"
    broken = CliRunner().invoke(main, ["broken"])
    assert broken.exit_code == 5
    assert "not installed whole" in broken.stderr


@click.command()
def brought() -> None:
    click.echo("brought")
