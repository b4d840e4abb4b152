"""Comments, reactions and pull requests as an app reads and writes them."""

from typing import Any

import pytest

from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient

REPO = "/repos/acme/api"


async def test_an_app_comments_edits_and_deletes(github: GitHubSandbox, app: AppClient) -> None:
    token, number = await app.token(), await github.open_issue("acme/api")
    made = await app.call("POST", f"{REPO}/issues/{number}/comments", token=token, json={"body": "hello"})
    assert (made.status, made.json["user"]["login"], made.json["user"]["type"]) == (201, "shipmate[bot]", "Bot")
    assert made.json["performed_via_github_app"]["slug"] == "shipmate"
    path = f"{REPO}/issues/comments/{made.json['id']}"
    await app.call("PATCH", path, token=token, json={"body": "hello again"})
    assert [one.body for one in github.comments("acme/api", number)] == ["hello again"]
    assert (await app.call("DELETE", path, token=token)).status == 204
    assert (await app.call("GET", path, token=token)).status == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"body": "x" * 65_537}, "maximum is 65536 characters"),
        ({"body": "  \n"}, "missing_field"),
        ({}, '\\"body\\" wasn\'t supplied.'),
        ({"body": "x", "colour": "red"}, '\\"colour\\" is not a permitted key.'),
        ({"body": 7}, "7 is not a string."),
    ],
)
async def test_github_refuses_a_comment_that_is_empty_too_long_or_odd(
    github: GitHubSandbox, app: AppClient, body: dict[str, Any], said: str
) -> None:
    number = await github.open_issue("acme/api")
    answer = await app.call("POST", f"{REPO}/issues/{number}/comments", token=await app.token(), json=body)
    assert answer.status == 422
    assert said in answer.raw.decode()


async def test_the_longest_comment_is_taken(github: GitHubSandbox, app: AppClient) -> None:
    number = await github.open_issue("acme/api")
    body = {"body": "x" * 65_536}
    assert (
        await app.call("POST", f"{REPO}/issues/{number}/comments", token=await app.token(), json=body)
    ).status == 201


async def test_comments_come_in_pages_with_links(github: GitHubSandbox, app: AppClient) -> None:
    token, number = await app.token(), await github.open_issue("acme/api")
    for count in range(5):
        await github.comment("acme/api", number, f"comment {count}")
    path, seen = f"{REPO}/issues/{number}/comments?per_page=2", []
    answer = await app.call("GET", path, token=token)
    assert 'rel="last"' in answer.headers["Link"]
    seen += [one["body"] for one in answer.json]
    while 'rel="next"' in answer.headers.get("Link", ""):
        following = next(one for one in answer.headers["Link"].split(", ") if 'rel="next"' in one)
        path = following.split(";")[0].strip("<>").removeprefix(github.url)
        answer = await app.call("GET", path, token=token)
        seen += [one["body"] for one in answer.json]
    assert seen == [f"comment {count}" for count in range(5)]


async def test_a_page_holds_a_hundred_at_most(github: GitHubSandbox, app: AppClient) -> None:
    number = await github.open_issue("acme/api")
    for count in range(101):
        await github.comment("acme/api", number, f"{count}")
    answer = await app.call("GET", f"{REPO}/issues/{number}/comments?per_page=500", token=await app.token())
    assert len(answer.json) == 100


async def test_a_reaction_stands_once_and_its_owner_takes_it_away(github: GitHubSandbox, app: AppClient) -> None:
    token, number = await app.token(), await github.open_issue("acme/api")
    said = await github.comment("acme/api", number, "/deploy")
    path = f"{REPO}/issues/comments/{said.id}/reactions"
    first = await app.call("POST", path, token=token, json={"content": "eyes"})
    again = await app.call("POST", path, token=token, json={"content": "eyes"})
    assert (first.status, again.status, again.json["id"]) == (201, 200, first.json["id"])
    await app.call("POST", path, token=token, json={"content": "rocket"})
    assert github.reactions("acme/api", said.id) == ["eyes", "rocket"]
    assert len((await app.call("GET", f"{path}?content=eyes", token=token)).json) == 1
    assert (await app.call("DELETE", f"{path}/{first.json['id']}", token=token)).status == 204
    assert github.reactions("acme/api", said.id) == ["rocket"]
    assert (await app.call("POST", path, token=token, json={"content": "shrug"})).status == 422


async def test_nobody_takes_away_anothers_reaction(github: GitHubSandbox, app: AppClient) -> None:
    number = await github.open_issue("acme/api")
    said = await github.comment("acme/api", number, "/deploy")
    path = f"{REPO}/issues/comments/{said.id}/reactions"
    mine = await app.call("POST", path, token=github.user_token("alice"), json={"content": "eyes"})
    assert (await app.call("DELETE", f"{path}/{mine.json['id']}", token=await app.token())).status == 403


async def test_a_pull_request_is_read_with_its_figures_and_files(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    await github.push("acme/api", branch="feature/x", files={"new.txt": "1\n2\n", "README.md": "# API\n"})
    pull = await github.open_pull("acme/api", head="feature/x", by="alice", draft=True)
    one = (await app.call("GET", f"{REPO}/pulls/{pull.number}", token=token)).json
    assert (one["commits"], one["additions"], one["deletions"], one["changed_files"]) == (1, 3, 1, 2)
    assert (one["mergeable"], one["draft"], one["user"]["login"]) == (True, True, "alice")
    files = (await app.call("GET", f"{REPO}/pulls/{pull.number}/files", token=token)).json
    assert [(each["filename"], each["status"]) for each in files] == [("README.md", "modified"), ("new.txt", "added")]
    assert files[1]["patch"] == "@@ -0,0 +1,2 @@\n+1\n+2"
    commits = (await app.call("GET", f"{REPO}/pulls/{pull.number}/commits", token=token)).json
    assert [each["sha"] for each in commits] == [pull.head_sha]
    issue = (await app.call("GET", f"{REPO}/issues/{pull.number}", token=token)).json
    assert issue["pull_request"]["url"] == one["url"]


async def test_pull_requests_are_found_by_head_base_and_state(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    for name in ("one", "two"):
        await github.push("acme/api", branch=name, files={name: name})
        await github.open_pull("acme/api", head=name)
    await github.close_pull("acme/api", 1)

    async def numbers(query: str) -> list[int]:
        return [each["number"] for each in (await app.call("GET", f"{REPO}/pulls?{query}", token=token)).json]

    assert await numbers("") == [2]
    assert await numbers("state=all") == [2, 1]
    assert await numbers("state=closed&head=acme:one") == [1]
    assert await numbers("head=acme:one") == []
    assert await numbers("base=other") == []
    sha = (await app.call("GET", f"{REPO}/pulls/2", token=token)).json["head"]["sha"]
    assert [one["number"] for one in (await app.call("GET", f"{REPO}/commits/{sha}/pulls", token=token)).json] == [2]


async def test_a_pull_request_that_conflicts_can_not_be_merged(github: GitHubSandbox, app: AppClient) -> None:
    await github.push("acme/api", branch="feature", files={"README.md": "theirs\n"})
    await github.push("acme/api", files={"README.md": "ours\n"})
    pull = await github.open_pull("acme/api", head="feature")
    one = (await app.call("GET", f"{REPO}/pulls/{pull.number}", token=await app.token())).json
    assert (one["mergeable"], one["mergeable_state"]) == (False, "dirty")


async def test_reviews_say_which_commit_was_approved(github: GitHubSandbox, app: AppClient) -> None:
    await github.push("acme/api", branch="feature", files={"a": "b"})
    pull = await github.open_pull("acme/api", head="feature")
    github.review("acme/api", pull.number, by="bob")
    reviews = (await app.call("GET", f"{REPO}/pulls/{pull.number}/reviews", token=await app.token())).json
    assert [(one["user"]["login"], one["state"], one["commit_id"]) for one in reviews] == [
        ("bob", "APPROVED", pull.head_sha)
    ]


async def test_an_issue_is_not_a_pull_request(github: GitHubSandbox, app: AppClient) -> None:
    number = await github.open_issue("acme/api")
    assert (await app.call("GET", f"{REPO}/pulls/{number}", token=await app.token())).status == 404
    assert "pull_request" not in (await app.call("GET", f"{REPO}/issues/{number}", token=await app.token())).json


@pytest.mark.parametrize(
    ("role", "coarse"),
    [("admin", "admin"), ("maintain", "write"), ("write", "write"), ("triage", "read"), ("none", "none")],
)
async def test_permission_is_coarse_and_the_role_name_is_fine(
    github: GitHubSandbox, app: AppClient, role: str, coarse: str
) -> None:
    github.set_permission("acme/api", "bob", role)
    answer = await app.call("GET", f"{REPO}/collaborators/bob/permission", token=await app.token())
    assert (answer.json["permission"], answer.json["role_name"]) == (coarse, role)


async def test_the_permission_of_nobody_is_an_error(app: AppClient) -> None:
    answer = await app.call("GET", f"{REPO}/collaborators/nobody/permission", token=await app.token())
    assert answer.status == 404


async def test_team_membership_is_told(github: GitHubSandbox, app: AppClient) -> None:
    github.add_to_team("acme", "releasers", "alice", "maintainer")
    token = await app.token()
    path = "/orgs/acme/teams/releasers"
    member = (await app.call("GET", f"{path}/memberships/alice", token=token)).json
    assert (member["role"], member["state"]) == ("maintainer", "active")
    assert (await app.call("GET", f"{path}/memberships/bob", token=token)).status == 404
    assert (await app.call("GET", path, token=token)).json["members_count"] == 1
    assert (await app.call("GET", "/orgs/acme/members/alice", token=token)).status == 204
    assert (await app.call("GET", "/orgs/acme", token=token)).json["login"] == "acme"
