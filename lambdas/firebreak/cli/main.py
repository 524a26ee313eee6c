"""The operator's command: `firebreak`. Commands are imported when they are run, so that help comes at once."""

from __future__ import annotations

import errno
import importlib
import sys
import traceback
from collections.abc import Sequence
from importlib import metadata
from keyword import iskeyword
from typing import Any

import click

from firebreak.cli.exit_codes import BROKEN, EXIT_CODES, INTERRUPTED, MISUSED, code_of
from firebreak.core.display import clean
from firebreak.core.errors import FirebreakError

COMMANDS = {
    "normalise": ("firebreak.cli.normalise", "Turn events into findings, one line of JSON for each."),
    "explain": (
        "firebreak.cli.explain",
        "Say which playbook decides about an event, which steps follow, and why not the others.",
    ),
    "actions": ("firebreak.cli.actions", "What Firebreak can do, and what each action needs."),
    "playbooks": ("firebreak.cli.playbooks", "Check playbooks before they are deployed."),
    "incidents": ("firebreak.cli.incidents", "What happened and what was done about it."),
    "approvals": ("firebreak.cli.approvals", "Questions that wait for a person, and your answer."),
    "undo": ("firebreak.cli.undo", "Take back what an incident changed, newest first, and close it."),
    "plan": ("firebreak.cli.plan", "Show what an action would change about a target; change nothing."),
    "run": ("firebreak.cli.run", "Do an action on a target, as if a playbook had wanted it."),
    "evidence": (
        "firebreak.cli.evidence",
        "What is kept of an incident, and whether it still is what was kept.",
    ),
    "mode": ("firebreak.cli.mode", "Show or set how much Firebreak does by itself."),
    "halt": (
        "firebreak.cli.halt",
        "Throw the kill switch: from now on no step begins, whatever mode and playbooks say.",
    ),
    "except": ("firebreak.cli.exemptions", "Leave a target alone for a time, whatever findings say."),
    "dlq": ("firebreak.cli.dlq", "Messages that could not be handled, and another try."),
}
"""Module and first line of help, by command. In each module, the command is called as it is typed."""

LINES = 20
"""Lines of one error. Mistakes in a file come in several; whatever else is quoted must not fill the screen."""

PLUGINS = "firebreak.commands"
"""The entry-point group by which other packages add commands."""


class Commands(click.Group):
    """The commands of the table above and those that other packages bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(entry.name for entry in metadata.entry_points(group=PLUGINS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module = importlib.import_module(COMMANDS[cmd_name][0])
            return getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)  # type: ignore[no-any-return]
        for entry in metadata.entry_points(group=PLUGINS, name=cmd_name):
            return entry.load()  # type: ignore[no-any-return]
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, words) for name, (_, words) in COMMANDS.items()]
        for entry in sorted(metadata.entry_points(group=PLUGINS), key=lambda entry: entry.name):
            package = entry.module.partition(".")[0]
            rows.append((entry.name, f"Comes with {package}; `firebreak {entry.name} --help` says more."))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except ImportError as error:
            raise FirebreakError(
                f"command {args[0]} is not installed whole: {error}; install Firebreak again"
            ) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if ctx.params["debug"] and not isinstance(error, (FirebreakError, click.ClickException)):
                traceback.print_exception(error)
            raise

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; whatever befalls it is one line that says what to do, and an exit code of its own."""
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except Exception as error:  # noqa: BLE001 - the outermost edge: a person gets a line and never a traceback
            code = _told(error)
        if not standalone_mode:
            return code
        return sys.exit(code if isinstance(code, int) else 0)


def _told(error: Exception) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return MISUSED
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "firebreak"
        _say(f"{error.format_message()} See `{where} --help`.", where)
        return MISUSED
    if isinstance(error, click.ClickException):
        _say(error.format_message())
        return MISUSED
    if isinstance(error, click.Abort):
        _say("stopped; nothing more was done")
        return INTERRUPTED
    if isinstance(error, FirebreakError):
        _say(str(error))
        return code_of(error)
    if isinstance(error, OSError) and error.errno != errno.EPIPE and error.filename:
        _say(f"{error.filename}: {error.strerror}")
        return MISUSED
    _say(f"a mistake of its own: {type(error).__name__}: {error}. `firebreak --debug …` shows where; please report it")
    return BROKEN


def _say(text: str, who: str = "firebreak") -> None:
    shown = "\n".join(clean(line, 1_000) for line in text.rstrip("\n").split("\n")[:LINES])
    click.echo(f"{click.style(f'{who}:', fg='red', bold=True)} {shown}", err=True)


EPILOG = "\n".join(
    (
        "\b\nExit codes:",
        *(f"  {code:<4} {meaning}" for code, meaning in EXIT_CODES.items()),
        "",
        "\b\nExamples:",
        "  firebreak explain finding.json",
        "  firebreak incidents list --region eu-central-1",
        "  firebreak approvals approve 3f9c2a71 --sandbox",
    )
)


@click.command("firebreak", cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="firebreak", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of a mistake of Firebreak's own.")
def main(debug: bool) -> None:
    """Automatic, careful response to threats in an AWS estate.

    normalise, explain, actions and playbooks work offline. The others work on a deployment, which they find by its
    prefix with your AWS credentials, or on the sandbox of a running demo (--sandbox).
    """
