"""The table of Web API methods: what each needs, takes, and how often it may be called.

Scopes, tiers and arguments are those of https://docs.slack.dev/reference/methods (one page per method).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.access import GENEROUS, POSTING, TIER_1, TIER_2, TIER_3, TIER_4, Rate
from bot.sandbox.slack.arguments import Argument, signature
from bot.sandbox.slack.desk import Call
from bot.sandbox.slack.methods import chat, conversations, files, people, reactions, sockets, views

Json = dict[str, Any]
ANY_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
ANY_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
MESSAGE = """text blocks:json attachments:json markdown_text metadata:json parse link_names:flag as_user:flag
    unfurl_links:flag unfurl_media:flag mrkdwn:flag"""
AUTHOR = "username icon_emoji icon_url"
PAGED = "cursor limit:int"


@dataclass(frozen=True)
class Method:
    """One method. Any one of `scopes` admits; `takes_json` tells whether it reads a JSON body at all."""

    name: str
    run: Callable[[Call], Json]
    scopes: tuple[str, ...]
    rate: Rate
    arguments: dict[str, Argument]
    takes_json: bool = True
    tokens: tuple[str, ...] = ("bot",)


def _method(
    name: str,
    run: Callable[[Call], Json],
    rate: Rate,
    arguments: str,
    *scopes: str,
    form_only: bool = False,
    tokens: tuple[str, ...] = ("bot",),
) -> Method:
    return Method(name, run, scopes, rate, signature(arguments), not form_only, tokens)


_ALL = [
    _method("apps.connections.open", sockets.open_connection, TIER_1, "", "connections:write", tokens=("app",)),
    _method("auth.test", people.auth_test, GENEROUS, "", tokens=("bot", "app")),
    _method("bots.info", people.bot_info, TIER_3, "bot", "users:read", form_only=True),
    _method("chat.delete", chat.delete, TIER_3, "channel! ts:ts! as_user:flag", "chat:write"),
    _method("chat.getPermalink", chat.get_permalink, GENEROUS, "channel! message_ts:ts!", form_only=True),
    _method(
        "chat.postEphemeral",
        chat.post_ephemeral,
        TIER_4,
        f"channel! user! thread_ts:ts {MESSAGE} {AUTHOR}",
        "chat:write",
    ),
    _method(
        "chat.postMessage",
        chat.post_message,
        POSTING,
        f"channel! thread_ts:ts reply_broadcast:flag {MESSAGE} {AUTHOR}",
        "chat:write",
    ),
    _method("chat.update", chat.update, TIER_3, f"channel! ts:ts! reply_broadcast:flag {MESSAGE}", "chat:write"),
    _method(
        "conversations.history",
        conversations.history,
        TIER_3,
        f"channel! {PAGED} inclusive:flag latest:ts oldest:ts include_all_metadata:flag",
        *ANY_HISTORY,
        form_only=True,
    ),
    _method(
        "conversations.info",
        conversations.info,
        TIER_3,
        "channel! include_locale:flag include_num_members:flag",
        *ANY_READ,
        form_only=True,
    ),
    _method("conversations.join", conversations.join, TIER_3, "channel!", "channels:join"),
    _method(
        "conversations.list",
        conversations.list_all,
        TIER_2,
        f"{PAGED} exclude_archived:flag types",
        *ANY_READ,
        form_only=True,
    ),
    _method("conversations.members", conversations.members, TIER_4, f"channel! {PAGED}", *ANY_READ, form_only=True),
    _method(
        "conversations.open",
        conversations.open_direct,
        TIER_3,
        "channel users return_im:flag prevent_creation:flag",
        "im:write",
        "mpim:write",
    ),
    _method(
        "conversations.replies",
        conversations.replies,
        TIER_3,
        f"channel! ts:ts! {PAGED} inclusive:flag latest:ts oldest:ts include_all_metadata:flag",
        *ANY_HISTORY,
        form_only=True,
    ),
    _method(
        "files.completeUploadExternal",
        files.complete_upload,
        TIER_4,
        f"files:json! channel_id channels thread_ts:ts initial_comment blocks:json {AUTHOR}",
        "files:write",
    ),
    _method(
        "files.getUploadURLExternal",
        files.get_upload_url,
        TIER_4,
        "filename! length:int! snippet_type alt_txt",
        "files:write",
        form_only=True,
    ),
    _method("reactions.add", reactions.add, TIER_3, "channel! name! timestamp:ts!", "reactions:write"),
    _method("reactions.remove", reactions.remove, TIER_2, "channel! name! timestamp:ts!", "reactions:write"),
    _method("team.info", people.team_info, TIER_3, "team domain", "team:read", form_only=True),
    _method(
        "users.conversations",
        conversations.of_user,
        TIER_3,
        f"{PAGED} exclude_archived:flag types user",
        *ANY_READ,
        form_only=True,
    ),
    _method("users.info", people.user_info, TIER_4, "user! include_locale:flag", "users:read", form_only=True),
    _method("users.list", people.list_users, TIER_2, f"{PAGED} include_locale:flag", "users:read", form_only=True),
    _method("users.lookupByEmail", people.lookup_by_email, TIER_3, "email!", "users:read.email", form_only=True),
    _method("views.open", views.open_view, TIER_4, "trigger_id interactivity_pointer view:json!"),
    _method("views.publish", views.publish, TIER_4, "user_id! view:json! hash interactivity_pointer"),
    _method("views.push", views.push, TIER_4, "trigger_id interactivity_pointer view:json!"),
    _method("views.update", views.update, TIER_4, "view_id external_id view:json! hash"),
]
METHODS = {method.name: method for method in _ALL}
