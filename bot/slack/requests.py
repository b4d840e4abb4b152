"""Decides what a request of Slack's says: a command, a mention, a click, a look at home, or nothing; no I/O.

https://docs.slack.dev/interactivity/implementing-slash-commands,
https://docs.slack.dev/reference/interaction-payloads/block_actions-payload, https://docs.slack.dev/apis/events-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from bot.errors import Unreadable
from bot.store import SlackPlace, SlackUser

_ID = re.compile(r"\A[A-Z0-9]{2,40}\Z")
_TS = re.compile(r"\A\d{1,16}\.\d{1,9}\Z")
_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
_JOB = re.compile(r"\Adep_[a-z0-9]{10}\Z")
ACTION_PREFIX = "shipmate."
"""What the action ids of our buttons begin with."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who spoke or clicked, as Slack names them."""

    user: SlackUser
    name: str
    team_name: str


@dataclass(frozen=True, slots=True)
class SlackSaid:
    """Words meant for us: what stood after `/shipmate`, or after the mention."""

    speaker: Speaker
    text: str
    where: SlackPlace
    """Where an answer for the speaker alone goes."""
    semantic_key: str | None = None


@dataclass(frozen=True, slots=True)
class SlackClicked:
    """A click on one of our buttons: `cancel`, `rollback` or `retry`, on the message of a job."""

    speaker: Speaker
    action: str
    job_id: str
    message_ts: str
    where: SlackPlace
    thread: str
    """The thread of the job's message."""


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """A person looks at our home tab."""

    user: SlackUser


@dataclass(frozen=True, slots=True)
class NothingForUs:
    """A request that asks for nothing; `reason` is a stable code."""

    reason: str


SlackRequest = SlackSaid | SlackClicked | HomeOpened | NothingForUs


def challenge_of(body: bytes) -> str | None:
    """The challenge of a `url_verification`, else None. https://docs.slack.dev/reference/events/url_verification"""
    if not body.lstrip().startswith(b"{"):
        return None
    data = _json(body)
    return str(data.get("challenge", "")) if data.get("type") == "url_verification" else None


def read_request(body: bytes) -> SlackRequest:
    """Read one verified request. Raises Unreadable("slack_body_unreadable")."""
    if body.lstrip().startswith(b"{"):
        return _event(_json(body))
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except (UnicodeDecodeError, ValueError) as error:
        raise Unreadable("slack_body_unreadable") from error
    if "payload" in fields:
        return _interaction(_json(fields["payload"].encode()))
    if "command" in fields:
        return _command(fields)
    return NothingForUs("slack_unknown_request")


def _command(fields: Mapping[str, str]) -> SlackSaid:
    user = SlackUser(_known(fields, "team_id"), _known(fields, "user_id"))
    speaker = Speaker(user, fields.get("user_name", ""), fields.get("team_domain", ""))
    where = SlackPlace(_known(fields, "channel_id"), user.user_id, response_url=_address(fields.get("response_url")))
    return SlackSaid(speaker, fields.get("text", ""), where)


def _event(data: Mapping[str, Any]) -> SlackRequest:
    event = _object(data, "event")
    if data.get("type") == "event_callback" and event.get("type") == "app_home_opened" and event.get("tab") == "home":
        return HomeOpened(SlackUser(_known(data, "team_id"), _known(event, "user")))
    if data.get("type") != "event_callback" or event.get("type") != "app_mention":
        return NothingForUs("not_acted_on")
    if event.get("bot_id") or event.get("subtype") or event.get("edited"):
        return NothingForUs("said_by_a_bot_or_edited")
    user = SlackUser(_known(data, "team_id"), _known(event, "user"))
    where = SlackPlace(_known(event, "channel"), user.user_id, _ts_or_none(event.get("thread_ts")))
    return SlackSaid(
        Speaker(user, user.user_id, user.team_id), _after_mention(str(event.get("text", ""))), where, _event_key(data)
    )


def _event_key(data: Mapping[str, Any]) -> str:
    """An event is the same one whenever it is told: https://docs.slack.dev/apis/events-api#retries"""
    return f"slack-event-{_known(data, 'event_id', re.compile(r'[A-Za-z0-9]{2,64}'))}"


def _after_mention(text: str) -> str:
    """The words after the mention, if that stands first; Slack's own escapes undone."""
    found = _MENTION.match(text.lstrip())
    said = text.lstrip()[found.end() :] if found else ""
    return said.splitlines()[0].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if said else ""


def _interaction(data: Mapping[str, Any]) -> SlackRequest:
    if data.get("type") != "block_actions":
        return NothingForUs("not_acted_on")
    actions = data.get("actions")
    action = _object(dict(enumerate(actions)) if isinstance(actions, list) else {}, 0)
    name, job_id = str(action.get("action_id", "")), str(action.get("value", ""))
    if not name.startswith(ACTION_PREFIX) or not _JOB.match(job_id):
        return NothingForUs("not_our_button")
    message, person = _object(data, "container"), _object(data, "user")
    user = SlackUser(_known(_object(data, "team"), "id"), _known(person, "id"))
    speaker = Speaker(user, str(person.get("username", "")), str(_object(data, "team").get("domain", "")))
    ts = _known(message, "message_ts", _TS)
    thread = _ts_or_none(message.get("thread_ts")) or ts
    where = SlackPlace(_known(message, "channel_id"), user.user_id, response_url=_address(data.get("response_url")))
    return SlackClicked(speaker, name.removeprefix(ACTION_PREFIX), job_id, ts, where, thread)


def _address(value: object) -> str | None:
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def _ts_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and _TS.match(value) else None


def _known(fields: Mapping[str, Any], name: str, form: re.Pattern[str] = _ID) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Unreadable("slack_body_unreadable", field=name)
    return value


def _object(data: Mapping[Any, Any], name: str | int) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("slack_body_unreadable") from error
    if not isinstance(data, dict):
        raise Unreadable("slack_body_unreadable")
    return data
