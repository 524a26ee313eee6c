"""The reference of the command line has everything there is."""

from __future__ import annotations

from pathlib import Path

import click

from firebreak.cli.exit_codes import EXIT_CODES
from firebreak.cli.reference import commands, render

PAGE = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"


def test_the_committed_page_says_what_would_be_rendered_now() -> None:
    assert render().strip() in PAGE.read_text(encoding="utf-8"), "run `make docs`"


def test_every_command_option_and_exit_code_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    seen = []
    for context, command in commands():
        _, heading, section = page.partition(f"# {context.command_path}\n")
        assert heading, context.command_path
        section = section.partition("\n##")[0]
        seen.append(context.command_path)
        if not isinstance(command, click.Group):
            for parameter in command.params:
                for name in parameter.opts if isinstance(parameter, click.Option) else [parameter.human_readable_name]:
                    assert name in section, f"{context.command_path}: {name}"
    assert {"firebreak normalise", "firebreak dlq redrive", "firebreak approvals deny"} <= set(seen)
    assert len(seen) == 26
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in page
