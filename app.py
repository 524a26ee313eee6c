"""The CDK entry: `cdk synth`, `cdk deploy`, or `python app.py`. Makes no call to AWS.

FIREBREAK_SETTINGS and FIREBREAK_PLAYBOOKS name another settings file than firebreak.yaml and another folder than
playbooks, which may be outside the checkout. FIREBREAK_BUNDLE=false leaves the wheels out of the
asset, for a look at the templates without building anything beforehand; functions deployed so do not run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from firebreak.core.errors import InputError
from firebreak.operator_files import load_deployment, load_playbooks
from stacks.application import application

ROOT = Path(__file__).parent


def main() -> int:
    """Synthesize everything; return the exit code."""
    settings = Path(os.environ.get("FIREBREAK_SETTINGS", ROOT / "firebreak.yaml"))
    folder = Path(os.environ.get("FIREBREAK_PLAYBOOKS", ROOT / "playbooks"))
    try:
        deployment, playbooks = load_deployment(settings), load_playbooks(folder)
        app = application(deployment, playbooks, bundle=os.environ.get("FIREBREAK_BUNDLE") != "false")
    except InputError as error:
        print(f"firebreak: {error}", file=sys.stderr)  # noqa: T201 - what a person reads in the terminal
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
