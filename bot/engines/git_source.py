"""Brings exactly one commit here with git, the token in the environment only, and nothing of the repository run."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from bot.errors import Permanent, Transient
from bot.model import FULL_SHA, Job
from bot.ports import LogSink

FETCH_LIMIT_S = 300.0
LINES_KEPT = 20
_PROGRESS = re.compile(r"\r")
_DENIED = re.compile(r"(?i)authentication failed|could not read username|error: 40[13]|access denied|terminal prompts")
_NO_COMMIT = re.compile(r"(?i)not our ref|couldn't find remote ref|no such remote ref|remote error: upload-pack")
_NO_REPOSITORY = re.compile(r"(?i)repository .*not found|error: 404|does not appear to be a git repository")

SETTINGS: Mapping[str, str] = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.symlinks": "true",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "credential.helper": "",
    "fetch.fsckObjects": "true",
    "fetch.recurseSubmodules": "false",
    "filter.lfs.smudge": "",
    "filter.lfs.required": "false",
    "protocol.allow": "never",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "submodule.recurse": "false",
    "advice.detachedHead": "false",
    "gc.auto": "0",
    "init.defaultBranch": "main",
    "http.followRedirects": "initial",
}
"""What keeps a hostile repository from doing anything but being read."""

TokenOf = Callable[[Job], Awaitable[str]]


class GitSource:
    """A `ports.Source` over smart HTTP. `base_url` is where repositories are cloned from."""

    def __init__(self, base_url: str, token_of: TokenOf, fetch_limit_s: float = FETCH_LIMIT_S) -> None:
        self._base_url = base_url.rstrip("/")
        self._token_of = token_of
        self._fetch_limit_s = fetch_limit_s

    async def checkout(self, job: Job, into: Path, log: LogSink) -> None:
        """Leave the tree of `job.sha` in `into`, with no history and no remote.

        Raises Permanent("commit_not_found", "clone_denied", "clone_failed"), Transient("clone_unreachable").
        """
        if not FULL_SHA.match(job.sha):
            raise Permanent("commit_not_found", sha=job.sha[:12])
        await asyncio.to_thread(_empty, into)
        url = f"{self._base_url}/{job.repository.full_name}.git"
        git = _Git(into, _environment(self._base_url, await self._token_of(job), into), log)
        await git.run("init", "--quiet", ".")
        log(f"fetching {job.sha} of {job.repository.full_name}")
        try:
            async with asyncio.timeout(self._fetch_limit_s):
                await git.run("fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--", url, job.sha)
        except TimeoutError as error:
            raise Transient("clone_unreachable", message=f"no answer within {self._fetch_limit_s:.0f} s") from error
        await git.run("checkout", "--quiet", "--force", "--detach", job.sha)
        if (into / ".gitmodules").exists():
            log("this repository has submodules; they are not fetched")
        await asyncio.to_thread(shutil.rmtree, into / ".git")


class _Git:
    """Runs git in one folder, each time in a process group of its own that is ended when the task is cancelled."""

    def __init__(self, folder: Path, environment: Mapping[str, str], log: LogSink) -> None:
        self._folder = folder
        self._environment = environment
        self._log = log

    async def run(self, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, errors = await process.communicate()
        finally:
            await _end(process)
        lines = [line for line in _PROGRESS.sub("\n", errors.decode("utf-8", "replace")).splitlines() if line.strip()]
        for line in lines[-LINES_KEPT:]:
            self._log(f"git: {line}")
        if process.returncode:
            raise _failure("\n".join(lines[-LINES_KEPT:]), arguments[-1])


def _environment(base_url: str, token: str, folder: Path) -> dict[str, str]:
    """Only what git needs. The token is a header from the environment: never in argv, in a URL or on disk.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
    """
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    settings = [*SETTINGS.items(), (f"http.{base_url}/.extraHeader", f"Authorization: Basic {basic}")]
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder.parent),
        "XDG_CONFIG_HOME": str(folder.parent),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for place, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return environment


def _failure(said: str, commit: str) -> Permanent | Transient:
    if _DENIED.search(said):
        return Permanent("clone_denied")
    if _NO_COMMIT.search(said):
        return Permanent("commit_not_found", sha=commit[:12])
    if _NO_REPOSITORY.search(said):
        return Permanent("clone_failed", message="the repository was not found")
    return Transient("clone_unreachable", message=said.splitlines()[-1][:300] if said else "git gave no reason")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole process group, git's own children too."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
