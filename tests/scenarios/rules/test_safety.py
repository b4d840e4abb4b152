"""Who may not, when it is refused, and that a refusal changes nothing."""

from __future__ import annotations

import pytest

from tests.fake_engine import dockerfile
from tests.world import REPO, World


async def test_a_reader_may_not_deploy_and_is_told_what_it_takes(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/deploy", by="bob")
    assert "has `read` on this repository; `/deploy` needs `write`" in world.answer(pull.number)
    assert world.reactions(said) == ["confused"]
    assert await world.jobs() == []


async def test_a_stranger_may_not_even_ask_for_the_status_of_a_private_repository(world: World) -> None:
    world.github.repository(REPO).private = True
    pull = await world.open_pull("two")
    await world.say(pull.number, "/status", by="mallory")
    assert "needs `read`" in world.answer(pull.number)


@pytest.mark.parametrize("status", [403, 500])
async def test_when_github_cannot_say_who_may_nothing_is_done(world: World, status: int) -> None:
    pull = await world.open_pull("two")
    world.github.faults.add("status", path="/collaborators/", status=status, count=None)
    said = await world.say(pull.number, "/deploy")
    assert await world.jobs() == []
    assert world.reactions(said) == ["confused"]


async def test_a_fork_deploys_nothing(world: World) -> None:
    await world.github.fork(REPO, "mallory/api")
    await world.github.push("mallory/api", branch="evil", files={"Dockerfile": dockerfile("evil")}, by="mallory")
    pull = await world.github.open_pull(REPO, head="evil", from_fork="mallory/api", by="mallory")
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert "comes from a fork" in world.answer(pull.number)
    assert await world.jobs() == []


async def test_a_commit_that_only_a_fork_has_is_not_deployed_by_its_sha(world: World) -> None:
    await world.github.fork(REPO, "mallory/api")
    pushed = await world.github.push("mallory/api", branch="evil", files={"Dockerfile": dockerfile("evil")})
    fork = await world.github.open_pull(REPO, head="evil", from_fork="mallory/api", by="mallory")
    pull = await world.open_pull("two")
    for number in (fork.number, pull.number):
        for sha in (pushed.sha, pushed.sha[:10]):
            await world.say(number, f"/deploy {sha}")
            assert f"There is no branch, tag or commit `{sha}`" in world.answers(number)[-1].body
    assert await world.jobs() == []


async def test_the_head_of_an_open_pull_request_is_deployed_by_its_sha(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, f"/deploy {pull.head_sha} to staging")
    assert await world.serves("staging") == "two"


@pytest.mark.parametrize("end", ["closed", "merged"])
async def test_a_pull_request_that_is_over_is_not_deployed(world: World, end: str) -> None:
    pull = await world.open_pull("two")
    if end == "merged":
        await world.github.merge_pull(REPO, pull.number)
    else:
        await world.github.close_pull(REPO, pull.number)
    await world.settle()
    before = len(await world.jobs())
    await world.say(pull.number, "/deploy")
    assert f"This pull request is {end}" in world.answer(pull.number)
    assert len(await world.jobs()) == before


async def test_on_an_issue_a_commit_must_be_named(world: World) -> None:
    number = await world.github.open_issue(REPO)
    await world.say(number, "/deploy")
    assert "On an issue there is no commit to deploy" in world.answer(number)
    await world.say(number, "/deploy main to staging")
    assert await world.serves("staging") == "zero"


@pytest.mark.parametrize(
    "body",
    [
        "```\n/deploy\n```",
        "    /deploy",
        "> /deploy",
        "<!-- \n/deploy\n-->",
        "please say /deploy",
        "<pre>\n/deploy\n</pre>",
        "`/deploy`",
    ],
    ids=["fenced", "indented", "quoted", "in a comment of HTML", "in a sentence", "preformatted", "in code"],
)
async def test_a_command_that_is_only_shown_is_not_obeyed(world: World, body: str) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, body)
    assert await world.jobs() == []
    assert world.answers(pull.number) == []


async def test_a_bot_is_not_obeyed(world: World) -> None:
    world.github.set_permission(REPO, "helper[bot]", "write")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy", by="helper[bot]")
    assert await world.jobs() == []
    assert world.answers(pull.number) == []


async def test_an_edited_comment_is_not_obeyed(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "Looks good")
    await world.github.edit_comment(REPO, said.id, "/deploy")
    await world.settle()
    assert await world.jobs() == []


async def test_what_we_write_never_asks_us_for_anything(world: World) -> None:
    pull = await world.open_pull("two")
    for body in ("/help", "/deplyo /deploy", "/deploy to /deploy", "/status"):
        await world.say(pull.number, body)
    said_by_us = [row for row in await world.outcomes("issue_comment") if "said_by_a_bot" in row]
    assert len(said_by_us) == len(world.answers(pull.number))
    assert await world.jobs() == []


async def test_a_head_pushed_after_the_command_is_refused(world: World) -> None:
    """The push arrives first at GitHub's, the announcement of the new head second at ours."""
    pull = await world.open_pull("two")
    world.github.faults.add("delay", on="webhook", path="pull_request", seconds=0.5)
    await world.push("sneaky", branch="feature")
    await world.say(pull.number, "/deploy")
    assert "has not been announced here yet" in world.answer(pull.number)
    assert await world.jobs() == []


async def test_a_head_announced_after_the_command_was_received_is_refused(world: World) -> None:
    pull = await world.open_pull("two")
    world.github.faults.add("delay", path="/collaborators/", seconds=0.4)
    await world.comment(pull.number, "/deploy")
    await world.push("sneaky", branch="feature")
    await world.settle()
    assert "Nothing was deployed" in world.answer(pull.number)
    assert await world.jobs() == []


async def test_a_head_announced_before_the_command_is_the_one_deployed(world: World) -> None:
    pull = await world.open_pull("two")
    sha = await world.push("three", branch="feature")
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert [job.sha for job in await world.jobs()] == [sha]
    assert await world.serves() == "three"


async def test_a_head_that_moves_while_it_runs_ends_the_deployment(world: World) -> None:
    await world.push("one")
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy")
    await world.until(world.engine.building.is_set)
    await world.push("three", branch="feature")
    await world.github.settle()
    world.engine.go_on.set()
    await world.settle()
    assert (await world.jobs())[-1].error_code == "ref_changed"
    assert "head moved" in world.answer(pull.number)
    assert world.engine.running == ["one"]


async def test_a_pull_request_closed_while_it_runs_ends_the_deployment(world: World) -> None:
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy")
    await world.until(world.engine.building.is_set)
    await world.github.close_pull(REPO, pull.number)
    world.engine.go_on.set()
    await world.settle()
    assert (await world.jobs())[-1].error_code == "pull_closed"
    assert world.engine.running == []


async def test_a_permission_taken_away_while_it_runs_ends_the_deployment(world: World) -> None:
    await world.push("one")
    pull = await world.open_pull("two", "wait")
    await world.comment(pull.number, "/deploy")
    await world.until(world.engine.building.is_set)
    world.github.set_permission(REPO, "alice", "read")
    world.engine.go_on.set()
    await world.settle()
    assert (await world.jobs())[-1].error_code == "permission_lost"
    assert world.engine.running == ["one"]


@pytest.mark.parametrize("name", ["--upload-pack=pwned", "-q", "--all"])
async def test_a_branch_named_like_an_option_is_only_a_name(world: World, name: str) -> None:
    settings = f"environments:\n  production: {{branch: '{name}', checks: 1}}\n"
    await world.push_files({".shipmate.yml": settings})
    await world.settle()
    sha = await world.push("one", branch=name)
    await world.settle()
    assert world.checks(sha) == ["shipmate / deploy: success"]
    assert await world.serves() == "one"
    pull = await world.github.open_pull(REPO, head=name)
    await world.settle()
    await world.say(pull.number, "/deploy")
    assert (await world.states())[-1] == "COMPLETED"
    await world.say(pull.number, f"/deploy {name}")
    assert "`/deploy" in world.answers(pull.number)[-1].body
    assert len(await world.jobs()) == 2


async def test_a_ref_cannot_leave_the_code_it_is_echoed_in(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy x`@everyone-here")
    assert "`x'@everyone-here`" in world.answer(pull.number)


async def test_a_mistake_calls_nobody(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/status @everyone-here")
    assert "@everyone-here" not in world.answer(pull.number)
