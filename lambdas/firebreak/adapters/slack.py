"""Slack's Web API, as far as questions need it. Neither waits nor retries: callers know what a second try would do.

Source: "Web API methods" (chat.postMessage, chat.update, conversations.history), Slack developer documentation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import urllib3

from firebreak.core.approval import Post
from firebreak.core.errors import Denied, Permanent, Retriable, Throttled
from firebreak.core.slack_limits import faults
from firebreak.core.slack_message import METADATA

TIMEOUT = urllib3.Timeout(connect=2.0, read=5.0)
SKEW = timedelta(minutes=2)  # Slack's clock against ours, when looking for what was posted since then
PAGES = 5  # of 200 messages each, that are searched for a question

_THROTTLED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_LATER = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_DENIED = frozenset(
    {
        *("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "no_permission"),
        *("missing_scope", "not_allowed_token_type", "access_denied", "ekm_access_denied", "org_login_required"),
    }
)


class Slack:
    """`firebreak.ports_approval.Board` on Slack.

    Args:
        token: returns the bot token.
        channel: the id of the channel in which questions are asked.
        api: where the Web API is.
        pool: makes the requests.
    """

    def __init__(
        self, token: Callable[[], str], channel: str, api: str, pool: urllib3.PoolManager | None = None
    ) -> None:
        self._token = token
        self._channel = channel
        self._api = api
        self._pool = pool or urllib3.PoolManager(timeout=TIMEOUT, retries=False)

    def post(self, message: dict[str, Any]) -> Post:
        """Post a message and return where it stands."""
        answer = self._write("chat.postMessage", {"channel": self._channel, **_checked(message)})
        return Post(channel=str(answer["channel"]), ts=str(answer["ts"]))

    def update(self, post: Post, message: dict[str, Any]) -> None:
        """Replace a message."""
        shown = {name: value for name, value in _checked(message).items() if not name.startswith("unfurl_")}
        self._write("chat.update", {"channel": post.channel, "ts": post.ts, **shown})

    def find(self, approval: str, since: datetime) -> Post | None:
        """Return the message that carries the approval's id as metadata, posted since then, or None.

        Needs the scope `channels:history` or, for a private channel, `groups:history`.
        """
        query = {
            "channel": self._channel,
            "oldest": f"{(since - SKEW).timestamp():.6f}",
            "include_all_metadata": "true",
            "limit": "200",
        }
        for _ in range(PAGES):
            answer = self._call("conversations.history", urlencode(query), "application/x-www-form-urlencoded")
            for each in answer.get("messages", ()):
                metadata = each.get("metadata") or {}
                carried = (metadata.get("event_payload") or {}).get("approval")
                if metadata.get("event_type") == METADATA and carried == approval:
                    return Post(channel=self._channel, ts=str(each["ts"]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
            query["cursor"] = cursor
        return None

    def _write(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return self._call(method, json.dumps(arguments), "application/json; charset=utf-8")

    def _call(self, method: str, body: str, content_type: str) -> dict[str, Any]:
        try:
            response = self._pool.request(
                "POST",
                f"{self._api}/{method}",
                body=body.encode(),
                headers={"Authorization": f"Bearer {self._token()}", "Content-Type": content_type},
                redirect=False,  # the token goes to Slack and nowhere else
            )
        except urllib3.exceptions.HTTPError as error:
            raise Retriable(
                f"Slack {method}: no answer ({type(error).__name__}); it may have been carried out"
            ) from error
        if response.status == 429:
            raise Throttled(f"Slack {method}: slow down, try after {response.headers.get('Retry-After', '?')} s")
        if response.status != 200:
            raise Retriable(f"Slack {method}: HTTP {response.status}")
        try:
            answer = json.loads(response.data)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Retriable(f"Slack {method}: an answer that is no JSON object; it may have been carried out")
        if answer.get("ok") is not True:
            raise _refusal(method, str(answer.get("error")))
        return answer


def _refusal(method: str, code: str) -> Exception:
    if code in _THROTTLED:
        return Throttled(f"Slack {method}: {code}")
    if code in _LATER:
        return Retriable(f"Slack {method}: {code}")
    if code in _DENIED:
        return Denied(f"Slack {method}: {code}; check the app's token and scopes")
    return Permanent(f"Slack {method}: {code}; look it up in Slack's documentation of the method")


def _checked(message: dict[str, Any]) -> dict[str, Any]:
    if wrong := faults(message):
        raise Permanent(f"Slack would refuse the message: {'; '.join(wrong[:5])}")
    return message
