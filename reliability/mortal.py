"""One invocation in a process of its own, which ends itself at a call as the kernel would: no `finally`, no `atexit`.

Reads a JSON object from standard input: the function's module and settings, the event, the request, the time and the
time left, the call and whether the process ends before or after it, and the file for what the handler returned.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import urllib3

from sandbox.invocation import Invocation


def main() -> None:
    """Run the invocation. Where it comes to its call, nothing is returned, and the exit status is SIGKILL's."""
    told = json.load(sys.stdin)
    _die_at(told["call"], told["when"])
    now, begun = datetime.fromisoformat(told["now"]), time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - begun)

    function = told["function"]
    context = Invocation(
        function,
        told["arn"],
        told["request"],
        told["memory"],
        told["event"],
        clock() + timedelta(seconds=told["left"]),
        clock,
    )
    handler = importlib.import_module(told["module"]).build(told["settings"], clock=clock)
    Path(told["answer"]).write_text(json.dumps(handler(told["event"], context)), encoding="utf-8")


def _die_at(call: int, when: str) -> None:
    plain, calls = urllib3.HTTPConnectionPool.urlopen, 0

    def urlopen(pool: Any, *given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if (calls, when) == (call, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        answer = plain(pool, *given, **named)
        if (calls, when) == (call, "after"):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    urllib3.HTTPConnectionPool.urlopen = urlopen  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    main()
