"""Owns every git process of one analysis, so that cancelling stops all of them and leaves none behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO

PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031  # Linux; not named by every fcntl module


class Cancelled(Exception):
    """The analysis was asked to stop: its processes are gone and nothing was stored."""


class Children:
    """Starts processes and can stop them all at once, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._unfinished: set[subprocess.Popen[bytes]] = set()
        self._cancelled = False
        self._asks = has_terminal()

    def start(
        self,
        argv: Sequence[str | bytes],
        env: Mapping[str, str],
        errors: IO[bytes],
        source: int | IO[bytes] = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start one process with piped output; it reads `source`. Raises Cancelled when the analysis was stopped."""
        with self._lock:
            if self._cancelled:
                raise Cancelled
            group = None if self._asks else 0
            child = subprocess.Popen(
                argv, env=env, stdin=source, stdout=subprocess.PIPE, stderr=errors, process_group=group
            )
            self._alive.add(child)
            self._unfinished.add(child)
        _widen(child.stdout)
        return child

    def finish(self, child: subprocess.Popen[bytes]) -> int:
        """Wait for a process, close its pipes and return its exit code. Raises Cancelled after a stop."""
        _close_pipes(child)
        code = child.wait()
        with self._lock:
            self._alive.discard(child)
            self._unfinished.discard(child)
        self.check()
        return code

    def check(self) -> None:
        """Raise Cancelled when the analysis was asked to stop; called between steps of long work."""
        if self._cancelled:
            raise Cancelled

    def cancel(self) -> None:
        """Stop everything: no further process starts, and the ones alive are killed. May be repeated."""
        with self._lock:
            self._cancelled = True
        self.stop()

    def stop(self) -> None:
        """Kill what is still alive and reap it."""
        with self._lock:
            alive, self._alive = self._alive, set()
        for child in alive:
            self._kill(child)
        for child in alive:
            child.wait()

    def _kill(self, child: subprocess.Popen[bytes]) -> None:
        """With the helpers it started, which listen to a silent server for minutes."""
        if self._asks:
            child.kill()
        elif child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

    def close(self) -> None:
        """Stop, and let go of the pipes nobody reads any more: the end of every analysis, however it ended."""
        self.stop()
        with self._lock:
            unfinished, self._unfinished = self._unfinished, set()
        for child in unfinished:
            _close_pipes(child)


def has_terminal() -> bool:
    """Whether a process may ask somebody, as ssh asks for a passphrase: only where it shares our process group."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _close_pipes(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # it ended first; its exit code tells why
                pipe.close()


def _widen(pipe: IO[bytes] | None) -> None:
    """Ask for a larger pipe, so that git and we block each other less often."""
    try:
        if pipe is not None:
            fcntl.fcntl(pipe.fileno(), _F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        return  # a limit of the system; the default size works too
