"""CI fails when a step fails, and when it warns."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT


def _step(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / ".ci" / "step", "tried", "sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("said", ["12 passed in 0.31s", "Success: no issues found", "test_forewarned_is_forearmed", ""])
def test_a_step_that_succeeds_in_silence_passes(tmp_path: Path, said: str) -> None:
    step = _step(tmp_path, f"echo '{said}'")
    assert step.returncode == 0, step.stdout
    assert said in step.stdout
    assert said in (tmp_path / ".build" / "ci" / "tried.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "said",
    [
        "12 passed, 1 warning in 0.31s",
        "warning: `ISC001` may conflict with the formatter",
        "pyproject.toml: Warning: unused section(s): module = ['moto.*']",
        "[Warning at /firebreak-response/Bus] anything",
        "[WARNING] aws-cdk-lib.aws_lambda.FunctionOptions#logRetention is deprecated.",
        "UserWarning: typeguard",
        "  DeprecationWarning: datetime.utcnow()",
    ],
)
@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_step_that_warns_fails(tmp_path: Path, said: str, stream: str) -> None:
    (tmp_path / "said").write_text(said, encoding="utf-8")
    assert _step(tmp_path, f"cat said >&{stream}").returncode == 1


def test_a_step_that_fails_fails_with_its_exit_code(tmp_path: Path) -> None:
    assert _step(tmp_path, "echo fine; exit 5").returncode == 5
