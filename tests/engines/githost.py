"""A git server over smart HTTP, with git's own program behind it, that asks for a token or misbehaves as told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

TOKEN = "ghs_0123456789abcdefghij"


@dataclass
class GitHost:
    """One repository, `acme/api`. With `speaks_v2` off it hands out what branches point at, and nothing else."""

    folder: Path
    url: str = ""
    token: str = TOKEN
    speaks_v2: bool = True
    hangs: bool = False
    breaks: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def git(self, *words: str, stdin: bytes = b"") -> str:
        """Run git in the work tree; answers what it wrote."""
        env = {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        done = subprocess.run(["git", *words], cwd=self.work, env=env, input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def commit(self, message: str = "change") -> str:
        """Commit all of the work tree and publish it; answers the SHA."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        self.git("push", "--quiet", "--force", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, request.headers.get("Authorization", "")))
        if self.hangs:
            await asyncio.sleep(3600)
        expected = "Basic " + base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        if self.token and request.headers.get("Authorization") != expected:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="GitHub"'})
        head, _, body = (await self._backend(request)).partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(fields.pop("Status", "200").split()[0])
        return web.Response(status=status, headers=fields, body=body[: len(body) // 2] if self.breaks else body)

    async def _backend(self, request: web.Request) -> bytes:
        protocol = request.headers.get("Git-Protocol", "") if self.speaks_v2 else ""
        backend = await asyncio.create_subprocess_exec(
            *("git", "http-backend"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={
                "PATH": os.defpath,
                "GIT_PROJECT_ROOT": str(self.folder / "bare"),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": request.path,
                "QUERY_STRING": request.query_string,
                "REQUEST_METHOD": request.method,
                "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": protocol,
            },
        )
        body = await request.content.read() if request.body_exists else b""
        answered, _ = await backend.communicate(body)
        return answered


@contextlib.asynccontextmanager
async def open_host(folder: Path) -> AsyncIterator[GitHost]:
    host = GitHost(folder)
    bare = folder / "bare" / "acme" / "api.git"
    for path in (host.work, bare):
        path.mkdir(parents=True)
    host.git("init", "--quiet", "--bare", str(bare))
    host.git("init", "--quiet")
    host.git("remote", "add", "origin", str(bare))
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{tail:.*}", host.serve)
    runner = web.AppRunner(app, auto_decompress=False, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield host
    finally:
        await runner.cleanup()
