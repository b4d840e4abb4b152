"""The control API, as a shell or another language drives the simulation."""

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.control import ACTS, routes
from bot.sandbox.slack.sandbox import SlackSandbox

Json = dict[str, Any]


class Remote:
    """Calls under /_control/."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str) -> None:
        self.http, self.base_url = http, base_url

    async def call(self, verb: str, path: str, body: Any = None) -> tuple[int, Any]:
        address = f"{self.base_url}/_control/{path}"
        async with self.http.request(verb, address, json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path))[1]

    async def post(self, path: str, **body: Any) -> Any:
        return (await self.call("POST", path, body))[1]


@pytest.fixture
async def remote(slack: SlackSandbox) -> AsyncIterator[Remote]:
    async with aiohttp.ClientSession() as http:
        yield Remote(http, slack.base_url)


async def test_a_command_is_typed_and_its_answer_read(slack: SlackSandbox, bolt: AsyncApp, remote: Remote) -> None:
    @bolt.command("/shipmate")
    async def deploy(ack: Any, command: Json) -> None:
        await ack(f"will {command['text']}")

    delivery = await remote.post("commands", command="/shipmate", text="deploy acme/api", user="U0BORA")
    assert delivery["attempts"][0]["outcome"]["status"] == 200
    [answer] = await remote.get("channels/C0DEPLOYS/ephemeral/U0BORA")
    assert answer["text"] == "will deploy acme/api"
    assert [d["kind"] for d in await remote.get("deliveries")] == ["command"]


async def test_the_environment_is_what_a_server_needs(slack: SlackSandbox, remote: Remote) -> None:
    environment = await remote.get("environment")
    assert sorted(environment) == ["SLACK_API_URL", "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]
    assert environment == slack.environment()


async def test_the_target_is_set_and_verified(slack: SlackSandbox, bolt: AsyncApp, remote: Remote) -> None:
    address, slack.request_url = slack.request_url, None
    answer = await remote.post("target", request_url=address, verify=True, ack_timeout_s=2, retry_delays_s=[0])
    assert answer == {"request_url": address, "verified": True}
    assert (slack.courier.ack_timeout_s, slack.courier.retry_delays_s) == (2.0, (0.0,))


async def test_faults_are_planned_listed_and_cleared(slack: SlackSandbox, remote: Remote) -> None:
    planned = await remote.post("faults", on="chat.*", effect="error", code="fatal_error", count=2)
    assert (await remote.get("faults"))[0]["id"] == planned["id"]
    await remote.call("DELETE", "faults")
    assert await remote.get("faults") == []


async def test_people_channels_and_tokens_are_arranged(
    slack: SlackSandbox, client: AsyncWebClient, remote: Remote
) -> None:
    user = await remote.post("users", name="eve", locale="ko-KR")
    channel = await remote.post("channels", name="ops", members=[user], with_app=False)
    await remote.post("channels/members", channel=channel, add=["U0SHIPMATE"])
    assert (await client.chat_postEphemeral(channel=channel, user=user, text="hi"))["ok"]
    await remote.post("users/deactivate", user=user)
    assert (await client.users_info(user=user))["user"]["deleted"]
    await remote.post("channels/archive", channel=channel)
    assert (await client.conversations_info(channel=channel))["channel"]["is_archived"]
    await remote.post("channels/delete", channel=channel)
    assert channel not in [c["id"] for c in await remote.get("channels")]
    await remote.post("token", state="revoked")
    assert (await remote.get("requests"))[0]["method"] == "chat.postEphemeral"
    assert [g.state for g in slack._api.grants.values()] == ["revoked", "active"]


async def test_limits_and_time_are_set(slack: SlackSandbox, remote: Remote) -> None:
    rate = {"auth.test": {"per_minute": 2, "burst": 1}}
    assert await remote.post("limits", methods=rate) == {"enabled": True, "methods": rate}
    assert (await remote.post("limits", enabled=False))["enabled"] is False
    before = slack.clock.now()
    assert (await remote.post("clock", seconds=500))["now"] >= before + 500
    assert await remote.post("subscriptions", events=["app_mention"]) == ["app_mention"]


async def test_a_thread_is_read(slack: SlackSandbox, remote: Remote) -> None:
    said = await remote.post("messages", text="deploy?", user="U0CHEN")
    await remote.post("messages", text="yes", thread_ts=said["ts"])
    thread = await remote.get(f"channels/deploys/threads/{said['ts']}")
    assert [m["text"] for m in thread] == ["deploy?", "yes"]
    assert [m["text"] for m in await remote.get("channels/deploys/messages")] == ["deploy?"]


@pytest.mark.parametrize("path", ACTS)
async def test_what_can_not_be_done_is_one_sentence(remote: Remote, path: str) -> None:
    status, answer = await remote.call("POST", path, {"colour": "red"})
    assert (status, list(answer)) == (400, ["error"])
    assert "colour" in answer["error"] or "missing a required argument" in answer["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("commands", {"command": "/shipmate", "user": ["U0ALICE"]}),
        ("channels", {"name": "x", "kind": "secret"}),
        ("channels/members", {"channel": "deploys", "add": [1]}),
        ("submissions", {"user": "U0ALICE", "values": "repo"}),
        ("channels/archive", {"channel": "deploys", "archived": "yes"}),
    ],
)
async def test_an_argument_of_the_wrong_type_is_one_sentence(remote: Remote, path: str, body: Json) -> None:
    status, answer = await remote.call("POST", path, body)
    assert status == 400
    assert "can't be" in answer["error"]


async def test_a_body_that_is_no_object_is_refused(remote: Remote) -> None:
    assert await remote.call("POST", "messages", ["hi"]) == (400, {"error": "the body must be a JSON object"})
    seconds = await remote.call("POST", "clock", {"seconds": "soon"})
    assert seconds == (400, {"error": "a number of seconds is wanted, not 'soon'"})
    assert (await remote.call("GET", "views/U0ALICE"))[0] == 404
    assert (await remote.call("GET", "channels/nowhere/messages"))[0] == 404


async def test_pages_of_other_origins_may_look_at_nothing_and_do_nothing(slack: SlackSandbox, remote: Remote) -> None:
    strange = {"Origin": "https://evil.test"}
    async with remote.http.post(f"{slack.base_url}/_control/messages", json={"text": "hi"}, headers=strange) as answer:
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert slack.messages() == []
    own = {"Origin": slack.base_url}
    async with remote.http.post(f"{slack.base_url}/_control/messages", json={"text": "hi"}, headers=own) as answer:
        assert answer.status == 200


async def test_the_page_asks_only_what_the_control_api_answers(slack: SlackSandbox, remote: Remote) -> None:
    async with remote.http.get(slack.base_url) as answer:
        page = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    asked = set(re.findall(r'(?:ask|act)\("([a-z-]+)', page))
    served = {route.path.split("/")[2] for route in routes(slack)}
    assert {"commands", "clicks", "submissions", "views"} <= asked <= served
