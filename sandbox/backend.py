"""moto, as the state behind the front: one application, one lock, our clock, our account."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

# Both are read when moto is imported or a first backend is made: thousands of made-up images are of no use to us and
# double the time of a run.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

import moto.core.utils
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from sandbox import moto_cures
from sandbox.identity import Caller

_real_now = moto.core.utils.utcnow


class Backend:
    """moto's state.

    moto races with itself wherever two threads write (two winners of one conditional put), hence one lock around every
    use. The lock is not re-entrant: nothing inside moto may call back over HTTP.

    Args:
        now: what moto takes for the time; visibility timeouts and time stamps follow it.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        moto_cures.install()
        self.lock = threading.Lock()
        self._application = DomainDispatcherApplication(create_backend_app)
        _forget_everything()
        _tell_time(lambda: now().astimezone(UTC).replace(tzinfo=None))

    def close(self) -> None:
        """Forget everything and give moto the real time back."""
        _forget_everything()
        _tell_time(_real_now)

    def call(self, environ: Mapping[str, Any], body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
        """Hand one request to moto; return status line, headers and body."""
        inner = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        inner.pop("HTTP_TRANSFER_ENCODING", None)
        with self.lock:
            chunks, status, headers = run_wsgi_app(self._application, inner, buffered=True)
            return status, list(headers), b"".join(chunks)

    def receive(self, arn: str, count: int) -> list[dict[str, Any]]:
        """Receive up to `count` messages of a queue, as records of a Lambda event ("Using Lambda with Amazon SQS")."""
        account, region, name = _place(arn)
        with self.lock:
            queues = _state("sqs", account, region)
            visibility = int(queues.queues[name].visibility_timeout)
            messages = queues.receive_message(name, count, 0, visibility, ["All"])
            return [_record(message, arn, region) for message in messages]

    def delete(self, arn: str, receipt: str) -> None:
        """Delete a received message."""
        account, region, name = _place(arn)
        with self.lock:
            _state("sqs", account, region).delete_message(name, receipt)

    def send(self, arn: str, body: str, attributes: Mapping[str, str] | None = None) -> bool:
        """Put a message into a queue; False if there is no such queue."""
        account, region, name = _place(arn)
        wire = {key: {"data_type": "String", "string_value": value} for key, value in (attributes or {}).items()}
        with self.lock:
            queues = _state("sqs", account, region)
            if name not in queues.queues:
                return False
            queues.send_message(name, body, message_attributes=wire)
            return True

    def next_visible(self, arn: str) -> float | None:
        """Return in how many seconds the next message of a queue can be received; None if there is none."""
        account, region, name = _place(arn)
        with self.lock:
            now = moto.core.utils.unix_time_millis()
            messages = _state("sqs", account, region).queues[name]._messages
            # moto shows a message strictly after its time, hence the millisecond.
            due = (max(m.visible_at + 1, m.delayed_until) for m in messages)
            return min((max(at - now, 0.0) / 1000 for at in due), default=None)

    def messages(self, arn: str) -> list[str]:
        """Return the bodies of all messages of a queue, in flight or not, the oldest first. Receives none."""
        account, region, name = _place(arn)
        with self.lock:
            return [message.body for message in _state("sqs", account, region).queues[name]._messages]

    def stream(self, table_arn: str, start: int) -> list[dict[str, Any]]:
        """Return the records of a table's stream from position `start` on."""
        account, region, name = _place(table_arn)
        with self.lock:
            shard = _state("dynamodb", account, region).tables[name.rpartition("/")[2]].stream_shard
            records = [item.record for item in shard.items[start:]] if shard else []
        return [_stream_record(record, table_arn, region) for record in records]

    def user(self, key: str) -> Caller | None:
        """Return the IAM user that an access key belongs to; None if there is none or the key is off."""
        with self.lock:
            for account, regions in get_backend("iam").items():
                for user in regions["aws"].users.values():
                    if any(k.access_key_id == key and k.status == "Active" for k in user.access_keys):
                        return Caller(user.arn, account)
        return None


def _record(message: Any, arn: str, region: str) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": "AIDASANDBOX",
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {
            name: {"stringValue": value.get("string_value"), "dataType": value.get("data_type")}
            for name, value in message.message_attributes.items()
        },
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


def _stream_record(record: Mapping[str, Any], table_arn: str, region: str) -> dict[str, Any]:
    created = record["dynamodb"]["ApproximateCreationDateTime"]
    change = {**record["dynamodb"], "ApproximateCreationDateTime": created.replace(tzinfo=UTC).timestamp()}
    plain = {**record, "awsRegion": region, "eventVersion": "1.1", "dynamodb": change, "eventSourceARN": table_arn}
    copied: dict[str, Any] = json.loads(json.dumps(plain))
    return copied


def _place(arn: str) -> tuple[str, str, str]:
    _, _, _, region, account, name = arn.split(":", 5)
    return account, region, name


def _state(service: str, account: str, region: str) -> Any:
    return get_backend(service)[account][region]  # type: ignore[call-overload]  # its overloads list literal names


def _forget_everything() -> None:
    BackendDict.reset()


def _tell_time(now: Callable[[], datetime]) -> None:
    """Have every module of moto, loaded or not yet, take `now` for the time."""
    before = moto.core.utils.utcnow
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and getattr(module, "utcnow", None) is before:
            module.utcnow = now  # type: ignore[attr-defined]
