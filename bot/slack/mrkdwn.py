"""Says in Slack's markup what was worded in GitHub's: bold, links, tables, and nothing that commands or mentions.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re

_LINK = re.compile(r"\[([^\]\n]*)\]\((https?://[^\s)]+)\)")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_RULE = re.compile(r"\A\|[\s:|-]+\|\Z")
_EMPTY = {"", "–"}
TEXT_CHARACTERS = 3000
"""The most a section block's text may have: https://docs.slack.dev/reference/block-kit/blocks/section-block."""


def escaped(text: str) -> str:
    """Text that is only text: none of it is a mention, a link or markup of Slack's."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mrkdwn(markdown: str) -> str:
    """The same in Slack's markup; a table becomes lines, since Slack's text has none. Empty last cells are left out.

    What a link is called is plain text there: it loses its code marks.
    """
    lines = [_row(line) if line.startswith("|") else line for line in _without_rules(markdown.splitlines())]
    text = escaped("\n".join(lines))
    return _LINK.sub(_link, _BOLD.sub(r"*\1*", text))


def _link(found: re.Match[str]) -> str:
    called = found[1].replace("`", "")
    return f"<{found[2]}|{called}>"


def cut(text: str, limit: int = TEXT_CHARACTERS) -> str:
    """The text within the limit, with a sign where something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def pieces(text: str, limit: int = TEXT_CHARACTERS) -> list[str]:
    """The text in parts within the limit, parted between lines."""
    parts = [""]
    for line in text.splitlines(keepends=True):
        if parts[-1] and len(parts[-1]) + len(line) > limit:
            parts.append("")
        parts[-1] += line
    return parts


def log_text(lines: tuple[str, ...], limit: int = TEXT_CHARACTERS) -> str:
    """The end of a log as preformatted text; a fence within it cannot end it."""
    body = escaped("\n".join(lines)).replace("```", "'''")[-(limit - 10) :]
    return f"```\n{body}\n```"


def _without_rules(lines: list[str]) -> list[str]:
    """The lines without the head of each table and the rule under it."""
    kept: list[str] = []
    for line in lines:
        if _RULE.match(line):
            kept = kept[:-1]
        else:
            kept.append(line)
    return kept


def _row(line: str) -> str:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    while cells[1:] and cells[-1] in _EMPTY:
        cells.pop()
    return "• " + " — ".join(cell for cell in cells if cell)
