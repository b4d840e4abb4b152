"""Check runs and suites: made, changed, listed, clicked, and what GitHub won't take."""

from typing import Any

import pytest

from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient, Receiver

RUNS = "/repos/acme/api/check-runs"
BUTTON = {"label": "Roll back", "identifier": "rollback", "description": "Go back to the release before"}


async def test_a_check_run_goes_from_queued_to_success(github: GitHubSandbox, app: AppClient) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    made = (await app.call("POST", RUNS, token=token, json={"name": "ship", "head_sha": sha})).json
    path = f"{RUNS}/{made['id']}"
    await app.call("PATCH", path, token=token, json={"status": "in_progress"})
    output = {"title": "Live", "summary": "all well"}
    done = await app.call("PATCH", path, token=token, json={"conclusion": "success", "output": output})
    assert (done.json["status"], done.json["output"]["title"]) == ("completed", "Live")
    assert github.checks("acme/api") == ["ship: success"]
    assert github.check_runs("acme/api")[0].history == ["queued", "in_progress", "completed: success"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "completed"}, 'Missing "conclusion"'),
        ({"completed_at": "2026-01-01T00:00:00Z"}, 'Missing "conclusion"'),
        ({"conclusion": "stale"}, "Only GitHub can set"),
        ({"conclusion": "great"}, '"great" is not a member of'),
        ({"status": "waiting"}, "is not a member of"),
        ({"surprise": 1}, '"surprise" is not a permitted key.'),
        ({"output": {"title": "t"}}, '"summary" wasn\'t supplied.'),
        (
            {"output": {"title": "t", "summary": "s" * 65_536}},
            "Only 65535 characters are allowed; 65536 were supplied.",
        ),
        ({"output": {"title": "t", "summary": "s", "text": "t" * 65_536}}, "Only 65535 characters are allowed"),
        ({"output": {"title": 3, "summary": "s"}}, "For 'properties/output/title', 3 is not a string."),
        ({"actions": [BUTTON] * 4}, "No more than 3 items are allowed; 4 were supplied."),
        ({"actions": [BUTTON | {"label": "x" * 21}]}, "Only 20 characters are allowed; 21 were supplied."),
        ({"actions": [BUTTON | {"description": "x" * 41}]}, "Only 40 characters are allowed"),
        ({"actions": [BUTTON | {"identifier": "x" * 21}]}, "Only 20 characters are allowed"),
        ({"started_at": "yesterday"}, "is not a valid date-time."),
        ({"details_url": "javascript:alert(1)"}, "Validation Failed"),
        ({"head_sha": "0" * 40}, "No commit found for SHA"),
    ],
)
async def test_github_refuses_what_a_check_run_can_not_say(
    github: GitHubSandbox, app: AppClient, change: dict[str, Any], said: str
) -> None:
    body = {"name": "ship", "head_sha": await github.head("acme/api")} | change
    answer = await app.call("POST", RUNS, token=await app.token(), json=body)
    assert answer.status == 422
    assert said in answer.message
    assert github.checks("acme/api") == []


def _annotations(count: int, **change: Any) -> dict[str, Any]:
    one = {"path": "src/app.py", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "bad"}
    return {"title": "t", "summary": "s", "annotations": [one | change] * count}


async def test_annotations_pile_up_fifty_at_a_time(github: GitHubSandbox, app: AppClient) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    body = {"name": "ship", "head_sha": sha, "output": _annotations(50)}
    made = (await app.call("POST", RUNS, token=token, json=body)).json
    path = f"{RUNS}/{made['id']}"
    assert (await app.call("PATCH", path, token=token, json={"output": _annotations(51)})).status == 422
    assert (await app.call("PATCH", path, token=token, json={"output": _annotations(20)})).status == 200
    listed = await app.call("GET", f"{path}/annotations?per_page=100", token=token)
    assert len(listed.json) == 70


@pytest.mark.parametrize("change", [{"end_line": 0}, {"end_line": 2, "start_column": 1}, {"title": "x" * 256}])
async def test_an_annotation_must_make_sense(github: GitHubSandbox, app: AppClient, change: dict[str, Any]) -> None:
    body = {"name": "x", "head_sha": await github.head("acme/api"), "output": _annotations(1, **change)}
    assert (await app.call("POST", RUNS, token=await app.token(), json=body)).status == 422


async def test_the_latest_run_of_each_name_is_listed_unless_all_are_asked_for(
    github: GitHubSandbox, app: AppClient
) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    for name in ("ship", "ship", "lint"):
        await app.call("POST", RUNS, token=token, json={"name": name, "head_sha": sha})
    listing = "/repos/acme/api/commits/main/check-runs"
    latest = (await app.call("GET", listing, token=token)).json
    assert [one["name"] for one in latest["check_runs"]] == ["lint", "ship"]
    assert (await app.call("GET", f"{listing}?filter=all", token=token)).json["total_count"] == 3
    assert (await app.call("GET", f"{listing}?check_name=lint", token=token)).json["total_count"] == 1
    assert (await app.call("GET", f"{listing}?app_id={github.app_id}", token=token)).json["total_count"] == 2
    assert (await app.call("GET", f"{listing}?app_id=1", token=token)).json["total_count"] == 0
    assert (await app.call("GET", f"{listing}?status=done", token=token)).status == 422


async def test_a_suite_sums_up_its_runs(github: GitHubSandbox, app: AppClient) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    for name, conclusion in (("ship", "success"), ("lint", "failure")):
        await app.call("POST", RUNS, token=token, json={"name": name, "head_sha": sha, "conclusion": conclusion})
    suites = (await app.call("GET", f"/repos/acme/api/commits/{sha}/check-suites", token=token)).json
    assert [(one["status"], one["conclusion"]) for one in suites["check_suites"]] == [("completed", "failure")]
    runs = await app.call(
        "GET", f"/repos/acme/api/check-suites/{suites['check_suites'][0]['id']}/check-runs", token=token
    )
    assert runs.json["total_count"] == 2


async def test_a_click_and_a_rerun_reach_the_app(github: GitHubSandbox, app: AppClient, receiver: Receiver) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    body = {"name": "ship", "head_sha": sha, "conclusion": "success", "actions": [BUTTON]}
    number = (await app.call("POST", RUNS, token=token, json=body)).json["id"]
    await github.click(number, "rollback", by="alice")
    await github.rerequest(number, by="bob")
    await github.rerequest_suite("acme/api", sha)
    await github.settle()
    assert receiver.events[-3:] == ["check_run.requested_action", "check_run.rerequested", "check_suite.rerequested"]
    clicked = receiver.received[-3][1]
    assert (clicked["requested_action"], clicked["sender"]["login"]) == ({"identifier": "rollback"}, "alice")


async def test_a_button_that_is_not_there_can_not_be_clicked(github: GitHubSandbox, app: AppClient) -> None:
    body = {"name": "ship", "head_sha": await github.head("acme/api")}
    number = (await app.call("POST", RUNS, token=await app.token(), json=body)).json["id"]
    with pytest.raises(Impossible, match="no button 'rollback'"):
        await github.click(number, "rollback")


async def test_others_report_on_a_commit_too(github: GitHubSandbox, app: AppClient, receiver: Receiver) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    await app.call("POST", RUNS, token=token, json={"name": "ship", "head_sha": sha, "status": "in_progress"})
    number = await github.check("acme/api", sha, "test", "in_progress")
    assert await github.check("acme/api", sha, "test", "failure") == number
    await github.set_status("acme/api", sha, "ci/lint", "pending")
    runs = (await app.call("GET", f"/repos/acme/api/commits/{sha}/check-runs", token=token)).json["check_runs"]
    seen = [(run["name"], run["app"]["slug"], run["conclusion"]) for run in runs]
    assert seen == [("test", "github-actions", "failure"), ("ship", "shipmate", None)]
    status = (await app.call("GET", f"/repos/acme/api/commits/{sha}/status", token=token)).json
    assert [(one["context"], one["state"]) for one in status["statuses"]] == [("ci/lint", "pending")]
    await github.settle()
    assert receiver.events[-2:] == ["check_run.created", "check_run.completed"]


async def test_the_app_cannot_change_what_another_app_reported(github: GitHubSandbox, app: AppClient) -> None:
    number = await github.check("acme/api", await github.head("acme/api"), "test", "failure")
    answer = await app.call("PATCH", f"{RUNS}/{number}", token=await app.token(), json={"conclusion": "success"})
    assert answer.status == 403
