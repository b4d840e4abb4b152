"""Everything that can be made to go wrong with a request, and that it does where and as often as planned."""

from typing import Any

import aiohttp
import pytest

from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient

REPO = "/repos/acme/api"


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 500, 502, 503])
async def test_a_planned_status_is_answered_once(github: GitHubSandbox, app: AppClient, status: int) -> None:
    token = await app.token()
    github.faults.add("status", path=f"{REPO}$", status=status, body={"message": "planned"}, headers={"X-Why": "test"})
    struck = await app.call("GET", REPO, token=token)
    assert (struck.status, struck.message, struck.headers["X-Why"]) == (status, "planned", "test")
    assert (await app.call("GET", REPO, token=token)).status == 200


async def test_a_fault_hits_the_chosen_method_path_and_turn_only(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    github.faults.add("status", method="get", path="/contents/", skip=1, count=2)
    assert (await app.call("GET", REPO, token=token)).status == 200
    path = f"{REPO}/contents/README.md"
    assert [(await app.call("GET", path, token=token)).status for _ in range(4)] == [200, 500, 500, 200]
    assert [one.fault for one in github.requests][-4:] == [None, "status", "status", None]


async def test_planned_rate_limits_look_like_githubs(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    github.faults.add("rate_limit", path=f"{REPO}$", seconds=5)
    primary = await app.call("GET", REPO, token=token)
    assert (primary.status, primary.headers["X-RateLimit-Remaining"]) == (403, "0")
    github.faults.add("secondary_limit", path=f"{REPO}$", seconds=7)
    secondary = await app.call("GET", REPO, token=token)
    assert (secondary.status, secondary.headers["Retry-After"]) == (403, "7")


async def test_a_cut_request_was_not_done(github: GitHubSandbox, app: AppClient) -> None:
    token, number = await app.token(), await github.open_issue("acme/api")
    github.faults.add("cut", method="POST", path="/comments")
    with pytest.raises(aiohttp.ClientError):
        await app.call("POST", f"{REPO}/issues/{number}/comments", token=token, json={"body": "x"})
    assert github.comments("acme/api") == []


@pytest.mark.parametrize("after_bytes", [0, 10])
async def test_a_lost_reply_was_done_all_the_same(github: GitHubSandbox, app: AppClient, after_bytes: int) -> None:
    token, number = await app.token(), await github.open_issue("acme/api")
    github.faults.add("lose_reply", method="POST", path="/comments", after_bytes=after_bytes)
    with pytest.raises(aiohttp.ClientError):
        await app.call("POST", f"{REPO}/issues/{number}/comments", token=token, json={"body": "x"})
    assert [one.body for one in github.comments("acme/api")] == ["x"]
    assert github.requests[-1].status == 201


async def test_a_hang_outlasts_an_impatient_client(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    github.faults.add("hang", path=f"{REPO}$", seconds=600)
    with pytest.raises(TimeoutError):
        await app.call("GET", REPO, token=token, timeout=aiohttp.ClientTimeout(total=0.1))
    assert (await app.call("GET", REPO, token=token)).status == 200


async def test_a_delayed_answer_is_the_right_one(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    github.faults.add("delay", path=f"{REPO}$", seconds=0.05)
    assert (await app.call("GET", REPO, token=token)).json["full_name"] == "acme/api"


async def test_a_fault_that_never_ends_can_be_taken_back(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    fault = github.faults.add("status", path=f"{REPO}$", count=None)
    assert [(await app.call("GET", REPO, token=token)).status for _ in range(3)] == [500, 500, 500]
    github.faults.remove(fault.id)
    assert (await app.call("GET", REPO, token=token)).status == 200


@pytest.mark.parametrize(
    ("effect", "details", "said"),
    [
        ("explode", {}, "'explode' can't happen on a request"),
        ("drop", {}, "'drop' can't happen on a request"),
        ("cut", {"on": "webhook"}, "'cut' can't happen on a webhook"),
        ("cut", {"on": "moon"}, "not on 'moon'"),
        ("cut", {"path": "("}, "can't be described like that"),
        ("cut", {"colour": "red"}, "can't be described like that"),
    ],
)
def test_an_impossible_fault_is_explained(effect: str, details: dict[str, Any], said: str) -> None:
    with pytest.raises(Impossible, match=said.replace("(", r"\(")):
        GitHubSandbox().faults.add(effect, **details)
