"""Starts the simulated GitHub and the simulated Slack together, for tests, for the demo, and alone."""

import asyncio
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self, TextIO
from urllib.parse import urljoin

from bot.sandbox.github.control import Control
from bot.sandbox.github.page import Page
from bot.sandbox.github.registration import EVENTS, PERMISSIONS
from bot.sandbox.github.simulator import GitHubSandbox
from bot.sandbox.slack.sandbox import SlackSandbox

SAMPLES = Path(__file__).with_name("samples")
"""Folders of small repositories to begin with: `hello-docker` has a Dockerfile, `hello-python` has none."""


class TakenPort(Exception):
    """A port can't be listened on; the message is the system's."""


class Sandbox:
    """Both simulators as one thing to enter: `async with Sandbox() as sb:` gives `sb.github` and `sb.slack`.

    `state_dir` holds the git repositories (a fresh directory, removed at the end, when None). `webhook_url` is where
    GitHub's webhooks go, `slack_request_url` where Slack's commands, clicks and events go; both can be set later.
    When only the first is given, Slack asks `/slack/events` of the same server. `permissions` and `events` are those of
    the app's manifest.
    """

    def __init__(
        self,
        state_dir: Path | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        slack_request_url: str | None = None,
        github_port: int = 0,
        slack_port: int = 0,
        host: str = "127.0.0.1",
        permissions: Mapping[str, str] = PERMISSIONS,
        events: Sequence[str] = EVENTS,
    ) -> None:
        self.github = GitHubSandbox(
            state_dir,
            webhook_url=webhook_url,
            webhook_secret=webhook_secret,
            permissions=permissions,
            events=events,
        )
        self.slack = SlackSandbox(request_url=slack_request_url or _beside(webhook_url))
        self._host, self._github_port, self._slack_port = host, github_port, slack_port

    def environment(self) -> dict[str, str]:
        """Every setting that points a real server here."""
        return self.github.environment() | self.slack.environment()

    async def start(self) -> None:
        """Listen on both ports. Raises TakenPort."""
        try:
            seen = [*Page(self.github).routes(), *Control(self.github).routes()]
            await self.github.start(self._host, self._github_port, seen)
            await self.slack.start(self._host, self._slack_port)
        except OSError as error:
            raise TakenPort(str(error)) from error

    async def stop(self) -> None:
        """Stop both."""
        await self.slack.stop()
        await self.github.stop()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def _beside(webhook_url: str | None) -> str | None:
    """Where the server that takes these webhooks takes Slack's requests."""
    return urljoin(webhook_url, "/slack/events") if webhook_url else None


def environment_lines(environment: dict[str, str]) -> list[str]:
    """Lines a shell understands, one setting each."""
    return [f"export {name}={shlex.quote(value.rstrip())}" for name, value in environment.items()]


async def run_sandbox(
    github_port: int,
    slack_port: int,
    webhook_url: str | None = None,
    state_dir: Path | None = None,
    slack_request_url: str | None = None,
    host: str = "127.0.0.1",
    out: TextIO = sys.stdout,
) -> None:
    """Serve both until SIGTERM or SIGINT, having said on `out` what to set for a server to use them.

    Raises SystemExit with a sentence when a port is taken.
    """
    sandbox = Sandbox(
        state_dir,
        webhook_url,
        slack_request_url=slack_request_url,
        github_port=github_port,
        slack_port=slack_port,
        host=host,
    )
    stopped = _stop_signal()
    try:
        await sandbox.start()
        out.write("\n".join([*environment_lines(sandbox.environment()), *_where(sandbox)]) + "\n")
        out.flush()
        await stopped.wait()
    except TakenPort as error:
        raise SystemExit(f"The sandbox can't listen on ports {github_port} and {slack_port}: {error}") from error
    finally:
        await sandbox.stop()


def _stop_signal() -> asyncio.Event:
    """Set when the process is sent SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def _where(sandbox: Sandbox) -> list[str]:
    """Comments for a person: what is where."""
    return [
        f"# GitHub: {sandbox.github.url}   control: {sandbox.github.url}/_control/",
        f"# Slack:  {sandbox.slack.url}   control: {sandbox.slack.url.removesuffix('/api/')}/_control/",
        f"# Webhooks go to: {sandbox.github.webhook_url or 'nowhere yet (PUT /_control/webhook)'}",
    ]
