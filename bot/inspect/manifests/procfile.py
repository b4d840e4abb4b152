"""Heroku's Procfile: the command of its web process."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.inspect.draft import Draft
from bot.inspect.folder import Folder

_PROCESS = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+?)\s*$")
WEB_PORT = 8080
_NOT_A_SERVICE = frozenset({"release", "postdeploy", "console"})


@dataclass(frozen=True)
class Process:
    """One line of a Procfile."""

    name: str
    command: str
    line: int


def processes(folder: Folder) -> list[Process]:
    """The Procfile's processes in order; lines that are none are skipped."""
    lines = enumerate((folder.text("Procfile") or "").splitlines(), 1)
    return [Process(m[1], m[2], count) for count, line in lines if (m := _PROCESS.match(line))]


def settle_from_procfile(draft: Draft) -> None:
    """Start what the Procfile calls web; without one, its worker, and only if there is exactly one candidate."""
    found = [p for p in processes(draft.folder) if p.name not in _NOT_A_SERVICE]
    web = next((p for p in found if p.name == "web"), None)
    chosen = web or next((p for p in found if p.name == "worker"), None) or (found[0] if len(found) == 1 else None)
    if chosen:
        why = f"the Procfile's {chosen.name} process runs it"
        draft.settle("start", chosen.command, "procfile", why, at="Procfile", line=chosen.line)
        draft.has_entry = True
        draft.traits["process"] = chosen.name
        if chosen.name != "web":
            draft.traits["no_web"] = "procfile"


def settle_web_port(draft: Draft) -> None:
    """A web process listens where it is told to; where nothing names a port, that is the usual one.

    https://devcenter.heroku.com/articles/runtime-principles#web-servers
    """
    if draft.traits.get("process") == "web":
        draft.settle("port", WEB_PORT, "procfile/port", "a web process listens at $PORT", at="Procfile")
