"""apps.connections.open: the way into Socket Mode."""

import secrets
from typing import Any

from bot.sandbox.slack.desk import Call

Json = dict[str, Any]


def open_connection(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/apps.connections.open: an address that admits one connection."""
    ticket = secrets.token_hex(16)
    call.desk.socket_tickets.add(ticket)
    address = call.desk.base_url().replace("http", "ws", 1)
    return {"url": f"{address}/link/?ticket={ticket}&app_id={call.workspace.app_id}"}
