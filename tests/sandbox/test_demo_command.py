"""The command: bad input is one line and exit code 2, and nothing is started; help and hermetic surroundings."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from firebreak.cli.console import SandboxFile
from firebreak.cli.main import main
from sandbox.demo_report import Report
from sandbox.demo_sight import Credentials
from sandbox.demo_stay import announced
from sandbox.hermetic import hermetic

FINDINGS = Path(__file__).parents[1] / "fixtures" / "findings"
CREDENTIALS = Credentials("http://127.0.0.1:1", "us-east-1", "111122223333", "AKIAIOSFODNN7EXAMPLE", "sandbox")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["demo", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def _nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*arguments: object) -> None:
        raise AssertionError("the demo was started")

    monkeypatch.setattr("sandbox.demo.play", started)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no event"),
        ("not JSON", "not JSON"),
        ('{"a": ', "not JSON"),
        ("[]", "holds no event"),
        ("7", "an event is a JSON object"),
        ("{}", "empty object"),
        ('{"source": "aws.s3", "detail-type": "Object Created", "detail": {}}', "not for Firebreak"),
        ('{"rule": "x"}', "not for Firebreak"),
        ('{"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {}}', "detail"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_nothing_is_started(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "event.json"
    path.write_text(content)
    code, out, err = run("--event", str(path))
    assert (code, out) == (2, "")
    assert said in err
    assert str(path) in err
    assert len(err.strip().splitlines()) == 1


def test_a_file_that_is_not_there_or_is_a_folder_is_one_line(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.json", "No such file"), (tmp_path, "directory")):
        code, out, err = run("--event", str(path))
        assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
        assert said in err


@pytest.mark.parametrize("path", sorted(FINDINGS.glob("*/error-*[!n].json")), ids=lambda path: str(path.stem))
def test_every_unusable_fixture_is_refused(path: Path) -> None:
    if path.name.endswith(".golden.json"):
        pytest.fail("the glob takes golden files")
    code, out, err = run("--event", str(path))
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)


def test_a_good_event_beside_a_bad_one_is_not_played(tmp_path: Path) -> None:
    good = (FINDINGS / "guardduty" / "instance-dns.json").read_text().replace("\n", " ")
    path = tmp_path / "events.jsonl"
    path.write_text(f"{good}\n{{}}\n")
    code, _, err = run("--event", str(path))
    assert code == 2
    assert "event 2" in err
    path.write_text(f"{good}\n{good}\n")
    assert "was started" in run("--event", str(path))[2]


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 6)])
def test_the_exit_code_says_whether_all_was_as_it_should_be(
    monkeypatch: pytest.MonkeyPatch, ok: bool, code: int
) -> None:
    report = Report(
        ok=ok,
        checks=(),
        incidents=(),
        seconds_to_first_containment=None,
        seconds=1.0,
        synthesis_kept=True,
        log="log",
    )
    monkeypatch.setattr("sandbox.demo.play", lambda *arguments: report)
    assert run()[0] == code


def test_an_interrupted_demo_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sandbox.demo.play", interrupted)
    code, _, err = run()
    assert (code, err.strip()) == (130, "stopped; nothing is left running")


@pytest.mark.parametrize("arguments", [("--as-estate",), ("--wait", "0"), ("--wait", "soon"), ("--what",), ("story",)])
def test_options_that_make_no_sense_are_refused(arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)


def test_help_has_examples_and_exit_codes() -> None:
    code, out, _ = run("--help")
    assert code == 0
    for words in ("--as-estate", "Examples:", "Exit codes", "130 interrupted"):
        assert words in out


def test_the_surroundings_stay_out_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://192.0.2.1")
    monkeypatch.setenv("FIREBREAK_TABLE", "theirs")
    monkeypatch.setenv("NO_PROXY", "internal.example")
    before = dict(os.environ)
    with hermetic():
        assert {name for name in os.environ if name.startswith(("AWS_", "FIREBREAK_"))} == {
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_EC2_METADATA_DISABLED",
        }
        assert os.environ["NO_PROXY"] == "localhost,127.0.0.1,::1,internal.example"
    assert dict(os.environ) == before


def test_how_to_reach_the_sandbox_is_for_its_owner_alone_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / ".firebreak" / "sandbox.json"
    with announced(CREDENTIALS, path):
        told = SandboxFile.model_validate_json(path.read_bytes())
        assert (told.endpoint, told.access_key_id) == (CREDENTIALS.endpoint, CREDENTIALS.access_key_id)
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(path.parent.iterdir()) == [path]
    assert not path.exists()


def test_the_file_of_another_demo_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    with announced(CREDENTIALS, path):
        path.write_text("another one's")
    assert path.read_text() == "another one's"
