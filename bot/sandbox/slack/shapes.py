"""How users, channels, messages and views look in Slack's JSON."""

from typing import Any

from bot.sandbox.slack.workspace import Channel, Message, User, View, Workspace

Json = dict[str, Any]


def user_json(workspace: Workspace, user: User) -> Json:
    """https://docs.slack.dev/reference/objects/user-object"""
    return {
        "id": user.id,
        "team_id": workspace.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": "Asia/Seoul",
        "tz_offset": 32400,
        "profile": {
            "real_name": user.real_name,
            "display_name": user.name,
            "team": workspace.team_id,
            **({"email": user.email} if user.email else {}),
            **({"bot_id": user.bot_id, "api_app_id": workspace.app_id} if user.bot_id else {}),
        },
        "is_admin": False,
        "is_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": bool(user.bot_id),
        "is_app_user": False,
        "updated": 1700000000,
    }


def channel_json(workspace: Workspace, channel: Channel) -> Json:
    """https://docs.slack.dev/reference/objects/conversation-object, as the app's bot sees it."""
    direct = channel.kind == "im"
    shape: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_channel": channel.kind in ("public", "private"),
        "is_group": False,
        "is_im": direct,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "public",
        "is_general": channel.name == "general",
        "is_shared": False,
        "is_org_shared": False,
        "context_team_id": workspace.team_id,
        "updated": channel.created * 1000,
    }
    if direct:
        return {**shape, "user": next(m for m in channel.members if m != workspace.bot_user), "is_open": True}
    return {
        **shape,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_member": workspace.bot_user in channel.members,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def message_json(workspace: Workspace, message: Message) -> Json:
    """A message as history, events and interaction payloads carry it, with its thread's sums when it heads one."""
    shape: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": workspace.team_id,
    }
    if message.bot_id == workspace.bot_id:
        shape |= {"bot_id": message.bot_id, "app_id": workspace.app_id, "bot_profile": bot_json(workspace)}
    elif message.bot_id:
        shape |= {"bot_id": message.bot_id, "subtype": "bot_message"}
    if message.thread_ts:
        shape["thread_ts"] = message.thread_ts
    if message.broadcast:
        shape["subtype"] = "thread_broadcast"
    if message.edited_ts:
        shape["edited"] = {"user": message.user, "ts": message.edited_ts}
    for name in ("blocks", "attachments", "files", "metadata"):
        if getattr(message, name):
            shape[name] = getattr(message, name)
    if message.reactions:
        shape["reactions"] = [{"name": n, "users": u, "count": len(u)} for n, u in message.reactions.items()]
    return shape | _thread_sums(workspace, message)


def _thread_sums(workspace: Workspace, message: Message) -> Json:
    """Reply figures for a head, its author for a reply, nothing for a message outside any thread."""
    if message.ephemeral_to or message.thread_ts is None:
        return {}
    head, *replies = workspace.thread(workspace.channels[message.channel], message.thread_ts)
    if message.is_reply:
        return {"parent_user_id": head.user}
    return {
        "reply_count": len(replies),
        "reply_users": list(dict.fromkeys(reply.user for reply in replies)),
        "latest_reply": replies[-1].ts if replies else None,
        "subscribed": False,
    }


def bot_json(workspace: Workspace) -> Json:
    """https://docs.slack.dev/reference/methods/bots.info"""
    bot = workspace.users[workspace.bot_user]
    return {
        "id": workspace.bot_id,
        "app_id": workspace.app_id,
        "user_id": bot.id,
        "name": bot.name,
        "deleted": False,
        "updated": 1700000000,
        "team_id": workspace.team_id,
        "icons": {f"image_{size}": f"https://a.slack-edge.com/bot_{size}.png" for size in (36, 48, 72)},
    }


def view_json(workspace: Workspace, view: View, values: Json | None = None) -> Json:
    """https://docs.slack.dev/reference/views, with what the person has entered as `values`."""
    body = view.body
    shape: Json = {
        "id": view.id,
        "team_id": workspace.team_id,
        "type": body["type"],
        "blocks": body["blocks"],
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": body.get("external_id", ""),
        "state": {"values": values or {}},
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "app_id": workspace.app_id,
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.bot_id,
        "clear_on_close": body.get("clear_on_close", False),
        "notify_on_close": body.get("notify_on_close", False),
    }
    return shape | {name: body.get(name) for name in ("title", "close", "submit")}
