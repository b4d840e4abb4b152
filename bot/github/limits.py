"""Owns GitHub's limits on what may be said, and cuts texts to them at the end of a line, with a note."""

from __future__ import annotations

import re
from collections.abc import Callable

COMMENT_CHARACTERS = 65_536
"""https://docs.github.com/en/rest/issues/comments: a longer body is answered 422."""
CHECK_TEXT_BYTES = 65_535
"""Of a check run's summary and of its text, each; counted in UTF-8, so that Korean is not refused."""
CHECK_TITLE_CHARACTERS = 255
ANNOTATIONS_A_REQUEST = 50
ANNOTATION_MESSAGE_BYTES = 64 * 1024
ANNOTATION_TITLE_CHARACTERS = 255
ACTIONS = 3
ACTION_LABEL_CHARACTERS = 20
ACTION_DESCRIPTION_CHARACTERS = 40
ACTION_IDENTIFIER_CHARACTERS = 20
EXTERNAL_ID_CHARACTERS = 255
DEPLOYMENT_DESCRIPTION_CHARACTERS = 140

CUT_NOTE = "\n… *cut here: this is longer than GitHub shows*\n"
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)")


def comment_body(text: str) -> str:
    """A comment's body, whole or cut."""
    return _cut(text, COMMENT_CHARACTERS, len)


def check_text(text: str) -> str:
    """A check run's summary or text, whole or cut."""
    return _cut(text, CHECK_TEXT_BYTES, _size_bytes)


def annotation_message(text: str) -> str:
    """An annotation's message, whole or cut."""
    return _cut(text, ANNOTATION_MESSAGE_BYTES, _size_bytes)


def one_line(text: str, most: int) -> str:
    """The text on one line of at most `most` characters; an ellipsis ends it where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _cut(text: str, most: int, measure: Callable[[str], int]) -> str:
    """Whole lines from the start, as many as fit with the note; code and details opened in them are closed."""
    if measure(text) <= most:
        return text
    room = most - measure(CUT_NOTE)
    kept = _fitting(text, room, measure)
    while measure(kept) + measure(closing := _closing(kept)) > room:
        kept = _fitting(kept, room - measure(closing), measure)
    return kept + closing + CUT_NOTE


def _fitting(text: str, room: int, measure: Callable[[str], int]) -> str:
    """The longest start of the text that fits, at a line's end where it has one in the second half."""
    start = text[:room] if measure is len else text.encode()[:room].decode(errors="ignore")
    line_end = start.rfind("\n")
    return start[:line_end] if line_end > len(start) // 2 else start


def _closing(text: str) -> str:
    """What ends a code fence and `<details>` left open, without which the note would stand inside them."""
    fence, opened = "", 0
    for line in text.split("\n"):
        mark = _FENCE.fullmatch(line)
        if fence and mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""
        elif not fence and mark:
            fence = mark[1]
        elif not fence:
            opened = max(0, opened + line.count("<details") - line.count("</details>"))
    return (f"\n{fence}" if fence else "") + "\n</details>" * opened


def _size_bytes(text: str) -> int:
    return len(text.encode())
