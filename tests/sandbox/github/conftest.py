"""One simulated GitHub, the app that talks to it, and the webhook it sends to."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.github.control import Control
from bot.sandbox.github.page import Page
from bot.sandbox.github.registration import EVENTS
from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient, Receiver

ALL_EVENTS = [*EVENTS, "deployment", "deployment_status", "release"]


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubSandbox]:
    """A GitHub with the repository `acme/api`, where alice may write."""
    sandbox = GitHubSandbox(tmp_path / "github", events=ALL_EVENTS)
    await sandbox.start(control=[*Page(sandbox).routes(), *Control(sandbox).routes()])
    await sandbox.create_repo("acme/api", files={"README.md": "# api\n", "src/app.py": "print('hi')\n"}, private=True)
    sandbox.set_permission("acme/api", "alice", "write")
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def app(github: GitHubSandbox) -> AsyncIterator[AppClient]:
    """The app, as a client of that GitHub."""
    async with aiohttp.ClientSession(headers={"User-Agent": "shipmate-test"}) as session:
        yield AppClient(github, session)


@pytest.fixture
async def receiver(github: GitHubSandbox) -> AsyncIterator[Receiver]:
    """The app's webhook, already known to that GitHub."""
    taken = Receiver(github.webhook_secret)
    server = web.Application(client_max_size=25 * 1024 * 1024)
    server.add_routes([web.post("/webhook/github", taken.handle)])
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    taken.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook/github"
    github.webhook_url = taken.url
    yield taken
    await github.settle()
    await runner.cleanup()
