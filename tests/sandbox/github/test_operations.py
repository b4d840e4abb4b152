"""The whole table of operations: what is served, what it takes to be let in, and the less travelled ones."""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.github.operations import PUBLISHED, Operations
from bot.sandbox.github.refusals import GitHubError
from bot.sandbox.github.rest.table import HANDLERS
from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient

OPERATIONS = json.loads(PUBLISHED.read_bytes())
OPEN = [[], [["metadata", "read"]]]
"""Permissions of operations that every installation may do."""
GUARDED = sorted(
    name
    for name, one in OPERATIONS.items()
    if one["path"].startswith("/repos/{owner}/{repo}") and one["permissions"] not in OPEN
)
ALL = [Operations(HANDLERS).find(one["method"], one["path"])[0] for one in OPERATIONS.values()]
PLACES = {"owner": "acme", "repo": "api", "username": "alice", "basehead": "main...main", "path": "README.md"}
REPO = "/repos/acme/api"


def example_path(name: str) -> str:
    """A path of an operation, its numbers all 1 and its refs all main."""
    path = OPERATIONS[name]["path"]
    return re.sub(r"\{(\w+)\}", lambda place: PLACES.get(place[1], "1" if "id" in place[1] else "main"), path).replace(
        "/issues/main", "/issues/1"
    )


def test_what_is_published_is_what_is_served() -> None:
    assert OPERATIONS.keys() == HANDLERS.keys()


@pytest.mark.parametrize("name", GUARDED)
async def test_without_its_permission_an_operation_is_closed_to_the_app(app: AppClient, name: str) -> None:
    permissions = {permission for permission, _ in OPERATIONS[name]["permissions"]}
    other = next(one for one in ("members", "contents", "checks") if one not in permissions)
    token = await app.token(permissions={other: "read"})
    path = example_path(name).replace("/pulls/main", "/pulls/1")
    answer = await app.call(OPERATIONS[name]["method"], path, token=token)
    assert (answer.status, answer.message) == (403, "Resource not accessible by integration")
    assert answer.headers["X-Accepted-GitHub-Permissions"]


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/repos/a/b/commits/feature/x/check-runs", "checks/list-for-ref"),
        ("/repos/a/b/commits/feature/x", "repos/get-commit"),
        ("/repos/a/b/contents", "repos/get-content"),
        ("/repos/a/b/contents/deep/er/file.txt", "repos/get-content"),
        ("/repos/a/b/issues/comments/1", "issues/get-comment"),
        ("/repos/a/b/issues/1/comments", "issues/list-comments"),
        ("/repos/a/b/pulls/1/files", "pulls/list-files"),
    ],
)
def test_the_most_literal_operation_is_meant(path: str, operation: str) -> None:
    assert Operations(HANDLERS).find("GET", path)[0].name == operation


@pytest.mark.parametrize("path", ["/", "/repos", "/repos/a", "/nothing", "/repos/a/b/check-runs/1/2"])
def test_what_github_does_not_serve_is_not_found(path: str) -> None:
    with pytest.raises(GitHubError, match="Not Found"):
        Operations(HANDLERS).find("GET", path)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "Problems parsing JSON"),
        (b"[1]", 400, "Body should be a JSON object"),
        (b"\xff\xfe", 400, "Problems parsing JSON"),
        (b"[" * 100_000, 400, "Problems parsing JSON"),
        (b'{"body": "\\ud83d"}', 400, "Problems parsing JSON"),
        (b"", 422, '"body" wasn\'t supplied.'),
        (b'{"body": "' + b"x" * (11 * 1024 * 1024) + b'"}', 413, "Payload too big"),
    ],
    ids=["cut", "list", "binary", "deep", "half a character", "empty", "huge"],
)
async def test_a_body_that_is_no_json_object_is_refused(
    github: GitHubSandbox, app: AppClient, body: bytes, status: int, said: str
) -> None:
    number = await github.open_issue("acme/api")
    answer = await app.call("POST", f"{REPO}/issues/{number}/comments", token=await app.token(), data=io.BytesIO(body))
    assert answer.status == status
    assert said in answer.message


@pytest.mark.parametrize("query", ["per_page=many", "colour=red", "state=ajar", "page=1.5"])
async def test_a_query_github_does_not_know_is_refused(app: AppClient, query: str) -> None:
    answer = await app.call("GET", f"{REPO}/pulls?{query}", token=await app.token())
    assert answer.status == 422


async def test_an_id_that_is_no_number_is_not_found(app: AppClient) -> None:
    assert (await app.call("GET", f"{REPO}/check-runs/latest", token=await app.token())).status == 404


async def test_an_unknown_version_of_the_api_is_refused(app: AppClient) -> None:
    headers = {"X-GitHub-Api-Version": "1999-01-01"}
    assert (await app.call("GET", REPO, token=await app.token(), headers=headers)).status == 400


async def test_the_api_stands_under_its_enterprise_prefix_too(app: AppClient) -> None:
    answer = await app.call("GET", f"/api/v3{REPO}", token=await app.token())
    assert answer.json["full_name"] == "acme/api"


async def test_the_app_is_found_in_every_way_there_is(github: GitHubSandbox, app: AppClient) -> None:
    token = app.app_jwt()
    await github.create_repo("alice/dotfiles", files={"a": "b"}, organization=False)
    assert (await app.call("GET", "/apps/shipmate")).json["slug"] == "shipmate"
    assert (await app.call("GET", "/orgs/acme/installation", token=token)).json["target_type"] == "Organization"
    assert (await app.call("GET", "/users/alice/installation", token=token)).json["target_type"] == "User"
    assert (await app.call("GET", "/app/hook/config", token=token)).json["content_type"] == "json"
    assert (await app.call("GET", "/users/alice", token=await app.token())).json["login"] == "alice"
    assert (await app.call("GET", "/meta", token=await app.token())).status == 200


async def test_a_manifest_is_changed_into_an_app_once(github: GitHubSandbox, app: AppClient) -> None:
    code = github.new_manifest_code()
    made = await app.call("POST", f"/app-manifests/{code}/conversions")
    assert (made.json["id"], made.json["webhook_secret"]) == (github.app_id, github.webhook_secret)
    assert (await app.call("POST", f"/app-manifests/{code}/conversions")).status == 404


async def test_suites_are_made_read_and_asked_for_again(github: GitHubSandbox, app: AppClient) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    first = await app.call("POST", f"{REPO}/check-suites", token=token, json={"head_sha": sha})
    again = await app.call("POST", f"{REPO}/check-suites", token=token, json={"head_sha": sha})
    assert (first.status, again.status, again.json["id"]) == (201, 200, first.json["id"])
    path = f"{REPO}/check-suites/{first.json['id']}"
    assert (await app.call("GET", path, token=token)).json["head_sha"] == sha
    assert (await app.call("POST", f"{path}/rerequest", token=token)).status == 201
    run = (await app.call("POST", f"{REPO}/check-runs", token=token, json={"name": "x", "head_sha": sha})).json
    assert (await app.call("GET", f"{REPO}/check-runs/{run['id']}", token=token)).json["name"] == "x"
    assert (await app.call("POST", f"{REPO}/check-runs/{run['id']}/rerequest", token=token)).status == 201
    assert [one.action for one in github.deliveries][-2:] == ["created", "rerequested"]


async def test_the_git_database_is_read(github: GitHubSandbox, app: AppClient) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    commit = (await app.call("GET", f"{REPO}/git/commits/{sha}", token=token)).json
    tree = (await app.call("GET", f"{REPO}/git/trees/{commit['tree']['sha']}", token=token)).json
    blob = (await app.call("GET", f"{REPO}/git/blobs/{tree['tree'][0]['sha']}", token=token)).json
    assert (blob["size"], blob["encoding"]) == (6, "base64")
    git = github.repository("acme/api").git
    await git.run("tag", "--annotate", "--message", "First", "v1", sha)
    tag = (await git.run("rev-parse", "v1")).decode().strip()
    assert (await app.call("GET", f"{REPO}/git/tags/{tag}", token=token)).json["object"]["sha"] == sha
    ref = (await app.call("GET", f"{REPO}/git/ref/tags/v1", token=token)).json
    assert (ref["object"]["type"], ref["object"]["sha"]) == ("tag", tag)
    assert (await app.call("GET", f"{REPO}/git/blobs/{'0' * 40}", token=token)).status == 404


async def test_an_issue_takes_reactions_as_a_comment_does(github: GitHubSandbox, app: AppClient) -> None:
    token, number = await app.token(), await github.open_issue("acme/api")
    path = f"{REPO}/issues/{number}/reactions"
    made = await app.call("POST", path, token=token, json={"content": "eyes"})
    assert [one["content"] for one in (await app.call("GET", path, token=token)).json] == ["eyes"]
    assert (await app.call("DELETE", f"{path}/{made.json['id']}", token=token)).status == 204


async def test_comments_of_a_whole_repository_are_listed_as_asked(github: GitHubSandbox, app: AppClient) -> None:
    token, number = await app.token(), await github.open_issue("acme/api")
    said = [await github.comment("acme/api", number, text) for text in ("one", "two")]
    one = (await app.call("GET", f"{REPO}/issues/comments/{said[0].id}", token=token)).json
    assert one["body"] == "one"
    path = f"{REPO}/issues/comments?sort=created&direction=desc"
    assert [each["body"] for each in (await app.call("GET", path, token=token)).json] == ["two", "one"]
    none = await app.call("GET", f"{REPO}/issues/comments?since=2999-01-01T00:00:00Z", token=token)
    assert none.json == []


async def test_one_deployment_is_read_and_languages_are_counted(app: AppClient) -> None:
    token = await app.token()
    body = {"ref": "main", "required_contexts": []}
    made = (await app.call("POST", f"{REPO}/deployments", token=token, json=body)).json
    assert (await app.call("GET", f"{REPO}/deployments/{made['id']}", token=token)).json == made
    assert (await app.call("GET", f"{REPO}/languages", token=token)).json == {"Python": 12}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def refusal(check: Callable[..., Any], given_: Any) -> GitHubError | None:
    """What GitHub says against it, None when it is fine."""
    try:
        check(given_)
    except GitHubError as refused:
        return refused
    return None


@settings(max_examples=150)
@given(name=st.sampled_from(sorted(OPERATIONS)), place=st.text(min_size=1, max_size=30), data=st.data())
def test_whatever_a_client_says_is_taken_or_refused_in_githubs_way(name: str, place: str, data: st.DataObject) -> None:
    operation = next(one for one in ALL if one.name == name)
    fields = sorted((operation.body or {}).get("properties", {})) or ["body"]
    body = data.draw(st.dictionaries(st.sampled_from(fields) | st.text(max_size=8), ANYTHING, max_size=5))
    refusals = [
        refusal(operation.read_body, json.dumps(body).encode()),
        refusal(operation.read_query, {place: place}),
        refusal(operation.read_path, dict.fromkeys(operation.path_parameters["properties"], place)),
    ]
    assert {one.status for one in refusals if one} <= {400, 404, 422}
    assert all(one.body(operation.docs)["message"] for one in refusals if one)


async def test_the_old_name_of_a_repository_leads_to_where_it_is_now_as_github_leads(
    app: AppClient, github: GitHubSandbox
) -> None:
    token = await app.token()
    await github.rename_repo("acme/api", "service")
    read = await app.call("GET", "/repos/acme/api/commits?per_page=1", token=token, allow_redirects=False)
    assert (read.status, read.message) == (301, "Moved Permanently")
    assert re.fullmatch(r"http://.*/repositories/\d+/commits\?per_page=1", read.headers["Location"])
    assert read.json["url"] == read.headers["Location"]
    place = read.headers["Location"].removeprefix(github.url)
    followed = await app.call("GET", place, token=token)
    assert [one["commit"]["message"] for one in followed.json] != []
    body = {"name": "lint", "head_sha": await github.head("acme/service")}
    written = await app.call("POST", "/repos/acme/api/check-runs", token=token, json=body, allow_redirects=False)
    assert written.status == 307
    assert github.check_runs("acme/service") == []
    made = await app.call("POST", written.headers["Location"].removeprefix(github.url), token=token, json=body)
    assert made.status == 201


async def test_a_repository_that_is_not_there_is_found_by_no_number(app: AppClient) -> None:
    for path in ("/repositories/1", "/repositories/1/commits", "/repositories/x", "/repositories/"):
        assert (await app.call("GET", path, token=await app.token())).status == 404


async def test_the_old_name_of_a_private_repository_tells_nothing_to_those_who_must_not_see_it(
    app: AppClient, github: GitHubSandbox
) -> None:
    await github.create_repo("globex/secret", private=True, files={"a": "b"})
    await github.rename_repo("globex/secret", "hidden")
    assert (await app.call("GET", "/repos/globex/secret", token=await app.token())).status == 404
