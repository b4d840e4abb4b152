"""Finds the port a server listens on where its source or its start command says so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.inspect.draft import Draft

_IN_COMMAND = re.compile(
    r"(?:--port[ =]|-p[ =]?|--bind[ =]\S*?:|-b[ =]\S*?:|--server\.port[ =]|--urls?[ =]\S+?:|0\.0\.0\.0:|"
    r"(?:^|\s)PORT=|SERVER_PORT=|--http-port[ =]|-Dserver\.port=|-Dhttp\.port=)\s*"
    r"(?:\$\{\w+:-(\d{2,5})\}|(\d{2,5})\b)"
)


def settle_port_from_command(draft: Draft) -> None:
    """A port that the start command itself names."""
    match = _IN_COMMAND.search(draft.text("start") or "")
    if match:
        settle_port(draft, match[1] or match[2], "port/command", "the start command names it")


def settle_port_from_code(draft: Draft, names: Sequence[str], patterns: Sequence[str]) -> None:
    """The first port that one of these sources names; patterns hold the port in their first group."""
    for pattern in patterns:
        for name, match in draft.folder.search(pattern, names):
            line = (draft.folder.text(name) or "").count("\n", 0, match.start()) + 1
            if settle_port(
                draft, next((g for g in match.groups() if g), ""), "port/source", "the source names it", name, line
            ):
                return


def settle_port(draft: Draft, digits: str, rule: str, why: str, at: str | None = None, line: int | None = None) -> bool:
    """Settle a port given as text, when it is one."""
    cleaned = digits.replace("_", "")
    port = int(cleaned) if cleaned.isdigit() and len(cleaned) <= 5 else 0
    return 0 < port < 65536 and draft.settle("port", port, rule, why, at=at, line=line)
