"""The conversations.* methods: which channels there are, who is in them, what was said."""

from typing import Any

from bot.sandbox.slack.desk import Call
from bot.sandbox.slack.methods.pages import page
from bot.sandbox.slack.refusals import SlackError
from bot.sandbox.slack.shapes import channel_json, message_json
from bot.sandbox.slack.workspace import SCOPE_FAMILIES, Channel, Message

Json = dict[str, Any]
TYPE_NAMES = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
DIRECT_MOST = 8


def info(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.info"""
    channel = call.channel("read")
    shape = channel_json(call.workspace, channel)
    if call.args.get("include_num_members"):
        shape["num_members"] = len(channel.members)
    return {"channel": shape}


def list_all(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.list"""
    return _listed(call, [c for c in call.workspace.channels.values() if call.workspace.bot_sees(c)])


def of_user(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.conversations"""
    user = call.workspace.user(call.args.get("user", call.workspace.bot_user))
    seen = [c for c in call.workspace.channels.values() if call.workspace.bot_sees(c) and user.id in c.members]
    return _listed(call, seen)


def _listed(call: Call, channels: list[Channel]) -> Json:
    """One page of those channels that are of the wanted types. Raises SlackError `invalid_types`, `missing_scope`."""
    names = [name.strip() for name in call.args.get("types", "public_channel").split(",")]
    kinds = [TYPE_NAMES.get(name) for name in names]
    if None in kinds:
        raise SlackError("invalid_types")
    for kind, family in SCOPE_FAMILIES.items():
        if kind in kinds:
            call.grant.require(f"{family}:read")
    wanted = [c for c in channels if c.kind in kinds and not (call.args.get("exclude_archived") and c.archived)]
    shown, metadata = page(call, wanted)
    return {"channels": [channel_json(call.workspace, c) for c in shown], "response_metadata": metadata}


def members(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.members"""
    shown, metadata = page(call, call.channel("read").members)
    return {"members": shown, "response_metadata": metadata}


def join(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.join"""
    channel = call.channel()
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    if call.workspace.bot_user in channel.members:
        return {
            "channel": channel_json(call.workspace, channel),
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    channel.members.append(call.workspace.bot_user)
    return {"channel": channel_json(call.workspace, channel)}


def open_direct(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.open"""
    if call.args.get("channel"):
        channel = call.channel("write")
        if channel.kind not in ("im", "mpim"):
            raise SlackError("method_not_supported_for_channel_type")
    else:
        channel = call.workspace.direct(*_people(call))
        call.grant.require(f"{channel.scope_family}:write")
    return {"channel": channel_json(call.workspace, channel) if call.args.get("return_im") else {"id": channel.id}}


def _people(call: Call) -> list[str]:
    """The people to talk to. Raises SlackError when there are none, too many, or one who can't be talked to."""
    ids = [user_id for user_id in call.args.get("users", "").split(",") if user_id]
    if not ids:
        raise SlackError("users_list_not_supplied")
    if len(ids) > DIRECT_MOST:
        raise SlackError("too_many_users")
    if any(call.workspace.user(user_id).deleted for user_id in ids):
        raise SlackError("user_disabled")
    return ids


def history(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.history: newest first, replies left out."""
    channel = call.channel("history")
    if call.workspace.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    heads = [m for m in reversed(channel.messages.values()) if not m.is_reply or m.broadcast]
    return _told(call, [m for m in heads if _in_time(call, m)])


def replies(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.replies: the head, then its replies, oldest first."""
    channel = call.channel("history")
    if call.args["ts"] not in channel.messages:
        raise SlackError("thread_not_found")
    thread = call.workspace.thread(channel, channel.messages[call.args["ts"]].thread_ts or call.args["ts"])
    return _told(call, [m for m in thread if m.ts == call.args["ts"] or _in_time(call, m)])


def _told(call: Call, messages: list[Message]) -> Json:
    shown, metadata = page(call, messages)
    answer = {"messages": [message_json(call.workspace, m) for m in shown], "has_more": bool(metadata["next_cursor"])}
    return answer | ({"response_metadata": metadata} if answer["has_more"] else {})


def _in_time(call: Call, message: Message) -> bool:
    """Between `oldest` and `latest`, bounds themselves only with `inclusive`."""
    at, oldest = float(message.ts), float(call.args.get("oldest", 0))
    latest = float(call.args.get("latest", "inf"))
    return oldest <= at <= latest if call.args.get("inclusive") else oldest < at < latest
