"""The demo as it is typed: without a terminal, with one, and interrupted."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo_report import Report

ROOT = Path(__file__).parents[2]
FINDINGS = ROOT / "tests" / "fixtures" / "findings"
MAIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs these tests may ignore it, and we inherit that
from firebreak.cli.main import main
main()
"""
COMMAND = [sys.executable, "-X", "faulthandler", "-c", MAIN, "demo"]
LONGEST = 240
"""Seconds after which a run hangs, on however busy a machine."""


def surroundings(**more: str) -> dict[str, str]:
    """A developer's environment that must have no say: a profile that does not exist, endpoints and proxies."""
    hostile = {
        "AWS_PROFILE": "nobody",
        "AWS_REGION": "eu-nowhere-1",
        "AWS_ENDPOINT_URL": "http://192.0.2.1:1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "HTTP_PROXY": "http://192.0.2.1:1",
        "HTTPS_PROXY": "http://192.0.2.1:1",
        "ALL_PROXY": "http://192.0.2.1:1",
        "FIREBREAK_SLACK_API": "http://192.0.2.1:1",
    }
    return {**os.environ, **hostile, "PYTHONPATH": f"{ROOT / 'lambdas'}{os.pathsep}{ROOT}", "COLUMNS": "100", **more}


def run(*arguments: str) -> tuple[int, str, str]:
    ended = subprocess.run(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        env=surroundings(),
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_without_a_terminal_the_whole_story_is_played_and_checked() -> None:
    code, out, err = run()
    assert (code, err) == (0, ""), out
    printed = " ".join(out.split())
    for words in (
        "the incident is contained",
        "every disk is in a completed snapshot EC2: snap-",
        "is isolated, all 2 interfaces EC2: eni-",
        "the node is cordoned Kubernetes: unschedulable=True",
        "the demo pressed Approve: a signed request, as Slack sends it",
        "approved: ana",
        "people were told",
        "the key is off IAM: AKIA",
        "the public is shut out of the bucket S3: public access block, 4 of 4 flags on",
        "no incident was opened and nothing was started 4 incidents, 4 executions",
        "has the exact groups it had EC2: eni-",
        "schedules as it did unschedulable=False",
        "the key is as it was IAM: AKIA",
        "the bucket's block is as it was S3: no public access block",
        "contained in",
        "still possible",
        "Every check holds, 36 of 36.",
        "First finding contained",
    ):
        assert words in printed, out
    assert '"level"' not in out
    assert "✗" not in out


def test_json_is_the_report_and_nothing_else() -> None:
    code, out, err = run("--json", "--as-estate", "--event", str(FINDINGS / "guardduty" / "instance-dns.json"))
    report = Report.model_validate_json(out)
    assert (code, err, report.ok) == (0, "", True)
    (incident,) = report.incidents
    assert {step.action: step.status for step in incident.steps} == {
        "ebs.snapshot_volumes": "verified",
        "ec2.isolate_instance": "verified",
    }
    assert incident.snapshots
    assert incident.manifests
    assert incident.seconds_to_contain is not None
    assert any(check.what.endswith("is isolated") for check in report.checks)


class Screen:
    """A demo on a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=surroundings(TERM="xterm"),
            cwd=folder,
            start_new_session=True,
        )
        os.close(theirs)
        os.set_blocking(ours, False)
        self._terminal, self.text = ours, ""

    def until(self, words: str, times: int = 1) -> None:
        """Read until the words are on the screen, so many times."""
        end = time.monotonic() + LONGEST
        while self._count(words) < times:
            assert time.monotonic() < end, self.text
            self._read()
            assert self.process.poll() is None or self._count(words) >= times, self.text
            time.sleep(0.05)

    def _count(self, words: str) -> int:
        return " ".join(self.text.split()).count(words)

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def end(self, number: signal.Signals) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        try:
            code = self.process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # faulthandler says where each thread stands
            self.process.wait(LONGEST)
            self._read()
            raise AssertionError(f"it went on after signal {number}: {self.text}") from None
        self._read()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LONGEST)
        os.close(self._terminal)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):  # nothing there yet; nobody there any more
            while part := os.read(self._terminal, 65536):
                self.text += part.decode(errors="replace")


@pytest.fixture
def screens() -> Iterator[list[Screen]]:
    opened: list[Screen] = []
    yield opened
    for screen in opened:
        screen.close()


def test_a_person_denies_and_other_commands_reach_the_sandbox_until_it_is_interrupted(
    screens: list[Screen], tmp_path: Path
) -> None:
    screen = Screen(tmp_path, "--stay", "--pace", "0")
    screens.append(screen)
    for question, answer in enumerate("dda", 1):
        screen.until("Your answer?", question)
        screen.type(f"{answer}\n")
    screen.until("stays until Ctrl-C")
    printed = " ".join(screen.text.split())
    assert "the answer was no (denied), and the node is not cut off" in printed
    assert "the answer was no (denied), and nothing was changed" in printed
    assert "the public is shut out of the bucket" in printed
    assert "Every check holds" in printed
    file = tmp_path / ".firebreak" / "sandbox.json"
    assert set(json.loads(file.read_text())) == {
        *("endpoint", "region", "account", "access_key_id", "secret_access_key"),
    }
    listed = subprocess.run(
        [*COMMAND[:-1], "incidents", "list", "--sandbox", "--over", "--json"],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        env={name: value for name, value in surroundings().items() if not name.startswith(("AWS_", "FIREBREAK_"))},
        cwd=tmp_path,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    assert [incident["status"] for incident in json.loads(listed.stdout)] == ["closed"] * 4
    assert screen.end(signal.SIGINT) == 130
    assert "nothing is left running" in screen.text
    assert not file.exists()


def test_nobody_in_time_is_a_no_and_the_story_goes_on(screens: list[Screen], tmp_path: Path) -> None:
    screen = Screen(tmp_path, "--wait", "1", "--pace", "1")
    screens.append(screen)
    screen.until("Enter goes on, or 1 s.")
    screen.until("nobody answered within 1 s")
    screen.until("the answer was no (expired), and the node is not cut off")
    assert screen.end(signal.SIGTERM) == 130
    assert "Traceback" not in screen.text
