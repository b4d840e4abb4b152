"""A second emulator of AWS, written by others: installed into an environment of its own, and run as a process."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

PINNED = ("ministack==1.5.33", "docker==7.1.0")
"""It needs a botocore of its own, which is why it lives apart; with `docker` its tasks are real containers."""
NOT_HERE = "ministack cannot be installed here: it is fetched by pip once, and kept in ~/.cache"
KEY = "test"
"""Access key and secret of its root user."""
_CACHE = Path.home() / ".cache" / "shipmate-tests"
_START_S = 20.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def installed() -> Path:
    """Its Python. Made once for all test processes; skips the test where pip cannot, but fails it in CI."""
    folder = _CACHE / "-".join(PINNED).replace("=", "")
    folder.mkdir(parents=True, exist_ok=True)
    python, mark = folder / "bin" / "python", folder / ".installed"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            _install(folder, python)
            mark.touch()
    return python


def _install(folder: Path, python: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED]
    if subprocess.run(pip, capture_output=True, check=False).returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NOT_HERE)


class Ministack:
    """An AWS at `url` that checks keys, signatures and policies, for as long as it is entered."""

    def __init__(self, python: Path) -> None:
        self.url = ""
        self._python = python
        self._folder = Path(tempfile.mkdtemp(prefix="ministack"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "AUTH": "true", "LOG_LEVEL": "ERROR"}
        kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
        self._process = subprocess.Popen(
            [str(self._python), "-m", "ministack"],
            env={**kept, **settings, "HOME": str(self._folder), "TMPDIR": str(self._folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._ask("_ministack/reset", "POST")
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                return self._ask("_ministack/health", "GET")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _ask(self, path: str, method: str) -> None:
        """`reset` also removes the containers it started."""
        with _OPENER.open(urllib.request.Request(f"{self.url}/{path}", method=method), timeout=30) as reply:
            reply.read()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
