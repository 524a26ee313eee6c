"""The reference of the command line, made from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from firebreak.cli.exit_codes import EXIT_CODES
from firebreak.cli.main import COMMANDS, main


def render() -> str:
    """Return everything on the page but its title: exit codes, then every command with its options."""
    codes = ["| Code | Meaning |", "|---|---|", *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())]
    parts = ["## Exit codes", "\n".join(codes)]
    for context, command in commands():
        parts += _section(context, command)
    return "\n\n".join(parts)


def commands() -> Iterator[tuple[click.Context, click.Command]]:
    """Yield every command of Firebreak's own, groups before what is in them."""
    root = click.Context(main, info_name="firebreak", **main.context_settings)
    for name in COMMANDS:
        command = main.get_command(root, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=root)
        yield context, command
        if isinstance(command, click.Group):
            for inner, child in command.commands.items():
                yield click.Context(child, info_name=inner, parent=context), child


def _section(context: click.Context, command: click.Command) -> Iterator[str]:
    depth = "##" if context.parent is not None and context.parent.parent is None else "###"
    yield f"{depth} {context.command_path}"
    yield _prose(command.help or "")
    if isinstance(command, click.Group):
        return
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```\n{context.command_path} {usage}\n```"
    options = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
    records = (option.get_help_record(context) for option in options)
    rows = [f"| `{_cell(option)}` | {_cell(' '.join(said.split()))} |" for option, said in filter(None, records)]
    yield "\n".join(["| Option | Meaning |", "|---|---|", *rows])
    if command.epilog:
        yield "```\n" + "\n".join(line.strip() for line in command.epilog.splitlines()[2:]) + "\n```"


def _prose(text: str) -> str:
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
