"""What people ask to read: why it went so, the log, how far it is, who they are, how delivery goes; and `/retry`."""

from __future__ import annotations

from tests.fake_engine import dockerfile
from tests.scenarios.settings import CANARY, GOOD, SICK, TWO_PEOPLE, WATCHED, with_rules
from tests.world import REPO, World


def last(world: World, number: int) -> str:
    """Our newest comment there."""
    return world.answers(number)[-1].body


async def ask(world: World, number: int, command: str, by: str = "bob") -> str:
    """The answer to a question of somebody who may only read."""
    before = len(world.answers(number))
    await world.say(number, command, by=by)
    assert len(world.answers(number)) == before + 1
    return last(world, number)


# Why


async def test_why_of_a_refusal_names_the_rule_its_values_and_the_next_step(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy", by="bob")
    told = await ask(world, pull.number, "/why")
    assert "`permission_needed`" in told
    assert "/\u200bdeploy" in told
    assert "`/deploy` needs `write`" in told
    for value in ("| `role` | read |", "| `needs` | write |"):
        assert value in told


async def test_why_is_about_this_pull_request_and_not_another(world: World) -> None:
    first, second = await world.open_pull("two"), await world.open_pull("three", branch="other")
    await world.say(first.number, "/deploy to moon")
    await world.say(second.number, "/deploy nowhere")
    assert "`unknown_environment`" in await ask(world, first.number, "/why")
    assert "`ref_not_found`" in await ask(world, second.number, "/why")


async def test_why_of_a_mistake_shows_what_was_meant(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deplyo")
    assert "Did you mean `/deploy`" in await ask(world, pull.number, "/why")


async def test_why_repeats_no_value_that_was_to_be_set(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to staging -- TOKEN=hunter2")
    told = await ask(world, pull.number, "/why")
    assert "`params_none`" in told
    assert "to staging -- …" in told
    assert "hunter2" not in told


async def test_questions_asked_meanwhile_do_not_hide_what_happened(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy to moon")
    for question in ("/status", "/help", "/whoami", "/why"):
        await world.say(pull.number, question)
    assert "`unknown_environment`" in await ask(world, pull.number, "/why")


async def test_why_of_a_rollback_shows_figures_limits_the_difference_and_the_log(world: World) -> None:
    settings = WATCHED.replace("TRAFFIC", CANARY)
    await world.push_files({"Dockerfile": dockerfile("blue"), ".shipmate.yml": settings})
    await world.settle()
    before = (await world.jobs())[-1]
    world.engine.figures = {"blue": GOOD, "green": SICK}
    await world.push("green")
    await world.settle()
    job = (await world.jobs())[-1]
    pull = await world.open_pull("three")
    told = await ask(world, pull.number, f"/why {job.id}")
    assert "**Rolled back**" in told
    assert "`gate_failed`" in told
    assert "| Failed, % | 10 | 0 | 1 |" in told
    assert "| Requests (at least) | 500 | 500 | 10 |" in told
    assert "`percent`" not in told
    assert f"`{before.sha[:7]}` (v1) gives way to `{job.sha[:7]}`" in told
    assert "ROLLED_BACK `gate_failed`" in told
    assert "Last lines of the log" in told
    assert f"`/retry {job.id}`" in told


async def test_why_of_a_failed_build_names_the_cause_and_shows_the_end_of_the_log(world: World) -> None:
    pull = await world.open_pull("two", "fail")
    await world.say(pull.number, "/deploy")
    told = await ask(world, pull.number, "/why")
    assert "`build_failed`" in told
    assert "The image could not be built" in told
    assert "becomes the first release" in told
    assert "Last lines of the log" in told


async def test_why_of_a_job_that_is_held_says_who_may_let_it_run(world: World) -> None:
    world.github.set_permission(REPO, "carol", "write")
    await with_rules(world, TWO_PEOPLE)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    told = await ask(world, pull.number, "/why")
    assert "Waiting for approval" in told
    assert "`/approve dep_" in told
    assert "deploy (comment)" in told


async def test_why_of_what_serves_says_who_asked_and_how_to_go_back(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    told = await ask(world, pull.number, "/why")
    assert "**Deployed to production**" in told
    assert "acted `deploy_asked`" in told
    assert "`/rollback production`" in told


async def test_why_where_nothing_happened_says_so(world: World) -> None:
    pull = await world.open_pull("two")
    assert "Nothing has happened here" in await ask(world, pull.number, "/why")


async def test_a_job_of_another_repository_is_not_told(world: World) -> None:
    await world.github.create_repo("acme/other", files={"Dockerfile": dockerfile("other")})
    await world.push("one")
    await world.settle()
    job = (await world.jobs())[-1]
    world.github.set_permission("acme/other", "alice", "write")
    issue = await world.github.open_issue("acme/other")
    for command in ("why", "logs", "status", "retry"):
        await world.github.comment("acme/other", issue, f"/{command} {job.id}")
    await world.settle()
    said = [one.body for one in world.github.comments("acme/other", issue) if one.user.login != "alice"]
    assert [body.splitlines()[-1] for body in said] == [f"There is no job `{job.id}` in this repository."] * 4
    assert len(await world.jobs()) == 1


# The log


async def test_the_log_of_the_newest_job_here_is_shown_with_a_link_to_all_of_it(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    job = (await world.jobs())[-1]
    told = await ask(world, pull.number, "/logs")
    assert f"`{job.id}`" in told
    assert f"http://shipmate.test/jobs/{job.id}" in told
    assert "```" in told


async def test_the_log_of_one_stage_has_none_of_the_others(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    job = (await world.jobs())[-1]
    everything = await world.store.jobs.log_tail(job.id, 1000)
    built = await ask(world, pull.number, f"/logs {job.id} --stage 1")
    assert "Build" in built
    assert any(line in built for line in everything)
    assert "nothing was written" in await ask(world, pull.number, "/logs --stage 2")


async def test_a_log_cannot_leave_its_fence_nor_command(world: World) -> None:
    pull = await world.open_pull("two", "echo ```", "echo /deploy", "fail")
    await world.say(pull.number, "/deploy")
    told = await ask(world, pull.number, "/logs")
    assert "````\n" in told
    assert told.endswith("\n````")
    assert len(await world.jobs()) == 1


async def test_where_nothing_was_asked_for_there_is_no_log(world: World) -> None:
    pull = await world.open_pull("two")
    assert "Nothing was asked for here yet" in await ask(world, pull.number, "/logs")


# Again


async def test_retry_deploys_the_same_commit_again_though_the_head_moved(world: World) -> None:
    pull = await world.open_pull("two", "fail")
    await world.say(pull.number, "/deploy")
    await world.push("three", branch="feature")
    await world.settle()
    said = await world.say(pull.number, "/retry")
    first, second = await world.jobs()
    assert (first.sha, first.environment) == (second.sha, second.environment)
    assert second.origin.actor == "alice"
    assert world.reactions(said) == ["confused"]


async def test_retry_is_judged_as_the_one_who_asks_now(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    await world.say(pull.number, "/retry", by="bob")
    assert "`/retry` needs `write`" in last(world, pull.number)
    assert len(await world.jobs()) == 1


async def test_retry_goes_by_the_settings_that_are_in_force_now(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    await with_rules(world, TWO_PEOPLE)
    await world.say(pull.number, "/retry")
    assert (await world.jobs())[-1].hold is not None


async def test_what_still_runs_is_not_tried_again(world: World) -> None:
    pull = await world.open_pull("two", "hang")
    await world.comment(pull.number, "/deploy")
    await world.until(world.engine.building.is_set)
    await world.comment(pull.number, "/retry")
    await world.until(lambda: "has not ended yet" in "".join(one.body for one in world.answers(pull.number)))
    await world.say(pull.number, "/cancel")
    assert await world.states() == ["CANCELLED"]


async def test_the_trail_says_what_a_retry_repeated(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    await world.say(pull.number, "/retry")
    first, second = await world.jobs()
    asked = (await world.store.audit.of_job(second.id))[0].entry
    assert (asked.command, asked.rules["again"], asked.actor) == ("retry", first.id, "alice")


# How far, who, how well


async def test_status_of_a_job_shows_its_stages(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    job = (await world.jobs())[-1]
    told = await ask(world, pull.number, f"/status {job.id}")
    assert "Deployed to production" in told
    assert "✅ done | 6 Complete" in told


async def test_whoami_tells_login_number_role_and_what_that_is_enough_for(world: World) -> None:
    pull = await world.open_pull("two")
    number = world.github.person("bob").id
    told = await ask(world, pull.number, "/whoami")
    assert f"You are bob at GitHub (number {number})" in told
    assert "`read`" in told
    assert "`/why`" in told
    assert "`/deploy`" not in told
    assert "`/deploy`" in await ask(world, pull.number, "/whoami", by="alice")


async def test_link_says_how_and_gives_no_address_where_all_can_read(world: World) -> None:
    pull = await world.open_pull("two")
    told = await ask(world, pull.number, "/link")
    assert "`/shipmate link`" in told
    assert "http" not in told


async def test_stats_count_what_was_deployed_and_say_where_there_is_too_little(world: World) -> None:
    for words in ("one", "two", "three"):
        await world.push(words)
        await world.settle()
    await world.push("four", branch="staging")
    pull = await world.open_pull("five")
    told = await ask(world, pull.number, "/stats")
    assert "**`production`**" in told
    assert "0.75 a week" in told
    assert "median; commits: 3" in told
    assert "| Had to give the traffic back | 0 % | of 3 that took traffic |" in told
    assert "nothing had to be restored" in told
    assert "not enough data" in told.partition("**`staging`**")[2]


async def test_a_rollback_shows_in_the_figures(world: World) -> None:
    for words in ("one", "two", "three"):
        await world.push(words)
        await world.settle()
    pull = await world.open_pull("five")
    await world.say(pull.number, "/rollback")
    told = await ask(world, pull.number, "/stats production")
    assert "| Had to give the traffic back | 33 % | of 3 that took traffic |" in told
    assert "median; times: 1 |" in told


async def test_figures_of_what_was_never_deployed_to_are_refused_with_what_was(world: World) -> None:
    await world.push("one")
    pull = await world.open_pull("two")
    assert "`production`" in await ask(world, pull.number, "/stats staging")


async def test_help_for_one_command_says_who_may_and_how_options_are_written(world: World) -> None:
    pull = await world.open_pull("two")
    told = await ask(world, pull.number, "/help deploy")
    assert "Needs `write`" in told
    assert "`--reason TEXT`: words up to the next option" in told
    assert "/rollback" not in told


async def test_help_for_a_mistyped_command_is_about_the_one_meant(world: World) -> None:
    pull = await world.open_pull("two")
    assert "\n`/rollback [ENV]" in await ask(world, pull.number, "/help rolback")
