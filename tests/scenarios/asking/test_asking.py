"""What people ask for by a push, a comment or a button, and what they see at GitHub."""

from __future__ import annotations

import pytest

from bot.clock import utc_now
from tests.fake_engine import dockerfile
from tests.world import REPO, SETTINGS, World


async def test_a_push_is_built_deployed_and_told(world: World) -> None:
    sha = await world.push("one")
    await world.settle()
    assert world.checks(sha) == ["shipmate / deploy: success"]
    assert world.told("production") == ["success"]
    assert await world.serves() == "one"
    run = world.check_run(sha)
    assert run.details_url is not None
    assert run.details_url.startswith("http://shipmate.test/jobs/dep_")
    assert [action["identifier"] for action in run.actions] == ["rollback", "analyze"]


async def test_a_second_push_replaces_the_first_and_keeps_its_address(world: World) -> None:
    await world.push("one", branch="staging")
    await world.settle()
    before = world.url("staging")
    await world.push("two", branch="staging")
    await world.settle()
    assert world.url("staging") == before
    assert await world.serves("staging") == "two"
    assert world.engine.running == ["two"]
    assert world.told("staging") == ["inactive", "success"]


async def test_a_push_to_another_branch_goes_to_its_own_environment(world: World) -> None:
    await world.push("one")
    await world.push("two", branch="staging")
    await world.settle()
    assert (await world.serves("production"), await world.serves("staging")) == ("one", "two")


async def test_a_push_to_a_branch_without_environment_deploys_nothing(world: World) -> None:
    await world.push("one", branch="feature")
    await world.settle()
    assert await world.jobs() == []
    assert world.checks() == []


async def test_deploy_on_a_pull_request_ships_its_head(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/deploy")
    assert world.checks(pull.head_sha) == ["shipmate / deploy: success"]
    assert await world.serves() == "two"
    assert world.reactions(said) == ["rocket"]
    assert "Deployed to production" in world.answer(pull.number)


async def test_the_asker_sees_eyes_while_it_runs_and_one_comment_to_the_end(world: World) -> None:
    pull = await world.open_pull("two", "hang")
    said = await world.comment(pull.number, "/deploy")
    await world.until(lambda: world.reactions(said) == ["eyes"] and world.answers(pull.number))
    first = world.answers(pull.number)[0].id
    await world.say(pull.number, "/cancel")
    assert world.reactions(said) == ["confused"]
    assert first in [comment.id for comment in world.answers(pull.number)]


async def test_deploy_of_a_branch_to_an_environment(world: World) -> None:
    pull = await world.open_pull("two")
    await world.push("three", branch="other")
    await world.say(pull.number, "/deploy other to staging")
    assert await world.serves("staging") == "three"
    assert world.told("production") == []


async def test_deploy_of_a_tag_and_of_a_short_sha(world: World) -> None:
    sha = await world.push("one", branch="other")
    await world.push("later", branch="other")
    await world.github.tag(REPO, "v1", at=sha)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy v1 to staging")
    assert await world.serves("staging") == "one"
    await world.say(pull.number, f"/deploy {sha[:8]}")
    assert await world.serves() == "one"


async def test_what_does_not_exist_is_told_with_what_does(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/deploy to moon\n/deploy nowhere")
    first, second = (comment.body for comment in world.answers(pull.number))
    assert "There is no environment `moon`" in first
    assert "production" in first
    assert "staging" in first
    assert "There is no branch, tag or commit `nowhere`" in second
    assert world.reactions(said) == ["confused"]


async def test_the_name_of_an_environment_in_the_place_of_a_ref_is_answered_with_what_to_say(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/deploy staging")
    assert "Say `/deploy to staging`" in world.answer(pull.number)
    assert world.reactions(said) == ["confused"]
    assert await world.jobs() == []


async def test_a_branch_that_is_called_like_an_environment_is_deployed(world: World) -> None:
    await world.push("three", branch="production")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy production")
    assert await world.serves() == "three"


@pytest.mark.parametrize("question", ["/status moon", "/queue moon"])
async def test_an_environment_nobody_knows_is_not_said_to_be_empty(world: World, question: str) -> None:
    await world.push("one")
    pull = await world.open_pull("two")
    await world.say(pull.number, question)
    assert "There is no environment `moon`" in world.answer(pull.number)


async def test_an_environment_that_serves_nothing_yet_is_named(world: World) -> None:
    await world.push("one")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/status staging")
    assert "Nothing has been deployed to `staging` yet." in world.answers(pull.number)[-1].body
    await world.say(pull.number, "/queue staging")
    assert "Nobody waits" in world.answers(pull.number)[-1].body


async def test_after_a_rollback_status_tells_who_put_it_back_and_when(world: World) -> None:
    world.github.set_permission(REPO, "carol", "write")
    await world.push("one")
    await world.settle()
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    await world.say(pull.number, "/rollback", by="carol")
    await world.say(pull.number, "/status")
    back = (await world.jobs())[-1]
    assert back.ended_at is not None
    assert f"{back.ended_at:%Y-%m-%d %H:%M} UTC · carol |" in world.answers(pull.number)[-1].body


async def test_help_about_one_command_gives_examples_and_about_none_says_so(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/help deploy")
    assert "- `/deploy to staging`" in world.answers(pull.number)[-1].body
    await world.say(pull.number, "/help fly")
    assert "no command here" in world.answers(pull.number)[-1].body
    assert "| `/deploy" in world.answers(pull.number)[-1].body


async def test_a_mistyped_option_is_answered_with_the_right_one(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy --no-op")
    assert "Did you mean `--noop`?" in world.answer(pull.number)


async def test_status_tells_what_serves(world: World) -> None:
    sha = await world.push("one")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/status", by="bob")
    assert sha[:7] in world.answer(pull.number)
    assert "`production`" in world.answer(pull.number)


async def test_help_shows_every_command(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/help")
    for command in ("/deploy", "/status", "/cancel", "/rollback", "/help"):
        assert command in world.answer(pull.number)


async def test_a_mistyped_command_is_answered_with_the_right_one(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/deplyo")
    assert "Did you mean `/deploy`" in world.answer(pull.number)
    assert world.reactions(said) == ["confused"]


async def test_cancel_really_stops_the_build(world: World) -> None:
    await world.push("one")
    pull = await world.open_pull("two", "hang")
    await world.comment(pull.number, "/deploy")
    await world.until(world.engine.building.is_set)
    said = await world.say(pull.number, "/cancel")
    assert world.engine.stopped_builds == 1
    assert (await world.states())[-1] == "CANCELLED"
    assert world.checks(pull.head_sha) == ["shipmate / deploy: cancelled"]
    assert world.reactions(said) == ["+1"]
    assert await world.serves() == "one"
    assert world.engine.running == ["one"]


async def test_cancel_with_nothing_under_way_says_so(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/cancel")
    assert "Nothing is under way here" in world.answer(pull.number)


async def test_rollback_puts_the_last_good_release_back_without_a_build(world: World) -> None:
    await world.push("one")
    await world.settle()
    await world.push("two")
    await world.settle()
    builds = len(world.engine.built)
    pull = await world.open_pull("three")
    said = await world.say(pull.number, "/rollback")
    assert await world.serves() == "one"
    assert len(world.engine.built) == builds
    assert world.reactions(said) == ["rocket"]
    assert world.engine.running == ["one"]


async def test_rollback_with_nothing_to_go_back_to_says_so(world: World) -> None:
    await world.push("one")
    pull = await world.open_pull("two")
    await world.say(pull.number, "/rollback")
    assert "no earlier release" in world.answer(pull.number)
    assert await world.serves() == "one"


async def test_the_retry_button_deploys_the_same_commit_again(world: World) -> None:
    sha = await world.push("one", "hang")
    await world.until(world.engine.building.is_set)
    await world.github.click(world.check_run(sha).id, "cancel")
    await world.settle()
    await world.github.click(world.check_run(sha).id, "retry")
    await world.until(world.engine.building.is_set)
    retried = world.github.check_runs(REPO, sha)[-1]
    await world.github.click(retried.id, "cancel")
    await world.settle()
    assert [job.sha for job in await world.jobs()] == [sha, sha]
    assert world.checks(sha) == ["shipmate / deploy: cancelled"] * 2


async def test_the_rollback_button_puts_the_release_before_back(world: World) -> None:
    await world.push("one")
    await world.settle()
    sha = await world.push("two")
    await world.settle()
    await world.github.click(world.check_run(sha).id, "rollback")
    await world.settle()
    assert await world.serves() == "one"


async def test_rerunning_the_check_deploys_again(world: World) -> None:
    sha = await world.push("one")
    await world.settle()
    await world.github.rerequest(world.check_run(sha).id)
    await world.settle()
    assert await world.states() == ["COMPLETED", "COMPLETED"]
    assert world.checks(sha) == ["shipmate / deploy: success"] * 2


async def test_a_button_obeys_only_those_who_may(world: World) -> None:
    sha = await world.push("one")
    await world.settle()
    await world.github.rerequest(world.check_run(sha).id, by="bob")
    await world.settle()
    assert await world.states() == ["COMPLETED"]
    assert "`read`" in (world.github.check_runs(REPO, sha)[-1].summary or "")


async def test_a_fault_in_the_settings_is_told_with_line_and_column(world: World) -> None:
    sha = await world.push_files({".shipmate.yml": "environments:\n  production:\n    prot: 80\n"})
    await world.settle()
    run = world.check_run(sha)
    assert run.state == "action_required"
    assert "`.shipmate.yml` line 3, column 5" in (run.summary or "")
    assert await world.jobs() == []


async def test_settings_of_the_pull_request_itself_do_not_count(world: World) -> None:
    pull = await world.open_pull("two")
    files = {".shipmate.yml": SETTINGS.replace("checks: 1", "command: 'steal'"), "Dockerfile": dockerfile("three")}
    await world.push_files(files, branch="feature")
    await world.settle()
    await world.say(pull.number, "/deploy")
    (copy,) = world.engine.copies.values()
    assert copy.spec.command is None
    assert copy.does == ["serve", "three"]


@pytest.mark.parametrize("way", ["printed by the release command", "printed by a sick application"])
async def test_a_secret_is_given_by_name_and_never_shown(world: World, way: str) -> None:
    secret = "hunter2-correct-horse"
    await world.store.secrets.put(REPO, "DB_PASSWORD", secret, utc_now())
    more = "release_command: printenv, " if "command" in way else ""
    settings = (
        f"environments:\n  production: {{branch: main, checks: 1, health_timeout: 1, {more}secrets: [DB_PASSWORD]}}"
    )
    app = dockerfile("one") if "command" in way else "FROM scratch\nCMD sick\n"
    sha = await world.push_files({".shipmate.yml": settings, "Dockerfile": app})
    await world.settle()
    assert any("DB_PASSWORD=" in line for line in await world.store.jobs.log_tail((await world.jobs())[0].id, 50))
    assert secret not in world.everything_written()
    assert world.checks(sha) == ["shipmate / deploy: " + ("success" if "command" in way else "failure")]


async def test_a_secret_that_is_not_set_is_named(world: World) -> None:
    settings = "environments:\n  production: {branch: main, secrets: [NOT_SET]}\n"
    sha = await world.push_files({".shipmate.yml": settings})
    await world.settle()
    assert "The secret `NOT_SET` is not set" in (world.check_run(sha).summary or "")


async def test_two_commands_of_one_comment_run_one_after_the_other(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy\n/deploy main to staging")
    assert (await world.serves(), await world.serves("staging")) == ("two", "zero")


async def test_two_people_asking_for_one_environment_wait_for_each_other(world: World) -> None:
    world.github.set_permission(REPO, "carol", "maintain")
    first, second = await world.open_pull("two", "hang"), await world.open_pull("three", branch="other")
    await world.comment(first.number, "/deploy")
    await world.until(world.engine.building.is_set)
    await world.comment(second.number, "/deploy", by="carol")
    await world.until(lambda: "1 ahead" in "".join(comment.body for comment in world.answers(second.number)))
    assert [job.state.value for job in await world.jobs()][1] == "PENDING"
    await world.say(first.number, "/cancel")
    assert await world.states() == ["CANCELLED", "COMPLETED"]
    assert await world.serves() == "three"


async def test_of_pushes_that_wait_only_the_newest_is_deployed(world: World) -> None:
    await world.push("one", "hang")
    await world.until(world.engine.building.is_set)
    middle = await world.push("two")
    await world.until(lambda: world.checks(middle))
    await world.push("three")
    await world.github.settle()
    await world.until(lambda: world.checks(middle) == ["shipmate / deploy: skipped"])
    (job, *_) = await world.jobs()
    await world.store.jobs.ask_cancel(job.id, "alice", utc_now())
    await world.settle()
    assert await world.states() == ["CANCELLED", "SUPERSEDED", "COMPLETED"]
    assert await world.serves() == "three"
