"""The pages of a person's home in Slack, and the buttons that turn them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from bot import messages

PAGE_PREFIX = "shipmate.page."


class Page(enum.StrEnum):
    """What the home can show, the first one when it is opened."""

    UNDER_WAY = "under_way"
    WAITING = "waiting"
    RELEASES = "releases"
    LOCKS = "locks"


def page_of(action_id: str) -> Page:
    """The page a button leads to; the first one for a button that is no more."""
    name = action_id.removeprefix(PAGE_PREFIX)
    return next((page for page in Page if page.value == name), Page.UNDER_WAY)


def page_buttons(shown: Page, locale: str) -> Mapping[str, Any]:
    """The row of buttons, the page that is shown marked."""
    return {"type": "actions", "block_id": "pages", "elements": [_button(page, page is shown, locale) for page in Page]}


def _button(page: Page, is_shown: bool, locale: str) -> dict[str, Any]:
    text = messages.say(locale, f"slack.home.page.{page.value}")
    style = {"style": "primary"} if is_shown else {}
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "action_id": f"{PAGE_PREFIX}{page.value}", "text": label, **style}
