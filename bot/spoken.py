"""Which lines of a comment are said, and not shown, quoted or hidden: where a command may stand.

Only the lines on which something can begin or end are looked at; a regular expression finds the next one. Every search
goes on where the last one ended, so that no comment takes longer than its length allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_LOOKS = 300
"""Lines that are looked at closely; of a comment with more, the rest is no longer read, and so not obeyed."""

_LINE = re.compile(r"\n(?=[ /@`~]) {0,3}+(?=[/@`~])(?:[/@]|```|~~~)")
"""A line that may begin a command or a fence. What stands first decides most places at once, for speed."""
_MARK = re.compile(r"<(?=[!pPcCsS][-rRoOcCtT])(?:!--|(?:pre|code|script|style)\b)", re.IGNORECASE)
"""The beginning of what may reach over lines."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CLOSING_FENCE = re.compile(r"\n[^\S\n]*+(`{3,}+|~{3,}+)[^\S\n]*+(?=\n|\Z)")
_LAST_TAG = re.compile(r".*<(/?)(?:pre|code|script|style)\b", re.IGNORECASE | re.DOTALL)
_CLOSING_TAG = re.compile(r"</(?:pre|code|script|style)\b", re.IGNORECASE)


def spoken_lines(body: str) -> Iterator[str]:
    """Lines that begin with `/` or `@` and are said: in no code fence, quote, HTML comment or <pre> block."""
    text = "\n" + body.replace("\r\n", "\n").replace("\r", "\n")
    lines, marks = _Ahead(_LINE, text), _Ahead(_MARK, text)
    at = 0
    for _ in range(MOST_LOOKS):
        begins = min(lines.after(at), marks.after(at))
        if begins == len(text):
            return
        start = text.rfind("\n", 0, begins + 1) + 1
        end = _end_of_line(text, start)
        line = text[start:end]
        if fence := _FENCE.match(line):
            at = _after_fence(text, end, fence[1])
            continue
        if line[:1] in {"/", "@"}:
            yield line
        at = _after_what_is_left_open(text, line, end)


class _Ahead:
    """Where a pattern is found next; asked again before that place, it need not look again."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._pattern = pattern
        self._text = text
        self._next = -1

    def after(self, at: int) -> int:
        """The length of the text when there is none."""
        if self._next < at:
            found = self._pattern.search(self._text, at)
            self._next = found.start() if found else len(self._text)
        return self._next


def _end_of_line(text: str, at: int) -> int:
    """Where the line around `at` ends: the place of its newline, or the end of the text."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _after_fence(text: str, at: int, fence: str) -> int:
    """The end of the line that closes a fence: nothing but its mark, at least as often. Else the end of the text."""
    closings = _CLOSING_FENCE.finditer(text, at)
    return next((found.end() for found in closings if found[1].startswith(fence)), len(text))


def _after_what_is_left_open(text: str, line: str, end: int) -> int:
    """The end of the line, or of the one that closes the HTML comment or the block which the line leaves open."""
    if "<" not in line:
        return end
    if line.rfind("<!--") > line.rfind("-->"):
        closed = text.find("-->", end)
        return len(text) if closed < 0 else _end_of_line(text, closed)
    last = _LAST_TAG.match(line)
    if last is not None and not last[1]:
        closing = _CLOSING_TAG.search(text, end)
        return _end_of_line(text, closing.end()) if closing else len(text)
    return end
