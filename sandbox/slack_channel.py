"""The channel of the stand-in for Slack: the Web API methods that Firebreak uses, as strict as Slack's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firebreak.core.slack_limits import faults
from sandbox.clock import Clock


@dataclass
class Message:
    """One message of the channel."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: Mapping[str, Any]
    edited: bool = False


@dataclass
class Channel:
    """One channel.

    Attributes:
        id: its id.
        messages: what was posted, oldest first.
    """

    id: str
    clock: Clock
    messages: list[Message] = field(default_factory=list)

    def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Serve one method of the Web API."""
        served = {"chat.postMessage": self._post, "chat.update": self._update, "conversations.history": self._history}
        if method not in served:
            return {"ok": False, "error": "unknown_method"}
        if arguments.get("channel") != self.id:
            return {"ok": False, "error": "channel_not_found"}
        if method.startswith("chat.") and (wrong := faults(arguments)):
            return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": wrong}}
        return served[method](arguments)

    def message(self, ts: object) -> Message | None:
        """Return a message, or None."""
        return next((message for message in self.messages if message.ts == ts), None)

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        ts = f"{int(self.clock.now().timestamp())}.{len(self.messages):06d}"
        self.messages.append(
            Message(arguments["channel"], ts, arguments["text"], arguments["blocks"], arguments.get("metadata") or {})
        )
        return {"ok": True, "channel": arguments["channel"], "ts": ts}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        message = self.message(arguments.get("ts"))
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        message.text, message.blocks, message.edited = arguments["text"], arguments["blocks"], True
        message.metadata = arguments.get("metadata", message.metadata)
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Newest first, in pages; metadata only where it is asked for."""
        oldest, limit = float(arguments.get("oldest", 0)), int(arguments.get("limit", 100))
        found = [message for message in reversed(self.messages) if float(message.ts) > oldest]
        begin = int(arguments.get("cursor", 0))
        page, rest = found[begin : begin + limit], found[begin + limit :]
        shown = arguments.get("include_all_metadata") == "true"
        return {
            "ok": True,
            "messages": [
                {"type": "message", "ts": each.ts, "text": each.text}
                | ({"metadata": each.metadata} if shown and each.metadata else {})
                for each in page
            ],
            "has_more": bool(rest),
            "response_metadata": {"next_cursor": str(begin + limit) if rest else ""},
        }
