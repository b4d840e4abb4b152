"""Decides what somebody did in Slack: pressed a button, asked for the dialog, filled it in, turned a page; no I/O.

https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.dialog import CALLBACK, CHOOSES_REPOSITORY, FORM_PREFIX, SHORTCUT, Form, read_form
from bot.slack.inbound.fields import ID, TRIGGER, TS, address, first, known, matching, within
from bot.slack.pages import PAGE_PREFIX, Page, page_of
from bot.store.answers import SlackPlace
from bot.store.slack import SlackUser

ACTION_PREFIX = "shipmate."
"""What the action ids of our buttons begin with."""
_JOB = re.compile(r"\A[a-z]{3}_[a-z0-9]{10}\Z")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who spoke or clicked, as Slack names them."""

    user: SlackUser
    name: str
    team_name: str


@dataclass(frozen=True, slots=True)
class SlackClicked:
    """A click on one of our buttons, `approve`, `cancel`, …, on the message of a job."""

    speaker: Speaker
    action: str
    job_id: str
    message_ts: str
    where: SlackPlace
    thread: str
    """The thread of the job's message."""


@dataclass(frozen=True, slots=True)
class DialogAsked:
    """Somebody chose the shortcut; `trigger` is leave to show them the dialog, for three seconds."""

    speaker: Speaker
    trigger: str


@dataclass(frozen=True, slots=True)
class RepositoryChosen:
    """Somebody chose a repository in the dialog; `version` is the hash of the view they saw."""

    speaker: Speaker
    view_id: str
    version: str
    form: Form


@dataclass(frozen=True, slots=True)
class DialogFilled:
    """Somebody pressed the dialog's submit button. It is about one dialog, so `view_id` acts once."""

    speaker: Speaker
    view_id: str
    form: Form

    @property
    def where(self) -> SlackPlace:
        """Where an answer for this person alone goes."""
        return SlackPlace(self.form.channel or "", self.speaker.user.user_id)


@dataclass(frozen=True, slots=True)
class Searched:
    """Somebody typed into a menu of the dialog that we fill, `repository` or `environment`."""

    speaker: Speaker
    menu: str
    typed: str
    repository: str | None
    """The one chosen before."""


@dataclass(frozen=True, slots=True)
class PageTurned:
    """Somebody chose another page of their home."""

    user: SlackUser
    page: Page


@dataclass(frozen=True, slots=True)
class NothingForUs:
    """A request that asks for nothing; `reason` is a stable code."""

    reason: str


Interaction = SlackClicked | DialogAsked | RepositoryChosen | DialogFilled | Searched | PageTurned | NothingForUs


def read_interaction(data: Mapping[str, Any]) -> Interaction:
    """Read what was done. Raises Unreadable("slack_body_unreadable")."""
    match data.get("type"):
        case "block_actions":
            return _acted(data)
        case "shortcut" if data.get("callback_id") == SHORTCUT:
            return DialogAsked(_speaker(data), known(data, "trigger_id", TRIGGER))
        case "view_submission" if within(data, "view").get("callback_id") == CALLBACK:
            return DialogFilled(_speaker(data), known(within(data, "view"), "id"), read_form(within(data, "view")))
        case "block_suggestion" if str(data.get("action_id", "")).startswith(FORM_PREFIX):
            return _searched(data)
        case _:
            return NothingForUs("not_acted_on")


def _acted(data: Mapping[str, Any]) -> Interaction:
    """A click, told by the action id of what was clicked."""
    action = first(data.get("actions"))
    name = str(action.get("action_id", ""))
    if name == CHOOSES_REPOSITORY:
        view = within(data, "view")
        return RepositoryChosen(_speaker(data), known(view, "id"), str(view.get("hash", "")), read_form(view))
    if name.startswith(PAGE_PREFIX):
        return PageTurned(_speaker(data).user, page_of(name))
    job_id = str(action.get("value", ""))
    if not name.startswith(ACTION_PREFIX) or not _JOB.match(job_id):
        return NothingForUs("not_our_button")
    return _clicked(data, name.removeprefix(ACTION_PREFIX), job_id)


def _clicked(data: Mapping[str, Any], action: str, job_id: str) -> SlackClicked:
    message, speaker = within(data, "container"), _speaker(data)
    ts = known(message, "message_ts", TS)
    where = SlackPlace(
        known(message, "channel_id"), speaker.user.user_id, response_url=address(data.get("response_url"))
    )
    return SlackClicked(speaker, action, job_id, ts, where, matching(message.get("thread_ts"), TS) or ts)


def _searched(data: Mapping[str, Any]) -> Searched:
    menu = str(data["action_id"]).removeprefix(FORM_PREFIX)
    typed = str(data.get("value", ""))[:100].strip()
    return Searched(_speaker(data), menu, typed, read_form(within(data, "view")).repository)


def _speaker(data: Mapping[str, Any]) -> Speaker:
    """Who did it; where the app is installed in a whole organisation, the workspace is told with the person."""
    person, team = within(data, "user"), within(data, "team")
    team_id = matching(team.get("id"), ID) or known(person, "team_id")
    user = SlackUser(team_id, known(person, "id"))
    return Speaker(user, str(person.get("username", "")), str(team.get("domain", "")))
