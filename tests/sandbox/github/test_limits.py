"""Rate limits, primary and secondary, in GitHub's words."""

import asyncio
import time

import pytest

from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient

REPO = "/repos/acme/api"


async def test_every_answer_says_what_is_left(app: AppClient) -> None:
    token = await app.token()
    used = [int((await app.call("GET", REPO, token=token)).headers["X-RateLimit-Used"]) for _ in range(3)]
    assert used == [1, 2, 3]
    asked = await app.call("GET", "/rate_limit", token=token)
    assert asked.json["rate"]["remaining"] == 4997
    assert asked.headers["X-RateLimit-Limit"] == "5000"


async def test_a_used_up_hour_is_refused_until_it_ends(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    bucket = f"installation:{github.installation('acme').id}"
    github.limits.use_up(bucket, remaining=1, resets_in_s=30)
    assert (await app.call("GET", REPO, token=token)).status == 200
    refused = await app.call("GET", REPO, token=token)
    assert (refused.status, refused.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert refused.message.startswith("API rate limit exceeded for installation ID")
    later = time.time() + 31
    github.hub.world.clock = lambda: later
    assert (await app.call("GET", REPO, token=token)).status == 200


async def test_each_asker_has_a_limit_of_its_own(github: GitHubSandbox, app: AppClient) -> None:
    github.limits.use_up(f"installation:{github.installation('acme').id}")
    assert (await app.call("GET", REPO, token=await app.token())).status == 403
    assert (await app.call("GET", REPO, token=github.user_token("alice"))).status == 200


async def test_without_a_token_there_is_little(github: GitHubSandbox, app: AppClient) -> None:
    await github.create_repo("acme/open", files={"a": "b"})
    assert (await app.call("GET", "/repos/acme/open")).headers["X-RateLimit-Limit"] == "60"


async def test_creating_too_fast_is_refused_with_a_time_to_wait(github: GitHubSandbox, app: AppClient) -> None:
    github.limits.settings.content_per_minute = 3
    token, number = await app.token(), await github.open_issue("acme/api")
    path = f"{REPO}/issues/{number}/comments"
    statuses = [(await app.call("POST", path, token=token, json={"body": "x"})).status for _ in range(4)]
    refused = await app.call("POST", path, token=token, json={"body": "x"})
    assert statuses == [201, 201, 201, 403]
    assert (refused.headers["Retry-After"], "secondary rate limit" in refused.message) == ("60", True)
    assert (await app.call("GET", REPO, token=token)).status == 200
    assert len(github.comments("acme/api")) == 3


async def test_points_run_out_for_readers_too(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    github.limits.settings.points_per_minute = 2
    assert [(await app.call("GET", REPO, token=token)).status for _ in range(3)] == [200, 200, 403]


async def test_too_many_at_once_are_refused(github: GitHubSandbox, app: AppClient) -> None:
    github.limits.settings.concurrent = 1
    token = await app.token()
    asked = [app.call("GET", f"{REPO}/contents/README.md", token=token) for _ in range(6)]
    statuses = {one.status for one in await asyncio.gather(*asked)}
    assert statuses == {200, 403}


@pytest.mark.parametrize("kind", ["primary", "secondary"])
async def test_limits_can_be_switched_off(github: GitHubSandbox, app: AppClient, kind: str) -> None:
    settings, token = github.limits.settings, await app.token()
    settings.points_per_minute = settings.per_hour = 0
    settings.primary, settings.secondary = kind != "primary", kind != "secondary"
    assert (await app.call("GET", REPO, token=token)).status == 403
    settings.primary = settings.secondary = False
    assert (await app.call("GET", REPO, token=token)).status == 200
