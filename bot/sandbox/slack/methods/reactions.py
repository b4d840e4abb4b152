"""The reactions.* methods."""

import re
from typing import Any

from bot.sandbox.slack.desk import Call
from bot.sandbox.slack.refusals import SlackError
from bot.sandbox.slack.workspace import Message

Json = dict[str, Any]
NAME = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


def add(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/reactions.add"""
    users = _message(call).reactions.setdefault(_name(call), [])
    if call.workspace.bot_user in users:
        raise SlackError("already_reacted")
    users.append(call.workspace.bot_user)
    return {}


def remove(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/reactions.remove"""
    reactions, name = _message(call).reactions, _name(call)
    if call.workspace.bot_user not in reactions.get(name, []):
        raise SlackError("no_reaction")
    reactions[name].remove(call.workspace.bot_user)
    if not reactions[name]:
        del reactions[name]
    return {}


def _message(call: Call) -> Message:
    channel = call.channel()
    if channel.archived:
        raise SlackError("is_archived")
    return call.workspace.message(channel, call.args["timestamp"])


def _name(call: Call) -> str:
    """The emoji's name without colons. Raises SlackError `invalid_name`."""
    name = str(call.args["name"])
    if not NAME.fullmatch(name):
        raise SlackError("invalid_name")
    return name
