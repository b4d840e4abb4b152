"""The deploy dialog: the modal as Slack is given it, and what somebody filled in; no I/O.

https://docs.slack.dev/surfaces/modals, https://docs.slack.dev/reference/block-kit/blocks/input-block
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.grammar import Command
from bot.slack.inbound.fields import ID, first, matching, within

SHORTCUT = "shipmate_deploy"
"""The callback id of the global shortcut in slack.yml."""
CALLBACK = "shipmate.deploy"
FORM_PREFIX = "shipmate.form."
CHOOSES_REPOSITORY = f"{FORM_PREFIX}repository"
MOST_OPTIONS = 100
"""https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#external_select"""
OPTION_CHARACTERS = 75
REF_CHARACTERS = 255
MOST_ERROR_CHARACTERS = 300
REPOSITORY = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}\Z")

View = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """What the dialog holds; None where nothing was filled in."""

    repository: str | None = None
    ref: str | None = None
    environment: str | None = None
    channel: str | None = None

    @property
    def words(self) -> list[str]:
        """What somebody might as well have typed after `/shipmate deploy OWNER/REPO`."""
        ref = [self.ref] if self.ref else []
        return [*ref, *(["to", self.environment] if self.environment else [])]

    @property
    def raw(self) -> str:
        """The same as a line, as the audit trail shows it."""
        return " ".join(["dialog deploy", self.repository or "–", *self.words])

    def filled_by(self, command: Command) -> Form:
        """With what was typed before the dialog was opened."""
        ref, environment = command.get("ref"), command.get("environment")
        return Form(self.repository, ref or self.ref, environment or self.environment, self.channel)


def dialog(form: Form, locale: str) -> View:
    """The modal. The repository stands in its metadata too: what is chosen is not told when a menu asks for options.

    Where no channel is known, Slack fills in the one the person looks at.
    """
    say = messages.say
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": form.repository or "",
        "title": _plain(say(locale, "slack.dialog.title")),
        "submit": _plain(say(locale, "slack.dialog.submit")),
        "close": _plain(say(locale, "slack.dialog.close")),
        "blocks": [_repository(form, locale), _ref(form, locale), _environment(form, locale), _channel(form, locale)],
    }


def notice(text: str, locale: str) -> View:
    """A modal that only says something."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    title, close = messages.say(locale, "slack.dialog.title"), messages.say(locale, "slack.dialog.close")
    return {"type": "modal", "title": _plain(title), "close": _plain(close), "blocks": [section]}


def read_form(view: View) -> Form:
    """What is filled in, as far as Slack told it; the repository else as it was chosen before."""
    chosen = _option(view, "repository") or view.get("private_metadata")
    channel = _field(view, "channel").get("selected_conversation")
    ref = _field(view, "ref").get("value")
    return Form(
        repository=matching(chosen, REPOSITORY),
        ref=ref.strip()[:REF_CHARACTERS] or None if isinstance(ref, str) else None,
        environment=_option(view, "environment"),
        channel=matching(channel, ID),
    )


def options(values: Sequence[str]) -> Mapping[str, Any]:
    """The answer to a menu that asks what to offer: https://docs.slack.dev/reference/interaction-payloads."""
    fitting = [value for value in values if len(value) <= OPTION_CHARACTERS][:MOST_OPTIONS]
    return {"options": [_offered(value) for value in fitting]}


def errors(field: str, text: str) -> Mapping[str, Any]:
    """The answer to a submission that cannot be obeyed: the dialog stays, and says why under the field."""
    return {"response_action": "errors", "errors": {field: text[:MOST_ERROR_CHARACTERS]}}


def _repository(form: Form, locale: str) -> View:
    element = {**_menu("repository", locale), **_initial(form.repository)}
    return {**_input("repository", element, locale), "dispatch_action": True}


def _ref(form: Form, locale: str) -> View:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": f"{FORM_PREFIX}ref",
        "max_length": REF_CHARACTERS,
        "placeholder": _plain(messages.say(locale, "slack.dialog.hint.ref")),
    }
    if form.ref:
        element["initial_value"] = form.ref
    return {**_input("ref", element, locale), "optional": True}


def _environment(form: Form, locale: str) -> View:
    element = {**_menu("environment", locale), **_initial(form.environment)}
    return {**_input("environment", element, locale), "optional": True}


def _channel(form: Form, locale: str) -> View:
    element: dict[str, Any] = {
        "type": "conversations_select",
        "action_id": f"{FORM_PREFIX}channel",
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
        **({"initial_conversation": form.channel} if form.channel else {"default_to_current_conversation": True}),
    }
    return _input("channel", element, locale)


def _menu(name: str, locale: str) -> dict[str, Any]:
    return {
        "type": "external_select",
        "action_id": f"{FORM_PREFIX}{name}",
        "min_query_length": 0,
        "placeholder": _plain(messages.say(locale, f"slack.dialog.hint.{name}")),
    }


def _input(name: str, element: Mapping[str, Any], locale: str) -> dict[str, Any]:
    label = _plain(messages.say(locale, f"slack.dialog.{name}"))
    return {"type": "input", "block_id": name, "label": label, "element": element}


def _initial(value: str | None) -> dict[str, Any]:
    return {"initial_option": _offered(value)} if value and len(value) <= OPTION_CHARACTERS else {}


def _offered(value: str) -> dict[str, Any]:
    return {"text": _plain(value), "value": value}


def _option(view: View, name: str) -> str | None:
    value = within(_field(view, name), "selected_option").get("value")
    return value if isinstance(value, str) else None


def _field(view: View, name: str) -> Mapping[str, Any]:
    """What was entered in a block; each has one element."""
    return first([*within(view, "state", "values", name).values()])


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
