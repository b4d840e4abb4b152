"""Decides what a request of Slack's says: a command, a mention, a look at home, something done, or nothing; no I/O.

https://docs.slack.dev/interactivity/implementing-slash-commands, https://docs.slack.dev/apis/events-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from bot.errors import Unreadable
from bot.slack.inbound.fields import EVENT_ID, TRIGGER, TS, address, known, matching, parsed, within
from bot.slack.inbound.interactions import Interaction, NothingForUs, Speaker, read_interaction
from bot.store.answers import SlackPlace
from bot.store.slack import SlackUser

_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True)
class SlackSaid:
    """Words meant for us: what stood after `/shipmate`, or after the mention."""

    speaker: Speaker
    text: str
    where: SlackPlace
    """Where an answer for the speaker alone goes."""
    semantic_key: str | None = None
    trigger: str | None = None
    """Leave to show the speaker a dialog, for three seconds; a mention gives none."""


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """A person looks at our home tab."""

    user: SlackUser


SlackRequest = SlackSaid | HomeOpened | Interaction


def challenge_of(body: bytes) -> str | None:
    """The challenge of a `url_verification`, else None. https://docs.slack.dev/reference/events/url_verification"""
    if not body.lstrip().startswith(b"{"):
        return None
    data = parsed(body)
    return str(data.get("challenge", "")) if data.get("type") == "url_verification" else None


def read_request(body: bytes) -> SlackRequest:
    """Read one verified request. Raises Unreadable("slack_body_unreadable")."""
    if body.lstrip().startswith(b"{"):
        return _event(parsed(body))
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except (UnicodeDecodeError, ValueError) as error:
        raise Unreadable("slack_body_unreadable") from error
    if "payload" in fields:
        return read_interaction(parsed(fields["payload"].encode()))
    if "command" in fields:
        return _command(fields)
    return NothingForUs("slack_unknown_request")


def _command(fields: Mapping[str, str]) -> SlackSaid:
    user = SlackUser(known(fields, "team_id"), known(fields, "user_id"))
    speaker = Speaker(user, fields.get("user_name", ""), fields.get("team_domain", ""))
    where = SlackPlace(known(fields, "channel_id"), user.user_id, response_url=address(fields.get("response_url")))
    return SlackSaid(speaker, fields.get("text", ""), where, trigger=matching(fields.get("trigger_id"), TRIGGER))


def _event(data: Mapping[str, Any]) -> SlackRequest:
    event = within(data, "event")
    if data.get("type") == "event_callback" and event.get("type") == "app_home_opened" and event.get("tab") == "home":
        return HomeOpened(SlackUser(known(data, "team_id"), known(event, "user")))
    if data.get("type") != "event_callback" or event.get("type") != "app_mention":
        return NothingForUs("not_acted_on")
    if event.get("bot_id") or event.get("subtype") or event.get("edited"):
        return NothingForUs("said_by_a_bot_or_edited")
    user = SlackUser(known(data, "team_id"), known(event, "user"))
    where = SlackPlace(known(event, "channel"), user.user_id, matching(event.get("thread_ts"), TS))
    return SlackSaid(
        Speaker(user, user.user_id, user.team_id), _after_mention(str(event.get("text", ""))), where, _event_key(data)
    )


def _event_key(data: Mapping[str, Any]) -> str:
    """An event is the same one whenever it is told: https://docs.slack.dev/apis/events-api#retries"""
    return f"slack-event-{known(data, 'event_id', EVENT_ID)}"


def _after_mention(text: str) -> str:
    """The words after the mention, if that stands first; Slack's own escapes undone."""
    found = _MENTION.match(text.lstrip())
    said = text.lstrip()[found.end() :] if found else ""
    return said.splitlines()[0].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if said else ""
