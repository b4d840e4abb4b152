"""Which lines of a comment are said, and not shown, quoted or hidden: where a command may stand."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"\A {0,3}(`{3,}|~{3,})")
_PRE = re.compile(r"<(/?)(pre|code|script|style)\b[^>]*>", re.IGNORECASE)


def spoken_lines(body: str) -> Iterator[str]:
    """Lines that are said: not in a code fence, a quote, an HTML comment, a <pre> block or indented as code."""
    fence: str | None = None
    in_comment = in_block = False
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if fence is not None:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
            continue
        if in_comment:
            in_comment = "-->" not in line
            continue
        if in_block:
            in_block = not _closes_block(line)
            continue
        if opened := _FENCE.match(line):
            fence = opened[1]
            continue
        if line[:1] in {"/", "@"}:
            yield line
        in_comment = _leaves_comment_open(line)
        in_block = not in_comment and _leaves_block_open(line)


def _closes_block(line: str) -> bool:
    """Whether a line ends the <pre>, <code>, <script> or <style> block it stands in."""
    return any(tag[1] for tag in _PRE.finditer(line))


def _leaves_comment_open(line: str) -> bool:
    return "<!--" in line and line.rfind("<!--") > line.rfind("-->")


def _leaves_block_open(line: str) -> bool:
    tags = [tag[1] for tag in _PRE.finditer(line)] if "<" in line else []
    return bool(tags) and not tags[-1]
