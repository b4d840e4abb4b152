"""Brings one commit of a repository here with git, trusting nothing that the repository holds."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from bot.engines.lines import LineCutter
from bot.errors import Permanent, Transient
from bot.model import FULL_SHA, Job
from bot.ports.images import LogSink

TokenProvider = Callable[[Job], Awaitable[str]]
"""Yields an installation token that may read the job's repository; an empty one clones without signing in."""

LOW_SPEED_BYTES, LOW_SPEED_S = 1000, 30
END_WITHIN_S = 5.0
ASK_AGAIN_S = 1.0
_LONGEST_TOLD = 400

_SAFE = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.symlinks": "true",
    "core.autocrlf": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "protocol.allow": "never",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": str(LOW_SPEED_BYTES),
    "http.lowSpeedTime": str(LOW_SPEED_S),
    "credential.helper": "",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
    "init.defaultBranch": "main",
}
"""No hook, no helper, no protocol but HTTP; filters have no command, for no other settings are read (git-config(1))."""

_DENIED = re.compile(
    r"authentication failed|could not read (?:username|password)|returned error: 40[13]|invalid credentials|"
    r"repository .*not found|returned error: 404|access denied|permission denied",
    re.IGNORECASE,
)
_UNKNOWN_COMMIT = re.compile(
    r"not our ref|remote ref does not exist|couldn't find remote ref|unadvertised object|reference is not a tree|"
    r"unable to read tree|bad object|non-commit|did not send all necessary objects",
    re.IGNORECASE,
)
_BY_SHA_REFUSED = re.compile(r"unadvertised object|does not support shallow", re.IGNORECASE)
_FULL_DISK = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GitLimits:
    """What a clone may cost and reach. `allow_files` lets a `file://` address be cloned.

    `environment` is all that git gets of the server's own: what the way out needs, such as HTTPS_PROXY.
    """

    limit_s: float = 300.0
    allow_files: bool = False
    size_limit_mb: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


class GitSource:
    """A `ports.Source` over git's smart HTTP. Repositories are cloned from `base_url`."""

    def __init__(self, base_url: str, token: TokenProvider, limits: GitLimits | None = None) -> None:
        self._base_url, self._token, self._limits = base_url.rstrip("/"), token, limits or GitLimits()

    def address(self, job: Job) -> str:
        """`https://github.com/acme/api.git`."""
        return f"{self._base_url}/{quote(job.repository.full_name)}.git"

    async def checkout(self, job: Job, into: Path, log: LogSink) -> None:
        """Leave the tree of exactly `job.sha` in `into`, made anew, without `.git`: the same commit, the same bytes.

        Symbolic links stay links, wherever they point: those who read the tree never follow one out of it.
        Submodules stay empty folders, large files their pointers; the log says so. Repeatable.
        Raises Permanent: commit_not_found, clone_denied, clone_failed, checkout_too_large; Transient:
        clone_unreachable.
        """
        if not FULL_SHA.match(job.sha):
            raise Permanent("commit_not_found", sha=job.sha)
        await asyncio.to_thread(_empty, into)
        url = self.address(job)
        git = _Git(into, self._limits, _sign_in(url, await self._token(job)), log)
        try:
            async with asyncio.timeout(self._limits.limit_s):
                await self._bring_surely(git, url, job.sha)
        except TimeoutError as error:
            raise Transient("clone_unreachable", message=f"git took longer than {self._limits.limit_s:g} s") from error
        await asyncio.to_thread(shutil.rmtree, into / ".git")
        await asyncio.to_thread(_check_size, into, self._limits.size_limit_mb)
        await asyncio.to_thread(_tell_what_is_left_out, into, log)

    async def _bring_surely(self, git: _Git, url: str, sha: str) -> None:
        """A refusal is asked about once more: GitHub may not know a new token in all its places yet."""
        try:
            await self._bring(git, url, sha)
        except Permanent as denied:
            if denied.code != "clone_denied":
                raise
            await asyncio.sleep(ASK_AGAIN_S)
            await asyncio.to_thread(_empty, git.folder)
            await self._bring(git, url, sha)

    async def _bring(self, git: _Git, url: str, sha: str) -> None:
        form = "sha256" if len(sha) == 64 else "sha1"
        await git.run("init", "--quiet", f"--object-format={form}", "--template=")
        try:
            await git.run("fetch", "--depth=1", "--no-tags", "--progress", "--", url, sha)
        except _GitFailed as failed:
            if not _BY_SHA_REFUSED.search(failed.said):
                raise _explained(failed, sha) from failed
            await self._bring_all(git, url, sha)
        await self._check_out(git, sha)

    async def _bring_all(self, git: _Git, url: str, sha: str) -> None:
        """For servers that hand out branches only, and commits that were pushed over: all that refs reach."""
        try:
            await git.run("fetch", "--no-tags", "--progress", "--", url, "+refs/*:refs/shipmate/*")
        except _GitFailed as failed:
            raise _explained(failed, sha) from failed

    async def _check_out(self, git: _Git, sha: str) -> None:
        try:
            await git.run("-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", "--detach", sha)
        except _GitFailed as failed:
            raise _explained(failed, sha) from failed


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _sign_in(url: str, token: str) -> dict[str, str]:
    """The header that signs in, for this server's addresses only; it travels in git's environment, never in argv.

    Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
    """
    if not token:
        return {}
    parts = urlsplit(url)
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {f"http.{parts.scheme}://{parts.netloc}/.extraHeader": f"Authorization: Basic {basic}"}


class _GitFailed(Exception):
    """A git command that ended badly: what it `said`, free of what signs in."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True, slots=True)
class _Git:
    """Runs git in one folder, with settings of ours alone."""

    folder: Path
    limits: GitLimits
    sign_in: Mapping[str, str] = field(repr=False)
    log: LogSink

    async def run(self, *arguments: str) -> None:
        """Run one command to its end, what it says going to the log. Cancelling ends it and all it started.

        Raises _GitFailed, Permanent("clone_failed") where there is no git.
        """
        program = shutil.which("git")
        if program is None:
            raise Permanent("clone_failed", message="git is not installed here")
        process = await asyncio.create_subprocess_exec(
            *(program, *arguments),
            cwd=self.folder,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said = await self._listen(process)
            code = await process.wait()
        finally:
            await asyncio.shield(_end_group(process))
        if code != 0:
            raise _GitFailed("\n".join(said[-20:]))

    async def _listen(self, process: asyncio.subprocess.Process) -> list[str]:
        assert process.stdout is not None
        said: list[str] = []
        lines = LineCutter()
        while data := await process.stdout.read(65536):
            said += self._told(lines.feed(data))
            del said[:-20]
        return said + self._told(lines.rest())

    def _told(self, lines: Sequence[str]) -> list[str]:
        told = [line.strip() for line in lines if line.strip()]
        for line in told:
            self.log(f"git: {line}")
        return told

    def _environment(self) -> dict[str, str]:
        """Nothing of ours, no person's settings, no prompt; git's own settings in numbered pairs (git-config(1))."""
        config = {**_SAFE, **self.sign_in}
        if self.limits.allow_files:
            config["protocol.file.allow"] = "always"
        pairs: dict[str, str] = {}
        for number, (key, value) in enumerate(config.items()):
            pairs |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return {
            **pairs,
            "GIT_CONFIG_COUNT": str(len(config)),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/true",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "PATH": os.defpath,
            **self.limits.environment,
        }


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """End git and the helpers it started, and wait until it is gone."""
    if process.returncode is not None:
        return
    for number, patience_s in ((signal.SIGTERM, END_WITHIN_S), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
            async with asyncio.timeout(patience_s):
                await process.wait()
            return
        except ProcessLookupError:
            return
        except TimeoutError:
            continue


def _explained(failed: _GitFailed, sha: str) -> Permanent | Transient:
    """What git said, as the job's error. What is not known for sure may pass."""
    message = failed.said[-_LONGEST_TOLD:]
    if _UNKNOWN_COMMIT.search(failed.said):
        return Permanent("commit_not_found", sha=sha)
    if _DENIED.search(failed.said):
        return Permanent("clone_denied", message=message)
    if _FULL_DISK.search(failed.said):
        return Permanent("clone_failed", message="the disk is full")
    if "invalid path" in failed.said:
        return Permanent("clone_failed", message=message)
    return Transient("clone_unreachable", message=message)


def _check_size(folder: Path, limit_mb: int | None) -> None:
    if limit_mb is None:
        return
    size = sum(path.lstat().st_size for path in folder.rglob("*"))
    if size > limit_mb * 1024 * 1024:
        raise Permanent("checkout_too_large", limit_mb=limit_mb, size_mb=size // (1024 * 1024))


def _tell_what_is_left_out(folder: Path, log: LogSink) -> None:
    if (folder / ".gitmodules").is_file():
        log("git: submodules are not fetched; their folders stay empty")
    attributes = folder / ".gitattributes"
    if attributes.is_file() and not attributes.is_symlink() and b"filter=lfs" in attributes.read_bytes():
        log("git: large files (LFS) are not fetched; their pointers stand in their place")
