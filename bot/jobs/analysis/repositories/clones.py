"""Keeps bare clones between analyses: one fetch at a time for each repository, the least recently used go."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import Permanent
from bot.jobs.analysis.repositories.addresses import Address
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.clone import fetch_into

GIB = 1 << 30
_ASK_AGAIN_S = 0.1


class Clones:
    """Clones under one folder, whose total size is capped. Several processes may share the folder.

    A clone that a stopped run left half-fetched is continued by the next one: git keeps what is whole, and drops the
    rest. A damaged one is removed and made anew.
    """

    def __init__(self, folder: Path, *, disk_bytes: int = 10 * GIB) -> None:
        self._folder = folder
        self._disk_bytes = disk_bytes

    @contextmanager
    def fetched(
        self, address: Address, ref: str, children: Children, *, token: str | None = None, called: str = ""
    ) -> Iterator[tuple[Path, str]]:
        """The clone brought up to date, and the name the ref has in it; it stays locked while the block runs.

        What the ref is `called` names it in the clone, so that the pinned commits of one branch have one name.

        Raises what `fetch_into` raises; Cancelled while it waits for its turn.
        """
        repository = self._place(address)
        self._folder.mkdir(parents=True, exist_ok=True)
        with _turn(repository.with_suffix(".lock"), children):
            local = self._fetch(repository, address, ref, children, token, called)
            os.utime(repository)
            yield repository, local
        self._make_room(repository)

    def forget(self, address: Address, children: Children) -> None:
        """Remove a clone that proved to be damaged, when its turn comes. Repeatable."""
        repository = self._place(address)
        with _turn(repository.with_suffix(".lock"), children):
            shutil.rmtree(repository, ignore_errors=True)

    def _place(self, address: Address) -> Path:
        return self._folder / (hashlib.sha256(address.shown.encode()).hexdigest()[:32] + ".git")

    def _fetch(
        self, repository: Path, address: Address, ref: str, children: Children, token: str | None, called: str
    ) -> str:
        existed = repository.exists()
        try:
            return fetch_into(repository, address, ref, children, token=token, called=called)
        except Permanent:
            if not existed:
                raise
            shutil.rmtree(repository)
            return fetch_into(repository, address, ref, children, token=token, called=called)

    def _make_room(self, kept: Path) -> None:
        """Remove clones used longest ago until the rest is within the cap; never `kept`, nor one in use."""
        clones = sorted(self._folder.glob("*.git"), key=lambda clone: clone.stat().st_mtime, reverse=True)
        total = 0
        for clone in clones:
            total += folder_bytes(clone)
            if total > self._disk_bytes and clone != kept:
                self._remove(clone)

    def _remove(self, clone: Path) -> None:
        with clone.with_suffix(".lock").open("ab") as lock:
            if _try_lock(lock.fileno()):
                shutil.rmtree(clone, ignore_errors=True)


@contextmanager
def _turn(path: Path, children: Children) -> Iterator[None]:
    """Hold a lock file, which the system lets go of when this process ends, however it ends."""
    with path.open("ab") as lock:
        while not _try_lock(lock.fileno()):
            children.check()
            time.sleep(_ASK_AGAIN_S)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
