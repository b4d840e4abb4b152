"""Keeps bare clones between analyses: one fetch at a time for each repository, the least recently used go."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import Permanent, Refused, UserMistake
from bot.jobs.analysis.repositories.addresses import Address
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.clone import fetch_into, note_changes
from bot.jobs.analysis.repositories.sizes import folder_bytes, last_used

GIB = 1 << 30
_ASK_AGAIN_S = 0.1


class Clones:
    """Clones under one folder, whose total size is capped. Several processes may share the folder.

    A clone that a stopped run left half-fetched is continued by the next one: git keeps what is whole, and drops the
    rest. For one that cannot be fetched into another is made, which takes its place once it is whole: it may be the
    other side that speaks nonsense. Where the disk is full, the clones that nobody uses go.
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
            shutil.rmtree(_beside(repository), ignore_errors=True)  # a stopped run may have left one
            comes_again = repository.exists()
            local = self._fetch_surely(repository, _Fetch(address, ref, children, token, called))
            if comes_again:  # most are analysed once, and would have nothing of it
                note_changes(repository, children)
            os.utime(repository)
            yield repository, local
        self._make_room(repository)

    def forget(self, address: Address, children: Children) -> None:
        """Remove a clone that proved to be damaged, when its turn comes. Repeatable."""
        repository = self._place(address)
        with _turn(repository.with_suffix(".lock"), children):
            shutil.rmtree(repository, ignore_errors=True)

    def _fetch_surely(self, repository: Path, fetch: _Fetch) -> str:
        """Fetch, and once more when a full disk could be emptied."""
        try:
            return self._fetch(repository, fetch)
        except Permanent as full:
            if full.code != "disk_full" or not self._remove_others(repository):
                raise
        return self._fetch(repository, fetch)

    def _place(self, address: Address) -> Path:
        return self._folder / (hashlib.sha256(address.shown.encode()).hexdigest()[:32] + ".git")

    def _fetch(self, repository: Path, fetch: _Fetch) -> str:
        """Fetch into what is there, or where that fails into a new clone. What cannot be cloned leaves nothing."""
        existed = repository.exists()
        try:
            return fetch.into(repository)
        except (UserMistake, Refused):
            if not existed:
                shutil.rmtree(repository, ignore_errors=True)
            raise
        except Permanent as failed:
            if not existed or failed.code == "disk_full":
                raise
        fresh = _beside(repository)
        local = fetch.into(fresh)
        shutil.rmtree(repository)
        fresh.rename(repository)
        return local

    def _remove_others(self, kept: Path) -> bool:
        """Remove every clone but `kept` that is not in use; whether there was one."""
        went = [self._remove(clone) for clone in self._folder.glob("*.git") if clone != kept]
        return any(went)

    def _make_room(self, kept: Path) -> None:
        """Remove clones used longest ago until the rest is within the cap; never `kept`, nor one in use."""
        clones = sorted(self._folder.glob("*.git"), key=last_used, reverse=True)
        total = 0
        for clone in clones:
            total += folder_bytes(clone)
            if total > self._disk_bytes and clone != kept:
                self._remove(clone)

    def _remove(self, clone: Path) -> bool:
        """Remove a clone unless it is in use; whether it went."""
        with clone.with_suffix(".lock").open("ab") as lock:
            if not _try_lock(lock.fileno()):
                return False
            shutil.rmtree(clone, ignore_errors=True)
        return True


@dataclass(frozen=True, slots=True)
class _Fetch:
    """What `fetch_into` is asked for, whatever the place."""

    address: Address
    ref: str
    children: Children
    token: str | None = field(repr=False)
    called: str

    def into(self, repository: Path) -> str:
        """Fetch there."""
        return fetch_into(repository, self.address, self.ref, self.children, token=self.token, called=self.called)


def _beside(repository: Path) -> Path:
    """Where a clone is made that shall take another's place."""
    return repository.with_suffix(".fresh")


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
