"""Which process this is, so that another one on this machine can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_worker() -> str:
    """`host:pid:start`, unique to this process; `start` tells a reused process number apart."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


def is_dead(worker: str) -> bool:
    """True only when the worker ran on this machine and its process is gone. Elsewhere nobody can tell."""
    try:
        host, pid, start = worker.rsplit(":", 2)
    except ValueError:
        return False
    return host == socket.gethostname() and pid.isdigit() and _started(int(pid)) != start


def _started(pid: int) -> str:
    """Start time of a process in clock ticks after boot (proc(5), field 22); `gone` when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):  # the second when it ends while it is read
        return "gone" if Path("/proc/self").exists() else _signalled(pid)
    fields = stat.rpartition(")")[2].split()
    return "gone" if fields[0] == "Z" else fields[19]


def _signalled(pid: int) -> str:
    """Where there is no /proc: whether a signal could reach it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        return "there"
    return "there"
