"""The control API: the whole main job driven by HTTP alone, and mistakes answered with one sentence."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.github.control import PREFIX, Control
from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient, Receiver

DOCS = Path(__file__).parents[3] / "docs" / "sandbox.md"


async def control(app: AppClient, method: str, path: str, /, **body: Any) -> Any:
    """One control call that must succeed."""
    answer = await app.call(method, f"/_control{path}", json=body)
    assert answer.status == 200, answer.raw
    return answer.json


async def test_a_pull_request_lives_its_life_by_http(app: AppClient, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "app.py").write_text("print('hi')\n")
    made = await control(app, "POST", "/repositories", full_name="acme/web", folder=str(tmp_path / "sample"))
    assert made["name"] == "acme/web"
    await control(app, "PUT", "/permissions", repo="acme/web", user="alice", role="write")
    pushed = await control(app, "POST", "/pushes", repo="acme/web", branch="feature", files={"a": "b"}, by="alice")
    pull = await control(app, "POST", "/pulls", repo="acme/web", head="feature", by="alice", title="Better")
    assert pull["head_sha"] == pushed["sha"]
    said = await control(app, "POST", "/comments", repo="acme/web", number=pull["number"], body="/deploy")
    await control(app, "PATCH", "/comments", repo="acme/web", comment_id=said["id"], body="/deploy now")
    await control(app, "POST", "/pulls/merge", repo="acme/web", number=pull["number"])
    await control(app, "POST", "/settle")
    state = (await control(app, "GET", "/state?repo=acme/web"))["repositories"][0]
    assert state["issues"][0]["merged"] is True
    assert [one["body"] for one in state["comments"]] == ["/deploy now"]
    assert {one["status_code"] for one in await control(app, "GET", "/deliveries")} == {202}
    assert "issue_comment.created" in receiver.events


async def test_what_the_app_did_is_shown(github: GitHubSandbox, app: AppClient) -> None:
    sha, button = await github.head("acme/api"), {"label": "Cancel", "identifier": "cancel", "description": "Stop"}
    body = {"name": "ship", "head_sha": sha, "actions": [button], "conclusion": "success"}
    made = (await app.call("POST", "/repos/acme/api/check-runs", token=await app.token(), json=body)).json
    shown = (await control(app, "GET", "/state"))["repositories"][0]["checks"]
    assert [(one["name"], one["state"], one["buttons"]) for one in shown] == [("ship", "success", [button])]
    clicked = await control(app, "POST", "/clicks", check_run_id=made["id"], identifier="cancel", by="alice")
    assert clicked["action"] == "requested_action"
    await control(app, "POST", "/rerequests", check_run_id=made["id"])
    assert (await control(app, "GET", "/requests"))[-1]["operation"] == "checks/create"
    await control(app, "DELETE", "/requests")
    assert await control(app, "GET", "/requests") == []


async def test_the_webhook_faults_limits_and_tokens_are_set(
    github: GitHubSandbox, app: AppClient, receiver: Receiver
) -> None:
    token = await app.token()
    fault = await control(app, "POST", "/faults", effect="status", path="/repos/acme/api$", status=502)
    assert (await app.call("GET", "/repos/acme/api", token=token)).status == 502
    assert await control(app, "GET", "/faults") == []
    assert (await app.call("DELETE", f"/_control/faults/{fault['id']}")).status == 200
    assert (await control(app, "PATCH", "/limits", per_hour=1))["per_hour"] == 1
    assert (await app.call("GET", "/repos/acme/api", token=token)).status == 200
    assert (await app.call("GET", "/repos/acme/api", token=token)).status == 403
    await control(app, "DELETE", "/limits")
    assert (await control(app, "DELETE", "/tokens"))["expired"] == 1
    assert (await app.call("GET", "/repos/acme/api", token=token)).status == 401
    assert (await control(app, "PUT", "/webhook", secret="new"))["url"] == receiver.url
    receiver.secret = "new"
    delivery = await control(app, "POST", "/ping")
    await control(app, "POST", "/settle")
    await control(app, "POST", "/deliveries/redeliver", delivery_id=delivery["id"], times=2)
    await github.settle()
    assert receiver.events == ["ping", "ping", "ping"]
    assert (await control(app, "GET", f"/deliveries/{delivery['id']}"))["response"] == "taken"


async def test_the_environment_is_what_a_server_needs(github: GitHubSandbox, app: AppClient) -> None:
    said = await control(app, "GET", "/environment")
    assert said["GITHUB_API_URL"] == github.url
    assert said["GITHUB_PRIVATE_KEY"].startswith("-----BEGIN RSA PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/pushes", {"repo": "acme/nothing"}, "There is no repository 'acme/nothing'."),
        ("POST", "/pushes", {}, "'repo' must be given."),
        ("POST", "/pushes", {"repo": "acme/api", "brunch": "x"}, "'brunch' is not known here"),
        ("POST", "/pushes", {"repo": "acme/api", "branch": 3}, "'branch' must be text or null."),
        (
            "POST",
            "/pushes",
            {"repo": "acme/api", "branch": "a..b", "files": {"x": "y"}},
            "can't be the name of a branch",
        ),
        ("POST", "/repositories", {"full_name": "nonsense"}, "write owner/name"),
        ("POST", "/repositories", {"full_name": "acme/api"}, "already a repository"),
        ("POST", "/repositories", {"full_name": "acme/x", "folder": "/does/not/exist"}, "is not a folder"),
        ("POST", "/pulls", {"repo": "acme/api", "head": "nowhere"}, "There is no branch acme/api:nowhere."),
        ("POST", "/comments", {"repo": "acme/api", "number": 9, "body": "x"}, "no issue or pull request #9"),
        ("PUT", "/permissions", {"repo": "acme/api", "user": "a", "role": "king"}, "'king' is not a role"),
        ("POST", "/clicks", {"check_run_id": 1, "identifier": "x"}, "There is no check run 1."),
        ("POST", "/faults", {"effect": "explode"}, "'explode' can't happen"),
        ("PATCH", "/limits", {"per_year": 1}, "'per_year' can't be set"),
        ("POST", "/deliveries/redeliver", {"delivery_id": 5}, "There is no delivery 5."),
        ("POST", "/pulls/merge", {"repo": "acme/api", "number": True}, "'number' must be a number."),
    ],
)
async def test_a_mistake_is_answered_with_one_sentence(
    app: AppClient, method: str, path: str, body: dict[str, Any], said: str
) -> None:
    answer = await app.call(method, f"/_control{path}", json=body)
    assert answer.status == 422
    assert said in answer.json["error"]


async def test_an_unknown_call_names_those_there_are(app: AppClient) -> None:
    answer = await app.call("GET", "/_control/nonsense")
    assert (answer.status, "POST /_control/pushes" in answer.json["error"]) == (404, True)
    assert (await app.call("POST", "/_control/pushes", data="{")).json["error"].startswith("The body is not JSON")


def test_every_control_call_is_documented() -> None:
    text = DOCS.read_text()
    served = {(one.method, one.path) for one in Control(GitHubSandbox()).routes() if "{rest" not in one.path}
    missing = [f"{method} {path}" for method, path in sorted(served) if f"`{method} {path}`" not in text]
    assert PREFIX in text
    assert missing == []


def documented_examples() -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and body of every `curl` line of the documentation."""
    found = []
    for line in re.findall(r"^curl -s (.*)$", DOCS.read_text(), re.MULTILINE):
        words = shlex.split(line.replace("$C", PREFIX))
        path = next(one for one in words if one.startswith(PREFIX))
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else {}
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if body else "GET"
        found.append((method, path, body))
    return found


async def test_every_documented_example_is_understood(github: GitHubSandbox, app: AppClient) -> None:
    examples = documented_examples()
    shown = {(method, re.sub(r"\?.*|/fault-1|/\d+", "", path)) for method, path, _ in examples}
    routes = [one for one in Control(github).routes() if "{rest" not in one.path]
    assert {(one.method, re.sub(r"/\{.*", "", one.path)) for one in routes} == shown
    for method, path, body in examples:
        answer = await app.call(method, path, json=body)
        assert answer.status in (200, 422), (method, path, answer.raw)
        misunderstood = re.search(r"is not known here|must be|can't be described|can't be set", answer.raw.decode())
        assert not misunderstood, (method, path, answer.raw)
