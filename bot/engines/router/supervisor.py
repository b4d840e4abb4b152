"""Holds the listening sockets and keeps one serving process alive, so that connections only ever wait.

Two processes: this one does so little that it has no reason to fail, and owns every listening socket; the serving
process does the work, and hands each socket it opens over to this one. When the serving process dies, the next one
gets the sockets back: whoever connects meanwhile waits in the backlog. When this one dies, the serving process starts
a successor that inherits the sockets. On SIGHUP this one replaces its own program in place, and then its serving
process, for an upgrade. SIGTERM ends both once the requests under way are answered.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from bot.engines.router.fdlink import FdLink
from bot.engines.router.settings import RouterSettings, add_arguments, from_namespace, to_arguments

log = logging.getLogger("router.supervisor")

STEADY_S = 1.0
LONGEST_PAUSE_S = 1.0
CHECK_WITHIN_S = 10.0
PROGRAM = "bot.engines.router"


class Supervisor:
    """The process that outlives the others. Signals are read between messages, so neither ever interrupts the other."""

    def __init__(self, settings: RouterSettings, lock: int, listeners: dict[str, int], predecessor: int | None) -> None:
        self._settings = settings
        self._lock = lock
        self._listeners = listeners
        self._predecessor = predecessor
        self._signals = _signals_of_interest()
        self._leaving = False

    def run(self) -> int:
        """Keep a serving process until told to leave. Returns the exit code, 1 where its folder is gone."""
        short_lives = 0
        while not self._leaving:
            lived_s = self._one_life()
            if not self._settings.state_dir.exists():
                log.error("%s is gone, so that nobody could ask this router anything", self._settings.state_dir)
                return 1
            short_lives = short_lives + 1 if lived_s < STEADY_S else 0
            if short_lives and not self._leaving:
                time.sleep(min(LONGEST_PAUSE_S, 0.02 * 2**short_lives))
        return 0

    def _one_life(self) -> float:
        """Start a serving process, keep what it hands over, and return when it is gone, with the seconds it lived."""
        begun = time.monotonic()
        ours, theirs = FdLink.pair()
        argv = [*program(f"{PROGRAM}.serving", self._settings), f"--link={theirs.fileno()}"]
        if self._predecessor is not None:
            argv.append(f"--predecessor={self._predecessor}")
        child = subprocess.Popen(argv, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._hand_over(ours)
        self._attend(ours, child)
        ours.close()
        log.info("serving process %d ended with %d", child.pid, child.wait())
        return time.monotonic() - begun

    def _attend(self, link: FdLink, child: subprocess.Popen[bytes]) -> None:
        """Heed the serving process and our signals until it is gone."""
        while True:
            ready, _, _ = select.select([link.fileno(), self._signals.fileno()], [], [])
            if link.fileno() in ready:
                message = link.receive()
                if message is None:
                    return
                self._heed(*message)
            else:
                self._answer(set(self._signals.recv(4096)), link, child)

    def _answer(self, signals: set[int], link: FdLink, child: subprocess.Popen[bytes]) -> None:
        """Act on the signals that came, when everything the serving process had to hand over was taken."""
        if signals & {signal.SIGTERM, signal.SIGINT}:
            self._leave(child)
        elif signal.SIGHUP in signals:
            self._replace(link, child)
        self._reap_predecessor()

    def _hand_over(self, link: FdLink) -> None:
        try:
            for name, number in self._listeners.items():
                link.keep(name, number)
            link.all_told()
        except ConnectionError:
            return  # it is dead already, which the next read shows

    def _heed(self, message: dict[str, str], number: int | None) -> None:
        if "keep" in message and number is not None:
            self._forget(message["keep"])
            self._listeners[message["keep"]] = number
        elif "drop" in message:
            self._forget(message["drop"])

    def _forget(self, name: str) -> None:
        number = self._listeners.pop(name, None)
        if number is not None:
            os.close(number)

    def _leave(self, child: subprocess.Popen[bytes]) -> None:
        self._leaving = True
        for name in tuple(self._listeners):
            self._forget(name)
        child.terminate()

    def _replace(self, link: FdLink, child: subprocess.Popen[bytes]) -> None:
        """Become the program as it is on disk now; the serving process is told, and finishes."""
        argv = program(PROGRAM, self._settings, listeners=self._listeners, predecessor=child.pid)
        if self._leaving or not _starts(argv):
            return
        if link.has_news():
            os.kill(os.getpid(), signal.SIGHUP)  # a socket to take first; then once more
            return
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # stays so until the new program is ready for the next one
        with suppress(ConnectionError):
            link.replaced()
        for number in (self._lock, *self._listeners.values()):
            os.set_inheritable(number, True)
        os.execv(argv[0], [*argv, f"--lock={self._lock}"])  # noqa: S606

    def _reap_predecessor(self) -> None:
        if self._predecessor is None:
            return
        try:
            ended, _ = os.waitpid(self._predecessor, os.WNOHANG)
        except ChildProcessError:
            ended = self._predecessor
        if ended:
            self._predecessor = None


def _signals_of_interest() -> socket.socket:
    """What the numbers of the signals that concern us can be read from."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.detach())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    return ours


def program(
    module: str, settings: RouterSettings, *, listeners: dict[str, int] | None = None, predecessor: int | None = None
) -> list[str]:
    """The command that starts one of the router's two processes."""
    argv = [sys.executable, "-m", module, *to_arguments(settings)]
    if listeners is not None:
        argv.append(f"--listeners={json.dumps(listeners)}")
    if predecessor:
        argv.append(f"--predecessor={predecessor}")
    return argv


def _starts(argv: Sequence[str]) -> bool:
    """Whether the program on disk starts like that: one that is half installed must not replace one that runs."""
    try:
        checked = subprocess.run([*argv, "--check"], capture_output=True, check=False, timeout=CHECK_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        log.error("not replaced: %s", error)
        return False
    if checked.returncode != 0:
        log.error("not replaced: %s", checked.stderr.decode(errors="replace"))
    return checked.returncode == 0


def run_router(settings: RouterSettings) -> int:
    """Be the router until SIGTERM. Returns the exit code: 0, or 1 where another router has this state directory."""
    return _run(settings, None, {}, None)


def main(argv: Sequence[str]) -> int:
    """`python -m bot.engines.router OPTIONS`; `--detach` returns at once and leaves the router behind."""
    parser = argparse.ArgumentParser(prog="shipmate router")
    add_arguments(parser)
    parser.add_argument("--detach", action="store_true", help="run in the background")
    parser.add_argument("--listeners", type=json.loads, default={}, help=argparse.SUPPRESS)
    parser.add_argument("--predecessor", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.check:
        return 0 if importlib.import_module(f"{PROGRAM}.serving") else 1
    if options.detach and os.fork() > 0:
        return 0
    return _run(from_namespace(options), options.lock, options.listeners, options.predecessor)


def _run(settings: RouterSettings, lock: int | None, listeners: dict[str, int], predecessor: int | None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = lock if lock is not None else _only_one(settings)
    if held is None:
        log.error("another router already serves %s", settings.state_dir)
        return 1
    for number in (held, *listeners.values()):
        os.set_inheritable(number, False)
    return Supervisor(settings, held, listeners, predecessor).run()


def _only_one(settings: RouterSettings) -> int | None:
    """The lock that says this is the one router of its state directory; None where there is one. Freed by any death."""
    handle = os.open(settings.state_dir / "router.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
