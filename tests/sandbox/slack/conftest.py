"""A simulated Slack, the real client of Slack's own SDK, and a real Bolt app to talk with."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.sandbox import SlackSandbox

PATIENCE = 2000
"""Looks, 5 ms apart."""


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox() as sandbox:
        sandbox.courier.retry_delays_s = (0.0, 0.01, 0.01)
        yield sandbox


@pytest.fixture
def client(slack: SlackSandbox) -> AsyncWebClient:
    return AsyncWebClient(token=slack.credentials.bot_token, base_url=slack.url)


@pytest.fixture
async def bolt(slack: SlackSandbox, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """A Bolt app served over HTTP, which the sandbox tells everything."""
    app = AsyncApp(client=client, signing_secret=slack.credentials.signing_secret)

    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async with Receiver(handle) as receiver:
        slack.request_url = receiver.url
        yield app


class Receiver:
    """An app's request URL, answered by any handler."""

    def __init__(self, handle: Callable[[web.Request], Any]) -> None:
        application = web.Application()
        application.router.add_post("/slack/events", handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        self.url = ""

    async def __aenter__(self) -> "Receiver":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack/events"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def eventually(seen: Callable[[], Any]) -> Any:
    """What `seen` finds, once it finds something; the test fails when that never happens."""
    for _ in range(PATIENCE):
        if found := seen():
            return found
        await asyncio.sleep(0.005)
    pytest.fail("it never came about")
