"""Starts one application, detached from whoever asked, and writes down how it ended. Run as a program of its own.

`python -m bot.engines.process.keeper FOLDER` reads FOLDER/launch.json, answers once FOLDER/running.json is written,
and stays behind until the application ends; then FOLDER/ended.json holds its exit code. It needs nothing of the house,
so that it starts fast.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

LAUNCH, RUNNING, ENDED, OUTPUT = "launch.json", "running.json", "ended.json", "output.log"
KILLED = 128
CANNOT_START = 127


def main(folder: Path) -> None:
    """Return in the process that was called once the application runs; the keeper itself never returns."""
    ready, tell = os.pipe()
    if os.fork():
        os.close(tell)
        os.read(ready, 1)
        return
    os.setsid()
    os.close(ready)
    _keep(folder, json.loads((folder / LAUNCH).read_text(encoding="utf-8")), tell)
    os._exit(0)


def _keep(folder: Path, launch: dict[str, Any], tell: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    (folder / ENDED).unlink(missing_ok=True)
    _redirect(folder / OUTPUT)
    pid = os.fork()
    if pid == 0:
        _become(launch)
    with suppress(OSError):
        os.setpgid(pid, pid)
    keeper = os.getpid()
    running = {"pid": pid, "started": started(pid), "keeper": keeper, "keeper_started": started(keeper)}
    _write(folder / RUNNING, running)
    os.write(tell, b".")
    os.close(tell)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    _write(folder / ENDED, {"exit_code": code if code >= 0 else KILLED - code})


def _become(launch: dict[str, Any]) -> None:
    """The application, in a process group of its own."""
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(launch["folder"])
        os.execvpe(launch["words"][0], launch["words"], launch["env"])  # noqa: S606
    except OSError as error:
        os.write(2, f"{launch['words'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(CANNOT_START)


def _redirect(output: Path) -> None:
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, number in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, number)


def _write(path: Path, value: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.rename(path)


def started(pid: int) -> str:
    """When a process began, in clock ticks after boot (proc(5), field 22); empty when it is gone or a zombie.

    Together with the number it names one process for good: numbers are given again, this pair is not.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return "" if Path("/proc/self").exists() else _started_by_ps(pid)
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _started_by_ps(pid: int) -> str:
    """The same where there is no /proc, such as on macOS, in words."""
    words = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return "" if told.startswith("Z") else told.partition(" ")[2].strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
