"""The client against the strict simulated GitHub: what it asks is what GitHub takes, and faults do no damage."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.errors import Permanent, Refused, Transient
from bot.github import checks, comments, deployments, people, pulls, repository
from bot.github.api import GitHub, open_github
from bot.github.app import (
    deliveries_since,
    get_delivery,
    identity,
    installation_of,
    installations,
    installed_repositories,
    redeliver,
)
from bot.github.checks import Annotation, Button, CheckOutput, CheckReport
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.commit_checks import commit_checks
from bot.github.deployments import DeploymentStatus, NewDeployment
from bot.github.hooks.events import CheckRunAsked, Ignored, IssueComment, PullRequestChanged, Push
from bot.github.hooks.webhooks import parse
from bot.github.people import Role
from bot.github.permissions import CLONE, DECIDE, DECIDE_BY_TEAM, REPORT
from bot.masking import Masker
from bot.model import Repository
from bot.sandbox.github.simulator import GitHubSandbox
from tests.github.conftest import PATIENCE

NAME = "acme/api"
MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "app.yml").read_text())
REPORTED = CheckReport(
    status="in_progress",
    output=CheckOutput("Building", "| stage | state |\n|---|---|\n| build | running |", "```\nlog\n```"),
    buttons=[Button("Cancel", "Stop this deployment", "cancel")],
    details_url="https://shipmate.example.com/jobs/dep_1",
    started_at=datetime(2031, 1, 1, tzinfo=UTC),
)


@pytest.fixture
async def sandbox() -> AsyncIterator[GitHubSandbox]:
    started = GitHubSandbox(permissions=MANIFEST["default_permissions"], events=MANIFEST["default_events"])
    await started.start()
    try:
        await started.create_repo(NAME, files={"app.py": "hi = 1\n", ".shipmate.yml": "port: 8080\n"}, private=True)
        yield started
    finally:
        await started.stop()


@pytest.fixture
async def app(sandbox: GitHubSandbox) -> AsyncIterator[GitHub]:
    patience = replace(PATIENCE, timeout_s=2.0)
    secret = Masker().register
    async with open_github(
        str(sandbox.app_id), sandbox.private_key_pem, secret, api_url=sandbox.url, patience=patience
    ) as opened:
        yield opened


@pytest.fixture
async def bind(app: GitHub, sandbox: GitHubSandbox) -> Callable[[Any], Client]:
    """Makes a client of the repository with some permissions."""
    installation = await installation_of(app.app, NAME)
    known = Repository(sandbox.repository(NAME).id, NAME)
    return lambda permissions: app.repository(installation.id, known, permissions)


@pytest.fixture
def reporter(bind: Callable[[Any], Client]) -> Client:
    return bind(REPORT)


@pytest.fixture
def decider(bind: Callable[[Any], Client]) -> Client:
    return bind(DECIDE)


# What it asks is what GitHub takes


async def test_the_app_knows_itself_and_where_it_is_installed(app: GitHub, sandbox: GitHubSandbox) -> None:
    known = await identity(app.app)
    assert (known.id, known.bot_login) == (sandbox.app_id, "shipmate[bot]")
    [installed] = [one for one in await installations(app.app) if one.account == "acme"]
    assert installed == await installation_of(app.app, NAME)
    names = [one.full_name for one in await installed_repositories(app.installation(installed.id, DECIDE))]
    assert names == [NAME]


async def test_a_check_run_lives_from_queued_to_a_conclusion(reporter: Client, sandbox: GitHubSandbox) -> None:
    sha = await sandbox.head(NAME)
    run = await checks.ensure_check_run(reporter, sha, "shipmate / deploy", "dep_1", CheckReport(status="queued"))
    again = await checks.ensure_check_run(reporter, sha, "shipmate / deploy", "dep_1", CheckReport(status="queued"))
    assert run.id == again.id
    await checks.update_check_run(reporter, run.id, REPORTED)
    [running] = await checks.list_check_runs(reporter, sha, status="in_progress", app_id=sandbox.app_id)
    assert running.id == run.id
    await checks.update_check_run(reporter, run.id, CheckReport(conclusion="success", buttons=()))
    assert sandbox.checks(NAME) == ["shipmate / deploy: success"]


async def test_a_hundred_and_twenty_annotations_arrive(reporter: Client, sandbox: GitHubSandbox) -> None:
    run = await checks.create_check_run(reporter, await sandbox.head(NAME), "deploy", "dep_1", REPORTED)
    annotations = [Annotation("app.py", n, n, "failure", f"broken {n}", "E1") for n in range(1, 121)]
    await checks.annotate(reporter, run.id, CheckOutput("Failed", "It broke."), annotations)
    assert (await checks.get_check_run(reporter, run.id)).annotations == 120


async def test_a_sticky_comment_is_written_once_and_edited(reporter: Client, sandbox: GitHubSandbox) -> None:
    number = await sandbox.open_issue(NAME)
    for n in range(120):
        await sandbox.comment(NAME, number, comments.mark(f"Planted {n}", "job:1"), by="mallory")
    made = await comments.ensure_comment(reporter, number, "job:1", "shipmate[bot]", "Queued")
    found = await comments.ensure_comment(reporter, number, "job:1", "shipmate[bot]", "Queued")
    await comments.update_comment(reporter, found.id, comments.mark("Live 🚀", "job:1"))
    assert made.id == found.id
    assert sandbox.comments(NAME, number)[-1].body == "<!-- job:1 -->\nLive 🚀"
    assert len(sandbox.comments(NAME, number)) == 121


async def test_the_longest_comment_and_summary_are_taken(reporter: Client, sandbox: GitHubSandbox) -> None:
    number = await sandbox.open_issue(NAME)
    await comments.create_comment(reporter, number, "줄\n" * 50_000)
    output = CheckOutput("제목" * 500, "줄\n" * 50_000, "x" * 100_000)
    report = CheckReport(output=output, buttons=[Button("버튼" * 20, "설명" * 40, "i" * 20)] * 5)
    await checks.create_check_run(reporter, await sandbox.head(NAME), "n", "dep_1", report)
    assert sandbox.checks(NAME) == ["n: queued"]


async def test_a_reaction_changes_from_eyes_to_rocket(reporter: Client, sandbox: GitHubSandbox) -> None:
    number = await sandbox.open_issue(NAME)
    said = await sandbox.comment(NAME, number, "/deploy")
    for _ in range(2):
        await comments.add_reaction(reporter, said.id, "eyes")
    await comments.add_reaction(reporter, said.id, "rocket")
    for _ in range(2):
        await comments.remove_reaction(reporter, said.id, "eyes", "shipmate[bot]")
    assert sandbox.reactions(NAME, said.id) == ["rocket"]


async def test_a_deployment_tells_its_way_to_success(reporter: Client, sandbox: GitHubSandbox) -> None:
    new = NewDeployment(await sandbox.head(NAME), "production", "dep_1", "By alice " * 40, production=True)
    made = await deployments.ensure_deployment(reporter, new)
    assert (await deployments.ensure_deployment(reporter, new)).id == made.id
    live = DeploymentStatus("success", "Live", "https://shipmate.example.com/jobs/dep_1", "https://api.example.com")
    for status in (DeploymentStatus("in_progress"), live, live):
        await deployments.add_status(reporter, made.id, status, look_first=True)
    assert [status.state for status in await deployments.list_statuses(reporter, made.id)] == ["success", "in_progress"]
    assert len(await deployments.list_deployments(reporter, environment="production")) == 1


async def test_refs_resolve_to_the_commit_they_name(decider: Client, sandbox: GitHubSandbox) -> None:
    head = await sandbox.head(NAME)
    pushed = await sandbox.push(NAME, branch="--upload-pack=touch", files={"x": "1"})
    await sandbox.tag(NAME, "v1", at="main")
    refs = ["main", "v1", head, head[:10], "--upload-pack=touch", "nope", "0" * 40]
    assert [await repository.resolve(decider, ref) for ref in refs] == [head, head, head, head, pushed.sha, None, None]
    assert await repository.contains(decider, "--upload-pack=touch", head)
    assert not await repository.contains(decider, "main", pushed.sha)


async def test_a_commit_of_a_fork_is_not_in_the_base(decider: Client, sandbox: GitHubSandbox) -> None:
    await sandbox.fork(NAME, "eve/api")
    await sandbox.push("eve/api", branch="evil", files={"app.py": "evil\n"}, by="eve")
    opened = await sandbox.open_pull(NAME, head="evil", by="eve", from_fork="eve/api")
    pull = await pulls.get_pull(decider, opened.number)
    assert pull.from_fork
    assert pull.head_repository == "eve/api"
    assert not await repository.contains(decider, "main", pull.head_sha)
    assert [one.number for one in await pulls.list_open_pulls(decider)] == [opened.number]


async def test_files_and_trees_are_read_as_they_were_pushed(decider: Client, sandbox: GitHubSandbox) -> None:
    pushed = await sandbox.push(NAME, files={"a b/한글.txt": "안녕\n", "big.txt": "x" * 2_000_000})
    assert await repository.file_at(decider, ".shipmate.yml", "main") == b"port: 8080\n"
    assert await repository.file_at(decider, "a b/한글.txt", pushed.sha) == "안녕\n".encode()
    assert await repository.file_at(decider, "big.txt", pushed.sha, most_bytes=3_000_000) == b"x" * 2_000_000
    assert await repository.file_at(decider, "a b", pushed.sha) is None
    assert await repository.file_at(decider, "nope", pushed.sha) is None
    found = await repository.tree(decider, pushed.sha)
    assert {"a b/한글.txt", ".shipmate.yml"} <= {entry.path for entry in found.entries}
    assert not found.truncated


async def test_a_branch_and_its_repository_are_known(decider: Client, sandbox: GitHubSandbox) -> None:
    head = await repository.branch_head(decider, "main")
    assert head is not None
    assert head.sha == await sandbox.head(NAME)
    assert await repository.branch_head(decider, "nope") is None
    assert (await repository.get_repository(decider)).default_branch == "main"


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_is_told_as_it_was_given(decider: Client, sandbox: GitHubSandbox, role: Role) -> None:
    sandbox.set_permission(NAME, "bob", role.name.lower())
    assert await people.role_of(decider, "bob") is role


async def test_a_role_taken_away_counts_at_once(decider: Client, sandbox: GitHubSandbox) -> None:
    sandbox.set_permission(NAME, "bob", "admin")
    assert await people.role_of(decider, "bob") is Role.ADMIN
    sandbox.set_permission(NAME, "bob", "read")
    assert await people.role_of(decider, "bob") is Role.READ


async def test_team_members_are_known(bind: Callable[[Any], Client], sandbox: GitHubSandbox) -> None:
    sandbox.add_to_team("acme", "ops", "bob")
    client = bind(DECIDE_BY_TEAM)
    assert await people.is_team_member(client, "acme", "ops", "bob")
    assert not await people.is_team_member(client, "acme", "ops", "mallory")


async def test_a_gate_reads_the_checks_of_a_commit(
    bind: Callable[[Any], Client], reporter: Client, sandbox: GitHubSandbox
) -> None:
    sha = await sandbox.head(NAME)
    await checks.create_check_run(reporter, sha, "deploy", "dep_1", REPORTED)
    found = await commit_checks(bind(DECIDE), sha)
    assert [run.name for run in found.runs] == ["deploy"]
    assert found.without_app(sandbox.app_id).runs == ()


async def test_a_token_to_clone_with_can_do_nothing_else(bind: Callable[[Any], Client], sandbox: GitHubSandbox) -> None:
    with pytest.raises(Permanent, match="github_forbidden"):
        await checks.create_check_run(bind(CLONE), await sandbox.head(NAME), "deploy", "dep_1", REPORTED)
    assert sandbox.checks(NAME) == []


async def test_a_permission_the_installation_lacks_is_refused(bind: Callable[[Any], Client]) -> None:
    with pytest.raises(Permanent, match="github_invalid"):
        await repository.get_repository(bind({"administration": "write"}))


async def test_unchanged_pulls_and_files_cost_no_quota(decider: Client, sandbox: GitHubSandbox) -> None:
    opened = await sandbox.push(NAME, branch="b", files={"x": "1"})
    number = (await sandbox.open_pull(NAME, head="b")).number
    for _ in range(3):
        assert (await pulls.get_pull(decider, number)).head_sha == opened.sha
        assert await repository.file_at(decider, ".shipmate.yml", "main") == b"port: 8080\n"
    statuses = [one.status for one in sandbox.requests if "/pulls/" in one.path or "/contents/" in one.path]
    assert statuses == [200, 200, 304, 304, 304, 304]


async def test_tokens_that_all_expired_are_renewed(reporter: Client, sandbox: GitHubSandbox) -> None:
    await repository.get_repository(reporter)
    sandbox.tokens.expire_all()
    assert (await repository.get_repository(reporter)).repository.full_name == NAME


# What GitHub tells is understood


async def test_what_people_do_arrives_as_facts(app: GitHub, sandbox: GitHubSandbox, reporter: Client) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    sandbox.webhook_url = "http://127.0.0.1:1/nobody-listens"
    pushed = await sandbox.push(NAME, branch="feature", files={"x": "1"})
    opened = await sandbox.open_pull(NAME, head="feature")
    await sandbox.comment(NAME, opened.number, "/deploy")
    run = await checks.create_check_run(reporter, pushed.sha, "deploy", "dep_1", REPORTED)
    await sandbox.click(run.id, "cancel")
    await sandbox.rerequest(run.id)
    await sandbox.settle()
    missed = [one async for one in deliveries_since(app.app, since)]
    assert not any(one.accepted for one in missed)
    facts = []
    for one in reversed(missed):
        full = await get_delivery(app.app, one.id)
        assert full.headers["X-GitHub-Delivery"] == one.guid
        facts.append(parse(one.event, json.dumps(dict(full.payload)).encode()))
    assert not any(isinstance(fact, Ignored) and fact.reason_code == "event_not_used" for fact in facts)
    [push] = [fact for fact in facts if isinstance(fact, Push)]
    assert (push.branch, push.after, push.installation_id) == ("feature", pushed.sha, sandbox.installation("acme").id)
    [comment] = [fact for fact in facts if isinstance(fact, IssueComment)]
    assert (comment.body, comment.is_pull, comment.issue_number) == ("/deploy", True, opened.number)
    [pull] = [fact for fact in facts if isinstance(fact, PullRequestChanged)]
    assert (pull.action, pull.pull.head_sha, pull.pull.from_fork) == ("opened", pushed.sha, False)
    asked = [(fact.action, fact.identifier, fact.external_id) for fact in facts if isinstance(fact, CheckRunAsked)]
    assert asked == [("requested_action", "cancel", "dep_1"), ("rerequested", None, "dep_1")]


async def test_a_missed_delivery_is_sent_again_under_its_guid(app: GitHub, sandbox: GitHubSandbox) -> None:
    sandbox.webhook_url = "http://127.0.0.1:1/nobody-listens"
    await sandbox.push(NAME, files={"x": "1"})
    await sandbox.settle()
    since = datetime.now(UTC) - timedelta(minutes=5)
    [missed] = [one async for one in deliveries_since(app.app, since) if one.event == "push"]
    await redeliver(app.app, missed.id)
    await sandbox.settle()
    attempts = [one async for one in deliveries_since(app.app, since) if one.event == "push"]
    assert [(one.guid, one.redelivery) for one in attempts] == [(missed.guid, True), (missed.guid, False)]


# Faults do no damage


Report = Callable[[Client, GitHubSandbox], Awaitable[object]]


async def report_check(client: Client, sandbox: GitHubSandbox) -> object:
    sha = await sandbox.head(NAME)
    return await checks.ensure_check_run(client, sha, "deploy", "dep_1", REPORTED, look_first=False)


async def report_comment(client: Client, sandbox: GitHubSandbox) -> object:
    return await comments.ensure_comment(client, 1, "job:1", "shipmate[bot]", "Queued", look_first=False)


async def report_deployment(client: Client, sandbox: GitHubSandbox) -> object:
    new = NewDeployment(await sandbox.head(NAME), "production", "dep_1")
    return await deployments.ensure_deployment(client, new, look_first=False)


def left_behind(sandbox: GitHubSandbox) -> int:
    return len(sandbox.check_runs(NAME)) + len(sandbox.comments(NAME)) + len(sandbox.deployments(NAME))


REPORTS = [report_check, report_comment, report_deployment]
PASSING = [
    ("lose_reply", {}),
    ("cut", {}),
    ("status", {"status": 500}),
    ("status", {"status": 502}),
    ("status", {"status": 401, "body": {"message": "Bad credentials"}}),
    ("rate_limit", {"seconds": 0}),
    ("secondary_limit", {"seconds": 0}),
    ("hang", {"seconds": 3}),
]


@pytest.mark.parametrize(("effect", "details"), PASSING, ids=[f"{effect}{d or ''}" for effect, d in PASSING])
@pytest.mark.parametrize("report", REPORTS, ids=["check run", "comment", "deployment"])
async def test_a_passing_fault_leaves_exactly_one_report(
    reporter: Client, sandbox: GitHubSandbox, report: Report, effect: str, details: dict[str, Any]
) -> None:
    await sandbox.open_issue(NAME)
    sandbox.faults.add(effect, method="POST", path=f"{NAME}/(check-runs|issues|deployments)", **details)
    await report(reporter, sandbox)
    assert left_behind(sandbox) == 1


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"effect": "status", "status": 403, "body": {"message": "Resource not accessible"}}, "github_forbidden"),
        ({"effect": "status", "status": 404, "body": {"message": "Not Found"}}, "github_not_found"),
        ({"effect": "status", "status": 422, "body": {"message": "Validation Failed"}}, "github_invalid"),
        ({"effect": "rate_limit", "seconds": 600}, "github_rate_limited"),
        ({"effect": "secondary_limit", "seconds": 600}, "github_rate_limited"),
        ({"effect": "status", "status": 500}, "github_unavailable"),
        ({"effect": "cut"}, "github_unreachable"),
    ],
)
@pytest.mark.parametrize("report", REPORTS, ids=["check run", "comment", "deployment"])
async def test_a_lasting_fault_is_told_and_leaves_nothing(
    reporter: Client, sandbox: GitHubSandbox, report: Report, details: dict[str, Any], code: str
) -> None:
    await sandbox.open_issue(NAME)
    sandbox.faults.add(**details, path=NAME, count=None)
    with pytest.raises((Transient, Permanent), match=code):
        await report(reporter, sandbox)
    assert left_behind(sandbox) == 0


async def test_no_permission_is_granted_while_github_is_down(decider: Client, sandbox: GitHubSandbox) -> None:
    sandbox.set_permission(NAME, "bob", "admin")
    sandbox.faults.add("status", path="/permission", status=500, count=None)
    with pytest.raises(Refused, match="permission_unreadable"):
        await people.role_of(decider, "bob")


async def test_a_fault_while_minting_passes(reporter: Client, sandbox: GitHubSandbox) -> None:
    sandbox.faults.add("cut", path="/access_tokens", count=2)
    assert (await repository.get_repository(reporter)).default_branch == "main"


async def test_an_app_that_was_removed_is_told(reporter: Client, sandbox: GitHubSandbox) -> None:
    await sandbox.uninstall("acme")
    with pytest.raises(NotFound):
        await repository.get_repository(reporter)
