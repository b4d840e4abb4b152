"""Decides what of a folder is sent as a build context: what `.dockerignore` keeps, links as links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bot.engines.docker.ignore import IgnoreRules
from bot.engines.docker.tar import Member, member_of

IGNORE_FILE = ".dockerignore"


def context_members(context: Path, dockerfile: str) -> list[Member]:
    """Folders, files and links to send, each folder before what is in it; sockets, pipes and devices are left out.

    No link is followed. Raises Permanent("build_failed") for an ignore file that cannot be read as one.
    """
    rules = IgnoreRules(_ignore_text(context, dockerfile), always=(dockerfile, IGNORE_FILE))
    found: list[Member] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        for item in sorted(os.scandir(context / folder), key=lambda one: one.name):
            path = f"{folder}/{item.name}" if folder else item.name
            left_out = rules.leaves_out(path)
            status = item.stat(follow_symlinks=False)
            if not left_out and _can_be_sent(status.st_mode):
                found.append(member_of(context / path, path, status))
            if item.is_dir(follow_symlinks=False) and not (left_out and rules.leaves_out_all_below(path)):
                folders.append(path)
    return found


def _ignore_text(context: Path, dockerfile: str) -> str:
    """The ignore file of this Dockerfile, else that of the context; a link is not followed."""
    for name in (f"{dockerfile}{IGNORE_FILE}", IGNORE_FILE):
        path = context / name
        if path.is_file() and not path.is_symlink():
            return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _can_be_sent(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
