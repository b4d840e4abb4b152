"""Cuts long answers into pages, with cursors as Slack gives them."""

import base64
import binascii
from typing import Any, TypeVar

from bot.sandbox.slack.desk import Call
from bot.sandbox.slack.refusals import SlackError

Item = TypeVar("Item")
LIMIT_MOST = 999


def page(call: Call, items: list[Item], default: int = 100) -> tuple[list[Item], dict[str, Any]]:
    """The page the call asks for and its `response_metadata`. Raises SlackError `invalid_limit`, `invalid_cursor`."""
    limit = call.args.get("limit", default)
    if not 1 <= limit <= LIMIT_MOST:
        raise SlackError("invalid_limit")
    start = _start(call.args.get("cursor", ""))
    following = start + limit
    cursor = base64.b64encode(f"next:{following}".encode()).decode() if following < len(items) else ""
    return items[start:following], {"next_cursor": cursor}


def _start(cursor: str) -> int:
    """Where the page begins. Raises SlackError `invalid_cursor`."""
    try:
        written = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise SlackError("invalid_cursor") from error
    position = written.removeprefix("next:") or "0"
    if not position.isdecimal():
        raise SlackError("invalid_cursor")
    return int(position)
