"""Deployments, their statuses, and commit statuses."""

from typing import Any

import pytest

from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient

REPO = "/repos/acme/api"
PLAIN = {"ref": "main", "auto_merge": False, "required_contexts": []}


async def _deploy(app: AppClient, token: str, **change: Any) -> dict[str, Any]:
    answer = await app.call("POST", f"{REPO}/deployments", token=token, json=PLAIN | change)
    assert answer.status == 201
    made: dict[str, Any] = answer.json
    return made


async def _status(app: AppClient, token: str, deployment: dict[str, Any], **body: Any) -> int:
    path = f"{REPO}/deployments/{deployment['id']}/statuses"
    return (await app.call("POST", path, token=token, json=body)).status


async def test_a_deployment_pins_its_commit_and_keeps_its_payload(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    made = await _deploy(app, token, payload={"job": "j1"}, environment="pr-1", transient_environment=True)
    assert (made["sha"], made["payload"]) == (await github.head("acme/api"), {"job": "j1"})
    assert (made["transient_environment"], made["production_environment"]) == (True, False)
    assert (await _deploy(app, token))["production_environment"] is True
    found = (await app.call("GET", f"{REPO}/deployments?environment=pr-1", token=token)).json
    assert [one["id"] for one in found] == [made["id"]]
    assert (await app.call("GET", f"{REPO}/deployments?sha={made['sha']}", token=token)).json[0][
        "environment"
    ] == "production"


async def test_a_success_retires_what_was_live_in_that_environment(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    old, preview, new = [
        await _deploy(app, token, environment="staging", **more) for more in ({}, {"transient_environment": True}, {})
    ]
    for one in (old, preview, new):
        assert await _status(app, token, one, state="success", auto_inactive=one is new) == 201
    assert [one.state for one in github.deployments("acme/api")] == ["inactive", "success", "success"]


async def test_a_success_leaves_older_production_deployments_as_they_are(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    for one in [await _deploy(app, token), await _deploy(app, token)]:
        await _status(app, token, one, state="success")
    assert [one.state for one in github.deployments("acme/api", "production")] == ["success", "success"]


async def test_a_status_carries_where_to_look(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    made = await _deploy(app, token)
    urls = {"log_url": "http://127.0.0.1/jobs/1", "environment_url": "http://127.0.0.1:8000/"}
    assert await _status(app, token, made, state="in_progress") == 201
    assert await _status(app, token, made, state="success", **urls) == 201
    newest = (await app.call("GET", f"{REPO}/deployments/{made['id']}/statuses", token=token)).json[0]
    assert {name: newest[name] for name in urls} == urls
    one = await app.call("GET", f"{REPO}/deployments/{made['id']}/statuses/{newest['id']}", token=token)
    assert one.json["state"] == "success"
    assert [each.state for each in github.deployments("acme/api")[0].statuses] == ["in_progress", "success"]


@pytest.mark.parametrize(
    "body",
    [
        {"state": "done"},
        {},
        {"state": "success", "description": "x" * 141},
        {"state": "success", "environment_url": "javascript:alert(1)"},
        {"state": "success", "colour": "red"},
    ],
)
async def test_github_refuses_a_status_that_makes_no_sense(app: AppClient, body: dict[str, Any]) -> None:
    token = await app.token()
    made = await _deploy(app, token)
    assert await _status(app, token, made, **body) == 422


@pytest.mark.parametrize(
    "change", [{"ref": "nowhere"}, {"description": "x" * 141}, {"environment": 3}, {"ref": "--all"}]
)
async def test_github_refuses_a_deployment_that_makes_no_sense(app: AppClient, change: dict[str, Any]) -> None:
    answer = await app.call("POST", f"{REPO}/deployments", token=await app.token(), json=PLAIN | change)
    assert answer.status == 422


async def test_red_or_pending_contexts_are_a_conflict(github: GitHubSandbox, app: AppClient) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    await app.call("POST", f"{REPO}/check-runs", token=token, json={"name": "tests", "head_sha": sha})
    body = {"ref": "main", "auto_merge": False}
    answer = await app.call("POST", f"{REPO}/deployments", token=token, json=body)
    assert (answer.status, answer.json["errors"][0]["contexts"]) == (409, [{"context": "tests", "state": "pending"}])
    asked = await app.call("POST", f"{REPO}/deployments", token=token, json=body | {"required_contexts": ["ci/x"]})
    assert asked.json["errors"][0]["contexts"] == [{"context": "ci/x", "state": "missing"}]


async def test_auto_merge_merges_instead_of_deploying(github: GitHubSandbox, app: AppClient) -> None:
    await github.push("acme/api", branch="behind", files={"a": "b"})
    await github.push("acme/api", files={"c": "d"})
    answer = await app.call("POST", f"{REPO}/deployments", token=await app.token(), json={"ref": "behind"})
    assert (answer.status, answer.json["message"]) == (202, "Auto-merged main into behind on deployment.")
    assert github.deployments("acme/api") == []


async def test_auto_merge_that_conflicts_is_a_conflict(github: GitHubSandbox, app: AppClient) -> None:
    await github.push("acme/api", branch="behind", files={"README.md": "theirs"})
    await github.push("acme/api", files={"README.md": "ours"})
    answer = await app.call("POST", f"{REPO}/deployments", token=await app.token(), json={"ref": "behind"})
    assert (answer.status, answer.message) == (409, "Conflict merging main into behind.")


async def test_an_active_deployment_is_not_deleted(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    live, old = await _deploy(app, token), await _deploy(app, token)
    await _status(app, token, live, state="success")
    assert (await app.call("DELETE", f"{REPO}/deployments/{live['id']}", token=token)).status == 422
    assert (await app.call("DELETE", f"{REPO}/deployments/{old['id']}", token=token)).status == 204


async def test_statuses_of_a_commit_combine_to_the_worst(github: GitHubSandbox, app: AppClient) -> None:
    token, alice = await app.token(), github.user_token("alice")
    path = f"{REPO}/commits/main/status"
    assert (await app.call("GET", path, token=token)).json["state"] == "pending"
    sha = await github.head("acme/api")
    for context, state in (("ci/a", "failure"), ("ci/a", "success"), ("ci/b", "success")):
        body = {"state": state, "context": context}
        assert (await app.call("POST", f"{REPO}/statuses/{sha}", token=alice, json=body)).status == 201
    assert (await app.call("GET", path, token=token)).json["state"] == "success"
    await app.call("POST", f"{REPO}/statuses/{sha}", token=alice, json={"state": "error", "context": "ci/c"})
    combined = (await app.call("GET", path, token=token)).json
    assert (combined["state"], combined["total_count"]) == ("failure", 3)
    assert len((await app.call("GET", f"{REPO}/commits/main/statuses", token=token)).json) == 4
