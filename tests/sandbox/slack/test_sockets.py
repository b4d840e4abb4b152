"""Socket Mode with Bolt's own client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.sandbox import SlackSandbox
from tests.sandbox.slack.conftest import eventually

Json = dict[str, Any]


@pytest.fixture
async def app(slack: SlackSandbox, client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """A Bolt app that is connected by websocket and has no request URL at all."""
    app = AsyncApp(client=client, signing_secret="")
    handler = AsyncSocketModeHandler(app, slack.credentials.app_token, web_client=client, ping_interval=1)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await eventually(lambda: slack.sockets.connected)
    yield app
    await handler.close_async()  # type: ignore[no-untyped-call]


async def test_commands_and_events_travel_over_the_socket(slack: SlackSandbox, app: AsyncApp) -> None:
    heard: list[str] = []

    @app.command("/shipmate")
    async def deploy(ack: Any, command: Json) -> None:
        heard.append(command["text"])
        await ack("on it")

    @app.event("app_mention")
    async def mentioned(event: Json) -> None:
        heard.append(event["text"])

    await slack.say_command("/shipmate", "deploy")
    assert [m["text"] for m in slack.ephemeral()] == ["on it"]
    await slack.mention("hi")
    await eventually(lambda: len(heard) == 2)
    assert heard == ["deploy", "<@U0SHIPMATE> hi"]


async def test_a_client_that_is_asked_to_refresh_connects_anew(slack: SlackSandbox, app: AsyncApp) -> None:
    @app.command("/shipmate")
    async def deploy(ack: Any) -> None:
        await ack("still here")

    await slack.sockets.refresh()
    await eventually(lambda: slack.sockets.connected)
    await slack.say_command("/shipmate")
    assert [m["text"] for m in slack.ephemeral()] == ["still here"]


async def test_a_socket_address_admits_once(slack: SlackSandbox, client: AsyncWebClient) -> None:
    url = (await client.apps_connections_open(app_token=slack.credentials.app_token))["url"]
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(url) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url)


async def test_a_bot_token_opens_no_socket(slack: SlackSandbox, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.apps_connections_open(app_token=slack.credentials.bot_token)
    assert caught.value.response["error"] == "not_allowed_token_type"


async def test_an_event_that_is_not_acknowledged_is_sent_again_over_the_socket(
    slack: SlackSandbox, client: AsyncWebClient
) -> None:
    slack.courier.ack_timeout_s = 0.05
    url = (await client.apps_connections_open(app_token=slack.credentials.app_token))["url"]
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.receive_json()
        delivery = await slack.mention("hi")
        first, second = await socket.receive_json(), await socket.receive_json()
        await socket.send_json({"envelope_id": second["envelope_id"]})
        await eventually(lambda: delivery.answered)
        await slack.settle()
    assert (first["type"], first["retry_attempt"], second["retry_attempt"]) == ("events_api", 0, 1)
    assert second["retry_reason"] == "timeout"
    assert first["payload"]["event_id"] == second["payload"]["event_id"]


@pytest.mark.parametrize("said", ["[1]", '"x"', "null", "{", "[" * 100_000, '{"envelope_id": ["x"]}'])
async def test_what_is_no_acknowledgement_is_ignored_on_a_socket(
    slack: SlackSandbox, client: AsyncWebClient, said: str
) -> None:
    url = (await client.apps_connections_open(app_token=slack.credentials.app_token))["url"]
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.receive_json()
        await socket.send_str(said)
        asking = asyncio.create_task(slack.mention("hi"))
        envelope = await socket.receive_json()
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
        assert (await asking).answered
