"""Each operation asks for the right thing, and reads from the answer what a decision can rest on."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.errors import Permanent, Refused, Transient
from bot.github import checks, limits
from bot.github.api import GitHub
from bot.github.app import deliveries_since, identity, installation_of, installed_repositories
from bot.github.checks import Annotation, Button, CheckOutput, CheckReport
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.comments import add_reaction, ensure_comment, find_comment, hidden, remove_reaction, update_comment
from bot.github.commit_checks import commit_checks
from bot.github.deployments import DeploymentStatus, NewDeployment, add_status, ensure_deployment, find_deployment
from bot.github.people import Role, is_team_member, role_of
from bot.github.permissions import DECIDE
from bot.github.pulls import get_pull
from bot.github.repository import branch_head, contains, file_at, resolve, tree
from bot.model import Repository
from tests.github.answering import CUT, Answer, AnsweringGitHub, Asked
from tests.github.conftest import INSTALLATION

SHA, OTHER = "a" * 40, "b" * 40
MISSING = Answer(404, {"message": "Not Found"})
NO_COMMIT = Answer(422, {"message": "No commit found for SHA: nope"})
BOT = "shipmate[bot]"


def query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}


# Who may


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({"permission": "admin", "role_name": "admin"}, Role.ADMIN),
        ({"permission": "write", "role_name": "maintain"}, Role.MAINTAIN),
        ({"permission": "write", "role_name": "write"}, Role.WRITE),
        ({"permission": "read", "role_name": "triage"}, Role.TRIAGE),
        ({"permission": "read", "role_name": "read"}, Role.READ),
        ({"permission": "none", "role_name": ""}, Role.NONE),
        ({"permission": "write", "role_name": "release-captain"}, Role.WRITE),
        ({"permission": "read"}, Role.READ),
    ],
)
async def test_a_persons_role_is_the_finest_github_names(
    answering: AnsweringGitHub, client: Client, said: dict[str, str], role: Role
) -> None:
    answering.answers = [Answer(200, {**said, "user": {"id": 5, "login": "eve"}})]
    assert await role_of(client, "eve", 5) is role


async def test_a_login_that_now_belongs_to_someone_else_has_no_role(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, {"permission": "admin", "role_name": "admin", "user": {"id": 6, "login": "eve"}})]
    assert await role_of(client, "eve", 5) is Role.NONE


async def test_a_stranger_has_no_role(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [MISSING]
    assert await role_of(client, "nobody") is Role.NONE


@pytest.mark.parametrize(
    "answer", [Answer(403, {"message": "no"}), Answer(500), Answer(200, {"permission": "strange"})]
)
async def test_an_error_about_a_permission_means_no(answering: AnsweringGitHub, client: Client, answer: Answer) -> None:
    answering.respond = lambda asked: answer
    with pytest.raises(Refused, match="permission_unreadable"):
        await role_of(client, "eve")
    with pytest.raises(Refused, match="permission_unreadable"):
        await is_team_member(client, "acme", "ops", "eve")


@pytest.mark.parametrize(
    ("answer", "member"),
    [(Answer(200, {"state": "active"}), True), (Answer(200, {"state": "pending"}), False), (MISSING, False)],
)
async def test_only_an_active_member_is_in_a_team(
    answering: AnsweringGitHub, client: Client, answer: Answer, member: bool
) -> None:
    answering.answers = [answer]
    assert await is_team_member(client, "acme", "ops", "eve") is member
    assert answering.asked[0].path == "/orgs/acme/teams/ops/memberships/eve"


# Commits, branches, files


@pytest.mark.parametrize("ref", ["main", "--upload-pack=touch", "feature/x", "deadbeef1"])
async def test_a_name_is_a_branch_first(answering: AnsweringGitHub, client: Client, ref: str) -> None:
    answering.answers = [Answer(200, {"sha": SHA})]
    assert await resolve(client, ref) == SHA
    assert urlsplit(answering.asked[0].path).path.startswith("/repos/acme/api/commits/heads%2F")


async def test_a_name_that_is_no_branch_may_be_a_tag(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [MISSING, Answer(200, {"sha": SHA})]
    assert await resolve(client, "v1") == SHA
    assert "/commits/tags%2Fv1" in answering.asked[1].path


async def test_hex_digits_may_be_a_short_sha(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [NO_COMMIT, NO_COMMIT, Answer(200, {"sha": SHA})]
    assert await resolve(client, SHA[:8]) == SHA


async def test_a_full_sha_is_asked_for_as_it_is(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, {"sha": SHA})]
    assert await resolve(client, SHA) == SHA
    assert [urlsplit(asked.path).path for asked in answering.asked] == [f"/repos/acme/api/commits/{SHA}"]


@pytest.mark.parametrize("ref", ["nope", SHA, "..", "a/../b", ""])
async def test_what_is_no_commit_resolves_to_none(answering: AnsweringGitHub, client: Client, ref: str) -> None:
    answering.respond = lambda asked: NO_COMMIT
    assert await resolve(client, ref) is None


async def test_an_empty_repository_has_no_commits(answering: AnsweringGitHub, client: Client) -> None:
    answering.respond = lambda asked: Answer(409, {"message": "Git Repository is empty."})
    assert await resolve(client, "main") is None


async def test_a_commit_that_cannot_be_looked_up_is_an_error(answering: AnsweringGitHub, client: Client) -> None:
    answering.respond = lambda asked: Answer(403, {"message": "Resource not accessible by integration"})
    with pytest.raises(Permanent, match="github_forbidden"):
        await resolve(client, "main")


@pytest.mark.parametrize(
    ("answer", "inside"),
    [
        (Answer(200, {"status": "identical"}), True),
        (Answer(200, {"status": "behind"}), True),
        (Answer(200, {"status": "ahead"}), False),
        (Answer(200, {"status": "diverged"}), False),
        (MISSING, False),
    ],
)
async def test_a_branch_contains_what_it_is_ahead_of(
    answering: AnsweringGitHub, client: Client, answer: Answer, inside: bool
) -> None:
    answering.answers = [answer]
    assert await contains(client, "main", SHA) is inside
    assert f"/compare/main...{SHA}" in answering.asked[0].path


async def test_a_branch_head_tells_its_protection(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, {"name": "main", "commit": {"sha": SHA}, "protected": True}), MISSING]
    head = await branch_head(client, "main")
    assert head is not None
    assert (head.sha, head.protected) == (SHA, True)
    assert await branch_head(client, "gone") is None


def file(held: bytes, **more: Any) -> Answer:
    encoded = base64.encodebytes(held).decode()
    found = {"type": "file", "size": len(held), "encoding": "base64", "content": encoded, "sha": OTHER}
    return Answer(200, {**found, **more})


async def test_a_file_is_read_at_a_ref(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [file(b"port: 8080\n" * 20)]
    assert await file_at(client, "deploy/ship mate.yml", SHA) == b"port: 8080\n" * 20
    assert answering.asked[0].path == f"/repos/acme/api/contents/deploy/ship%20mate.yml?ref={SHA}"


@pytest.mark.parametrize(
    "answer",
    [MISSING, Answer(200, [{"type": "file"}]), Answer(200, {"type": "submodule"}), Answer(200, {"type": "symlink"})],
)
async def test_where_there_is_no_file_there_are_no_bytes(
    answering: AnsweringGitHub, client: Client, answer: Answer
) -> None:
    answering.answers = [answer]
    assert await file_at(client, ".shipmate.yml", SHA) is None


async def test_a_file_larger_than_the_contents_reply_is_fetched_as_a_blob(
    answering: AnsweringGitHub, client: Client
) -> None:
    answering.answers = [file(b"", encoding="none", content="", size=5), file(b"large")]
    assert await file_at(client, "big", SHA) == b"large"
    assert answering.asked[1].path == f"/repos/acme/api/git/blobs/{OTHER}"


async def test_a_file_larger_than_allowed_is_refused_unread(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [file(b"x" * 11)]
    with pytest.raises(Permanent, match="github_file_too_large"):
        await file_at(client, "big", SHA, most_bytes=10)


async def test_a_tree_says_when_it_is_not_whole(answering: AnsweringGitHub, client: Client) -> None:
    link = {"path": "a b/링크", "type": "blob", "mode": "120000", "sha": OTHER, "size": 11}
    folder = {"path": "a b", "type": "tree", "mode": "040000", "sha": OTHER}
    answering.answers = [Answer(200, {"sha": SHA, "tree": [folder, link], "truncated": True})]
    found = await tree(client, SHA)
    assert found.truncated
    assert [(entry.path, entry.size_bytes) for entry in found.entries] == [("a b", None), ("a b/링크", 11)]
    assert query(answering.asked[0]) == {"recursive": "1"}


def pull(**changes: Any) -> dict[str, Any]:
    base = {"sha": OTHER, "ref": "main", "repo": {"full_name": "acme/api", "default_branch": "main"}}
    head = {"sha": SHA, "ref": "feature", "repo": {"full_name": "eve/api"}}
    return {
        "id": 1,
        "number": 2,
        "state": "open",
        "merged_at": None,
        "draft": False,
        "base": base,
        "head": head,
        **changes,
    }


async def test_a_pull_request_knows_whether_it_comes_from_a_fork(answering: AnsweringGitHub, client: Client) -> None:
    own = {"sha": SHA, "ref": "feature", "repo": {"full_name": "Acme/API"}}
    gone = {"sha": SHA, "ref": "feature", "repo": None}
    answering.answers = [Answer(200, pull()), Answer(200, pull(head=own)), Answer(200, pull(head=gone))]
    assert [(await get_pull(client, 2)).from_fork for _ in range(3)] == [True, False, True]


# Check runs


def check_run(**changes: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": None, "annotations_count": 0}
    run = {"id": 3, "name": "deploy", "head_sha": SHA, "status": "queued", "conclusion": None, "external_id": "dep_1"}
    return {**run, "app": {"id": 123}, "output": shown, "started_at": None, "completed_at": None, **changes}


async def test_a_check_run_lost_on_the_way_is_found_by_its_job(answering: AnsweringGitHub, client: Client) -> None:
    others = [check_run(id=1, external_id="dep_0"), check_run(id=2, external_id="")]
    answering.answers = [CUT, Answer(200, {"total_count": 3, "check_runs": [*others, check_run()]})]
    run = await checks.ensure_check_run(client, SHA, "deploy", "dep_1", CheckReport(status="queued"), look_first=False)
    assert run.id == 3
    assert [asked.method for asked in answering.asked] == ["POST", "GET"]


async def test_a_conclusion_completes_a_check_run(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, check_run(status="completed", conclusion="success"))]
    ended = datetime(2031, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    await checks.update_check_run(client, 3, CheckReport(conclusion="success", completed_at=ended))
    assert answering.asked[0].body == {
        "status": "completed",
        "conclusion": "success",
        "completed_at": "2031-01-02T03:04:05Z",
    }


async def test_what_a_check_run_says_is_cut_to_githubs_limits(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, check_run())]
    output = CheckOutput("t" * 300, "s" * 100_000, "x" * 100_000)
    buttons = [Button("Roll back to the release before", "d" * 50, "rollback")] * 4
    await checks.update_check_run(client, 3, CheckReport(output=output, buttons=buttons))
    body = answering.asked[0].body
    assert len(body["output"]["title"]) == limits.CHECK_TITLE_CHARACTERS
    assert [len(body["output"][part].encode()) for part in ("summary", "text")] == [limits.CHECK_TEXT_BYTES] * 2
    sizes = [(len(button["label"]), len(button["description"])) for button in body["actions"]]
    assert sizes == [(limits.ACTION_LABEL_CHARACTERS, limits.ACTION_DESCRIPTION_CHARACTERS)] * limits.ACTIONS


async def test_no_buttons_takes_them_away(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, check_run())]
    await checks.update_check_run(client, 3, CheckReport(buttons=()))
    assert answering.asked[0].body == {"actions": []}


async def test_a_button_whose_identifier_does_not_fit_is_our_bug(client: Client) -> None:
    with pytest.raises(ValueError, match="longer than GitHub takes"):
        await checks.update_check_run(client, 3, CheckReport(buttons=[Button("l", "d", "i" * 21)]))


class Annotated:
    """A check run that keeps annotations as GitHub does; the reply to the `lost`-th batch is cut after it was kept."""

    def __init__(self, lost: int) -> None:
        self.kept: list[str] = []
        self._lost = lost
        self._batches = 0

    def __call__(self, asked: Asked) -> Answer:
        batch = (asked.body or {}).get("output", {}).get("annotations", [])
        assert len(batch) <= 50
        self.kept += [one["message"] for one in batch]
        self._batches += bool(batch)
        shown = {"title": "t", "annotations_count": len(self.kept)}
        return CUT if batch and self._batches == self._lost else Answer(200, check_run(output=shown))


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
async def test_many_annotations_arrive_once_even_when_replies_are_lost(
    answering: AnsweringGitHub, client: Client, lost: int
) -> None:
    answering.respond = github = Annotated(lost)
    annotations = [Annotation("a.py", line, line, "failure", f"broken {line}") for line in range(1, 121)]
    for _ in range(2):
        await checks.annotate(client, 3, CheckOutput("t", "s"), annotations)
    assert github.kept == [one.message for one in annotations]


async def test_running_check_runs_of_one_app_are_asked_for(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, {"check_runs": [check_run(status="in_progress")]})]
    [run] = await checks.list_check_runs(client, SHA, status="in_progress", app_id=123)
    assert (run.app_id, run.status) == (123, "in_progress")
    assert query(answering.asked[0]) == {
        "per_page": "100",
        "status": "in_progress",
        "app_id": "123",
        "filter": "latest",
    }


async def test_a_gate_sees_statuses_and_the_checks_of_others(answering: AnsweringGitHub, client: Client) -> None:
    ours, theirs = check_run(id=1), check_run(id=2, app={"id": 9}, conclusion="success", status="completed")
    answering.answers = [
        Answer(200, {"state": "pending", "statuses": [{"context": "ci", "state": "pending", "target_url": None}]}),
        Answer(200, {"check_runs": [ours, theirs]}),
    ]
    found = (await commit_checks(client, SHA)).without_app(123)
    assert [run.id for run in found.runs] == [2]
    assert [(status.context, status.state) for status in found.statuses] == [("ci", "pending")]


# Comments and reactions


def comment(number: int, body: str, author: str | None = BOT) -> dict[str, Any]:
    user = {"login": author} if author else None
    return {"id": number, "body": body, "user": user, "html_url": "", "created_at": "2031-01-01T00:00:00Z"}


async def test_a_marker_planted_by_someone_else_is_not_ours(answering: AnsweringGitHub, client: Client) -> None:
    marked = hidden("shipmate job:1")
    answering.answers = [
        Answer(200, [comment(1, marked, "eve"), comment(2, marked, None), comment(3, f"{marked}\nhi")])
    ]
    found = await find_comment(client, 2, "shipmate job:1", BOT)
    assert found is not None
    assert found.id == 3


async def test_a_comment_lost_on_the_way_is_not_written_twice(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [CUT, Answer(200, [comment(5, hidden("m"))])]
    since = datetime(2031, 1, 1, tzinfo=UTC)
    assert (await ensure_comment(client, 2, "m", BOT, "Hello", since=since, look_first=False)).id == 5
    assert answering.asked[0].body == {"body": "<!-- m -->\nHello"}
    assert query(answering.asked[1])["since"] == "2030-12-31T23:55:00Z"


async def test_a_comment_too_long_is_cut_and_keeps_its_marker(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, []), Answer(201, comment(5, ""))]
    await ensure_comment(client, 2, "m", BOT, "line\n" * 20_000)
    body = answering.asked[1].body["body"]
    assert body.startswith("<!-- m -->\n")
    assert len(body) <= limits.COMMENT_CHARACTERS


async def test_a_comment_someone_deleted_is_told(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [MISSING]
    with pytest.raises(NotFound):
        await update_comment(client, 5, "Hello")


async def test_reacting_again_after_a_fault_is_harmless(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [CUT, Answer(200, {"id": 1, "content": "eyes", "user": {"login": BOT}})]
    assert (await add_reaction(client, 5, "eyes")).content == "eyes"


async def test_only_the_own_reaction_is_taken_back(answering: AnsweringGitHub, client: Client) -> None:
    reactions = [{"id": n, "content": "eyes", "user": {"login": who}} for n, who in enumerate(["eve", BOT], start=1)]
    answering.answers = [Answer(200, reactions), Answer(204)]
    await remove_reaction(client, 5, "eyes", BOT)
    assert [asked.path for asked in answering.asked if asked.method == "DELETE"] == [
        "/repos/acme/api/issues/comments/5/reactions/2"
    ]


async def test_a_reaction_already_gone_is_fine(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, [{"id": 2, "content": "eyes", "user": {"login": BOT}}]), MISSING]
    await remove_reaction(client, 5, "eyes", BOT)
    assert answering.asked[-1].method == "DELETE"


# Deployments


def deployment(number: int, payload: Any) -> dict[str, Any]:
    return {"id": number, "sha": SHA, "ref": SHA, "environment": "production", "payload": payload}


NEW = NewDeployment(SHA, "production", "dep_1", description="d" * 200, production=True)


async def test_a_deployment_merges_nothing_and_waits_for_nothing(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(200, []), Answer(201, deployment(9, {"job": "dep_1"}))]
    await ensure_deployment(client, NEW)
    body = answering.asked[1].body
    assert (body["ref"], body["auto_merge"], body["required_contexts"]) == (SHA, False, [])
    assert body["payload"] == {"job": "dep_1"}
    assert (body["production_environment"], body["transient_environment"]) == (True, False)
    assert len(body["description"]) == limits.DEPLOYMENT_DESCRIPTION_CHARACTERS


@pytest.mark.parametrize("payload", [{"job": "dep_1"}, '{"job": "dep_1"}'])
async def test_a_deployment_is_found_by_its_job(answering: AnsweringGitHub, client: Client, payload: Any) -> None:
    others = [deployment(1, ""), deployment(2, "no json"), deployment(3, ["x"]), deployment(4, {"job": "dep_0"})]
    answering.answers = [Answer(200, [*others, deployment(5, payload)])]
    found = await find_deployment(client, SHA, "production", "dep_1")
    assert found is not None
    assert found.id == 5


async def test_a_status_lost_on_the_way_is_not_said_twice(answering: AnsweringGitHub, client: Client) -> None:
    said = {"state": "success", "description": "Live", "log_url": "https://l", "environment_url": "https://e"}
    answering.answers = [CUT, Answer(200, [said])]
    await add_status(client, 9, DeploymentStatus("success", "Live", "https://l", "https://e"))
    assert [asked.method for asked in answering.asked] == ["POST", "GET"]


async def test_a_status_lost_and_not_done_is_said_again(answering: AnsweringGitHub, client: Client) -> None:
    before = {"state": "in_progress", "description": "", "log_url": "", "environment_url": ""}
    answering.answers = [CUT, Answer(200, [before]), Answer(201, {**before, "state": "success"})]
    assert (await add_status(client, 9, DeploymentStatus("success"))).state == "success"


# The app itself


async def test_the_app_knows_under_which_login_it_writes(answering: AnsweringGitHub, github: GitHub) -> None:
    answering.answers = [Answer(200, {"id": 123, "slug": "shipmate", "name": "Shipmate"})]
    assert (await identity(github.app)).bot_login == BOT
    assert answering.asked[0].headers["Authorization"].startswith("bearer ey")


async def test_a_repository_without_the_app_is_told(answering: AnsweringGitHub, github: GitHub) -> None:
    answering.answers = [MISSING]
    with pytest.raises(NotFound):
        await installation_of(github.app, "acme/api")


async def test_the_repositories_of_an_installation_are_listed(answering: AnsweringGitHub, github: GitHub) -> None:
    answering.answers = [Answer(200, {"total_count": 1, "repositories": [{"id": 7, "full_name": "acme/api"}]})]
    found = await installed_repositories(github.installation(INSTALLATION, DECIDE))
    assert found == [Repository(7, "acme/api")]
    assert "repository_ids" not in answering.mints[0].body


async def test_deliveries_are_listed_until_the_moment_asked_for(answering: AnsweringGitHub, github: GitHub) -> None:
    now = datetime(2031, 1, 1, 12, tzinfo=UTC)

    def attempt(number: int, age: timedelta) -> dict[str, Any]:
        at = (now - age).isoformat()
        delivery = {"id": number, "guid": f"g{number}", "delivered_at": at, "redelivery": False, "status_code": 500}
        return {**delivery, "event": "push", "action": None, "installation_id": 42, "repository_id": 7}

    link = f'<{answering.url}/app/hook/deliveries?per_page=100&cursor=v1_3>; rel="next"'
    answering.answers = [
        Answer(200, [attempt(4, timedelta(0)), attempt(3, timedelta(minutes=1))], {"Link": link}),
        Answer(200, [attempt(2, timedelta(minutes=2)), attempt(1, timedelta(hours=2))], {"Link": link}),
    ]
    found = [delivery async for delivery in deliveries_since(github.app, now - timedelta(hours=1))]
    assert [delivery.id for delivery in found] == [4, 3, 2]
    assert not found[0].accepted
    assert len(answering.asked) == 2


async def test_a_fault_while_looking_does_not_create_a_second_one(answering: AnsweringGitHub, client: Client) -> None:
    answering.respond = lambda asked: replace(CUT) if asked.method == "POST" else Answer(500)
    with pytest.raises(Transient) as failed:
        await ensure_deployment(client, NEW, look_first=False)
    assert failed.value.facts["maybe_done"] is True
    assert [asked.method for asked in answering.asked].count("POST") == 1
