"""The one shell that a build's commands run in: it keeps folder and variables, and tells each command's exit code."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path


class Shell:
    """A shell in `folder`; its lines go to `line`. A command that ends the shell fails; a new one takes its place."""

    def __init__(self, program: str, folder: Path, variables: Mapping[str, str], line: Callable[[str], None]) -> None:
        self._program, self._folder, self._line = program, folder, line
        self._variables = dict(variables)
        self._lock = threading.Lock()
        self._killed = False
        self._open()

    def run(self, command: str) -> int:
        """The exit code; the shell's own where the command ended it."""
        told = self._ask(f"eval {shlex.quote(command)} </dev/null; printf '%s\\n' \"$?\" >&{self._write}")
        if told:
            return int(told)
        code = self._end()
        self._open()
        return code or 1

    def export(self, name: str, value: str) -> None:
        """For this shell, and any that replaces it."""
        self._variables[name] = value
        self.run(f"export {name}={shlex.quote(value)}")

    def value(self, name: str) -> str:
        """A variable as the shell has it."""
        return self._ask(f"printf '%s\\n' \"${{{name}}}\" >&{self._write}")

    def kill(self) -> None:
        """End it and all it started; it is not replaced."""
        with self._lock:
            self._killed = True
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Every line is told when this is back."""
        self._end()

    def _open(self) -> None:
        with self._lock:
            read, self._write = os.pipe()
            self._process = subprocess.Popen(
                [self._program],
                cwd=self._folder,
                env=self._variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[self._write],
                start_new_session=True,
                text=True,
                errors="replace",
            )
            os.close(self._write)
            if self._killed:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._told = os.fdopen(read)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _ask(self, words: str) -> str:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(words + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self._told.readline().rstrip("\n")

    def _end(self) -> int:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        code = self._process.wait()
        self._reader.join()
        self._told.close()
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._line(line.rstrip("\n"))
