"""A real registry that stands for ECR's data plane: Debian's `docker-registry`, entered with ECR's own token."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import bcrypt

PROGRAM = "docker-registry"
USER, TOKEN = "AWS", "123456789012-auth-token"
"""What the emulator's GetAuthorizationToken gives."""
NO_REGISTRY = f"{PROGRAM} is not installed here: it stands for the registry's data plane"
_CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: 127.0.0.1:{port}}}
auth: {{htpasswd: {{realm: ecr, path: {folder}/htpasswd}}}}
"""


class DataPlane:
    """The registry at `host`, for as long as it is entered."""

    def __init__(self) -> None:
        self.host = ""
        self._folder = Path(tempfile.mkdtemp(prefix="registry"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        port = _free_port()
        hashed = bcrypt.hashpw(TOKEN.encode(), bcrypt.gensalt(4)).decode()
        (self._folder / "htpasswd").write_text(f"{USER}:{hashed}\n", encoding="ascii")
        config = self._folder / "config.yml"
        config.write_text(_CONFIG.format(folder=self._folder, port=port), encoding="ascii")
        self._process = subprocess.Popen(
            [PROGRAM, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.host = f"127.0.0.1:{port}"
        _wait_for(port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
