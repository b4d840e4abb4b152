"""The payloads Slack sends an app, in their documented shapes.

Sources: https://docs.slack.dev/interactivity/implementing-slash-commands, …/reference/interaction-payloads,
https://docs.slack.dev/apis/events-api
"""

from typing import Any

from bot.sandbox.slack.shapes import message_json, view_json
from bot.sandbox.slack.workspace import Channel, Message, User, View, Workspace

Json = dict[str, Any]
VERIFICATION_TOKEN = "sandbox-deprecated-token"  # noqa: S105  (deprecated by Slack, sent all the same)


def command(workspace: Workspace, user: User, channel: Channel, word: str, text: str) -> Json:
    """A slash command's form fields, without trigger and response URL."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": word,
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
    }


def interaction(workspace: Workspace, kind: str, user: User) -> Json:
    """What every interaction payload carries."""
    person = {"id": user.id, "username": user.name, "name": user.name, "team_id": workspace.team_id}
    return {
        "type": kind,
        "user": person,
        "team": {"id": workspace.team_id, "domain": workspace.domain},
        "api_app_id": workspace.app_id,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def on_message(workspace: Workspace, message: Message) -> Json:
    """Where a click on a message happened; an ephemeral message's content isn't told."""
    channel = workspace.channels[message.channel]
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.is_reply:
        container["thread_ts"] = message.thread_ts
    place: Json = {"container": container, "channel": {"id": channel.id, "name": channel_name(channel)}}
    return place if message.ephemeral_to else {**place, "message": message_json(workspace, message)}


def on_view(workspace: Workspace, view: View, values: Json) -> Json:
    """Where something in a view happened, with what was entered so far."""
    return {"container": {"type": "view", "view_id": view.id}, "view": view_json(workspace, view, values)}


def action(element: Json, block: Json, field: Json, ts: str) -> Json:
    """The one entry of `actions` in a click: the element's own words and what was chosen."""
    kept: Json = {n: element[n] for n in ("type", "action_id", "text", "value", "style", "url") if n in element}
    return {**kept, "block_id": block["block_id"], **field, "action_ts": ts}


def event(workspace: Workspace, inner: Json) -> Json:
    """The Events API envelope around an event."""
    authorization = {
        "enterprise_id": None,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "context_team_id": workspace.team_id,
        "api_app_id": workspace.app_id,
        "event": inner,
        "type": "event_callback",
        "event_id": workspace.new_id("Ev"),
        "event_time": int(workspace.clock.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": f"4-{workspace.new_id('ec')}",
    }


def message_event(workspace: Workspace, message: Message, kind: str = "message") -> Json:
    """The inner event for something said, as `message` or as `app_mention`."""
    channel = workspace.channels[message.channel]
    inner = {**message_json(workspace, message), "type": kind, "channel": channel.id, "event_ts": message.ts}
    if kind == "message":
        inner["channel_type"] = {"public": "channel", "private": "group"}.get(channel.kind, channel.kind)
    return inner


def channel_name(channel: Channel) -> str:
    """The name as payloads have it; direct conversations have none of their own."""
    return {"im": "directmessage", "mpim": "mpdm"}.get(channel.kind, channel.name)
