"""Owns the router's state on disk: written by one process at a time, whole and synced; a torn one is never believed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
from pathlib import Path

from bot.engines.router.model import RouterState, state_from_json, state_to_json

log = logging.getLogger(__name__)


class StateFile:
    """`router.json` in one folder, with the version before it beside it, each carrying its own checksum."""

    def __init__(self, folder: Path) -> None:
        self.current = folder / "router.json"
        self.previous = folder / "router.previous.json"
        self._lock = folder / "state.lock"
        self._held: int | None = None

    def acquire(self) -> None:
        """Wait to become the one process that loads and saves, which it is until `release` or death."""
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        self._held = handle

    def release(self) -> None:
        """Leave the file to the next process."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def save(self, state: RouterState) -> None:
        """Make `state` the one a restart finds. Returns once it is on the disk; raises OSError and changes nothing."""
        fresh = self.current.with_suffix(".new")
        _write_synced(fresh, _sealed(state))
        if self.current.exists():
            _keep_as(self.current, self.previous)
        fresh.replace(self.current)
        _sync_folder(self.current.parent)

    def load(self) -> RouterState:
        """The newest state that is whole; the empty one where there is none. A torn file is set aside, not deleted."""
        for path in (self.current, self.previous):
            try:
                return _opened(path.read_bytes())
            except FileNotFoundError:
                continue
            except (ValueError, KeyError, TypeError) as torn:
                log.error("state file %s is torn (%s); it is set aside", path.name, torn)
                path.replace(path.with_suffix(".torn"))
        return RouterState()


def _sealed(state: RouterState) -> bytes:
    payload = json.dumps(state_to_json(state), sort_keys=True, separators=(",", ":"))
    return f"{hashlib.sha256(payload.encode()).hexdigest()}\n{payload}\n".encode()


def _opened(content: bytes) -> RouterState:
    checksum, _, payload = content.decode().rstrip("\n").partition("\n")
    if hashlib.sha256(payload.encode()).hexdigest() != checksum:
        raise ValueError("checksum does not match")
    return state_from_json(json.loads(payload))


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep_as(path: Path, kept: Path) -> None:
    """A second name for the content of `path`, so that `path` itself is never missing."""
    link = kept.with_suffix(".link")
    link.unlink(missing_ok=True)
    os.link(path, link)
    link.replace(kept)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
