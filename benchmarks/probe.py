"""One fresh process: import and build a handler, or boto3 and the same clients; prints CPU seconds and memory as JSON.

python -m benchmarks.probe handler triage CONFIG
python -m benchmarks.probe clients dynamodb,stepfunctions
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_REGION": "us-east-1",
    "FIREBREAK_TABLE": "firebreak",
    "FIREBREAK_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:111122223333:stateMachine:firebreak-respond",
    "FIREBREAK_BULK_QUEUE_ARN": "arn:aws:sqs:us-east-1:111122223333:bulk",
    "FIREBREAK_NOTICE_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:firebreak-notices",
    "FIREBREAK_EVIDENCE_BUCKET": "evidence",
    "FIREBREAK_RAW_EVENTS_BUCKET": "raw-events",
    "FIREBREAK_SLACK_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:bot",
    "FIREBREAK_SIGNING_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:signing",
    "FIREBREAK_PREPARE_FUNCTION": "firebreak-prepare",
}


def main() -> None:
    """Measure what the arguments ask for."""
    begun = time.process_time()
    what, name, *more = sys.argv[1:]
    made = clients(name.split(",")) if what == "clients" else handler(name, more[0])
    spent = time.process_time() - begun
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    print(json.dumps({"cpu": spent, "memory": resident / 1e6, "made": made}))  # noqa: T201 - what it is for


def clients(services: list[str]) -> list[str]:
    """Import boto3 and make clients as the wiring does."""
    import boto3  # noqa: PLC0415 - the import is what is measured
    from botocore.config import Config  # noqa: PLC0415

    session = boto3.Session("benchmark", "benchmark", region_name="us-east-1")
    config = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "max_attempts": 3})
    for service in filter(None, services):
        session.client(service, config=config)
    return services


def handler(name: str, config: str) -> list[str]:
    """Import a handler and build it, and note the clients that it makes."""
    import importlib  # noqa: PLC0415 - as above

    module = importlib.import_module(f"firebreak.handlers.{name}")
    import boto3  # noqa: PLC0415 - the handler has imported it

    made: list[str] = []
    make = boto3.Session.client

    def noting(self: Any, service: str, *arguments: Any, **named: Any) -> Any:
        made.append(service)
        return make(self, service, *arguments, **named)

    boto3.Session.client = noting
    module.build({**ENVIRONMENT, "FIREBREAK_CONFIG": config})
    return made


if __name__ == "__main__":
    main()
