"""Buttons and GitHub's own "Re-run": one check, all of them; as the one who clicks, and never twice by one click."""

from __future__ import annotations

import pytest

from bot.commands import read_comment
from tests.world import REPO, World


async def _shipped(world: World, serves: str, *steps: str, branch: str = "main") -> str:
    sha = await world.push(serves, *steps, branch=branch)
    await world.settle()
    return sha


@pytest.mark.parametrize(("state", "buttons"), [("good", ["rollback", "analyze"]), ("bad", ["retry"])])
async def test_buttons_fit_the_state(world: World, state: str, buttons: list[str]) -> None:
    sha = await _shipped(world, "one", *(["fail"] if state == "bad" else []))
    shown = [action["identifier"] for action in world.check_run(sha).actions]
    assert shown[0] == buttons[0]
    assert len(shown) <= 3


async def test_a_refused_click_can_be_made_again_once_it_is_allowed(world: World) -> None:
    sha = await _shipped(world, "one", "fail")
    run = world.check_run(sha).id
    await world.github.click(run, "retry", by="bob")
    await world.settle()
    assert len(await world.jobs()) == 1
    world.github.set_permission(REPO, "bob", "write")
    await world.github.click(run, "retry", by="bob")
    await world.settle()
    assert [job.origin.actor for job in await world.jobs()] == ["alice", "bob"]


async def test_a_click_refused_twice_for_one_reason_is_answered_once(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    run = world.check_run(pull.head_sha).id
    before = len(world.answers(pull.number))
    for _ in range(2):
        await world.github.click(run, "rollback", by="bob")
        await world.settle()
    assert len(world.answers(pull.number)) == before + 1
    assert (await world.outcomes("check_run"))[-2:] == ["refused permission_needed"] * 2


async def test_a_click_that_acted_acts_once(world: World) -> None:
    sha = await _shipped(world, "one", "fail")
    clicked = await world.github.click(world.check_run(sha).id, "retry")
    await world.settle()
    await world.redeliver(clicked, times=3)
    await world.settle()
    assert len(await world.jobs()) == 2


async def test_running_all_checks_again_tries_again_what_ended_badly(world: World) -> None:
    sha = await _shipped(world, "one", "fail")
    await world.github.rerequest_suite(REPO, sha)
    await world.settle()
    assert [job.sha for job in await world.jobs()] == [sha, sha]
    assert (await world.outcomes("check_suite"))[-1] == "acted deploy_asked"


async def test_running_all_checks_again_deploys_nothing_that_went_well(world: World) -> None:
    old = await _shipped(world, "one")
    await _shipped(world, "two")
    await world.github.rerequest_suite(REPO, old)
    await world.settle()
    assert await world.serves() == "two"
    assert await world.states() == ["COMPLETED", "COMPLETED"]
    assert (await world.outcomes("check_suite"))[-1] == "acted checks_shown_again"


async def test_checks_that_are_not_run_again_are_told_anew_so_that_the_suite_ends(world: World) -> None:
    sha = await _shipped(world, "one")
    before = len([one for one in world.github.requests if one.method == "PATCH" and "/check-runs/" in one.path])
    await world.github.rerequest_suite(REPO, sha)
    await world.settle()
    after = len([one for one in world.github.requests if one.method == "PATCH" and "/check-runs/" in one.path])
    assert after > before
    assert world.checks(sha) == ["shipmate / deploy: success"]


async def test_only_the_newest_try_of_a_check_counts(world: World) -> None:
    sha = await _shipped(world, "one", "fail")
    for _ in range(2):
        await world.github.rerequest(world.github.check_runs(REPO, sha)[-1].id)
        await world.settle()
    before = len(await world.jobs())
    await world.github.rerequest_suite(REPO, sha)
    await world.settle()
    assert len(await world.jobs()) == before + 1


async def test_running_all_checks_again_is_asked_as_the_one_who_clicked(world: World) -> None:
    sha = await _shipped(world, "one", "fail")
    await world.github.rerequest_suite(REPO, sha, by="bob")
    await world.settle()
    assert len(await world.jobs()) == 1
    assert (await world.outcomes("check_suite"))[-1] == "refused permission_needed"
    world.github.set_permission(REPO, "bob", "write")
    await world.github.rerequest_suite(REPO, sha, by="bob")
    await world.settle()
    assert [job.origin.actor for job in await world.jobs()] == ["alice", "bob"]


async def test_checks_of_a_commit_we_never_worked_on_are_nobodys(world: World) -> None:
    sha = await _shipped(world, "one", branch="feature")
    await world.github.rerequest_suite(REPO, sha)
    await world.settle()
    assert (await world.outcomes("check_suite"))[-1] == "ignored nothing_to_run_again"


async def test_a_bot_runs_nothing_again(world: World) -> None:
    world.github.set_permission(REPO, "helper[bot]", "write")
    sha = await _shipped(world, "one", "fail")
    await world.github.rerequest_suite(REPO, sha, by="helper[bot]")
    await world.settle()
    assert len(await world.jobs()) == 1


async def test_nothing_we_write_could_be_read_as_a_command(world: World) -> None:
    pull = await world.open_pull("two", "echo /deploy", "fail")
    commands = ("/deploy", "/why", "/logs", "/status", "/stats", "/whoami", "/link", "/help", "/help deploy", "/queue")
    for command in (*commands, "/locks", "/deplyo /deploy", "/deploy /rollback", "/retry", "/why"):
        await world.say(pull.number, command)
    for comment in world.answers(pull.number):
        said = read_comment(comment.body)
        assert (said.commands, said.mistakes) == ((), ())


async def test_a_job_has_one_comment_however_much_happens(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    assert len(world.answers(pull.number)) == 1
    assert len(world.deployments("production")) == 1
    assert [status.state for status in world.deployments("production")[0].statuses].count("success") == 1
