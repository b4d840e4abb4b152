"""The pages between Slack and GitHub: is this you, and what came of it, as HTML."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from html import escape
from pathlib import Path

from bot import messages

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def question(locale: str, *, name: str, team: str, login: str, action: str, fields: Mapping[str, str]) -> str:
    """Both accounts, a warning, and one button that posts `fields` to `action`."""
    hidden = "\n".join(
        f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">' for key, value in fields.items()
    )
    return page(
        locale,
        f"""<p>{_word(locale, "link.question")}</p>
<p><strong>{_word(locale, "link.slack", name=name, team=team)}</strong></p>
<p>→ <strong>{_word(locale, "link.github", login=login)}</strong></p>
<p role="note">{_word(locale, "link.warning")}</p>
<form method="post" action="{escape(action)}">
{hidden}
<button type="submit">{_word(locale, "link.confirm")}</button>
</form>""",
    )


def notice(locale: str, text: str, title: str = "link.title") -> str:
    """One sentence, under the words of the key `title`."""
    return page(locale, f'<p role="status">{escape(text)}</p>', title)


def page(locale: str, body: str, title: str = "link.title") -> str:
    """A plain page with this body, which is HTML, under the words of the key `title`."""
    return _template().format(lang=escape(locale), title=_word(locale, title), body=body)


def _word(locale: str, key: str, **facts: str) -> str:
    return escape(messages.say(locale, key, **facts))


@functools.cache
def _template() -> str:
    return Path(__file__).with_name("link_page.html").read_text(encoding="utf-8")
