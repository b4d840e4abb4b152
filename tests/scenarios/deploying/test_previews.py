"""Previews: one for each pull request that wants one, for a while, and nothing of it left afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import utc_now
from bot.store.changes import EndPreview
from bot.store.previews import Preview
from tests.fake_engine import dockerfile
from tests.world import REPO, SETTINGS, World

ON = "previews: {enabled: true, ttl: 2h, longest: 1d, max: 2, like: staging, env: {PREVIEW: yes}}\n"
AUTOMATIC = ON.replace("enabled: true", "enabled: true, automatic: true")
LIKE = SETTINGS.replace("branch: staging,", "branch: staging, env: {LEVEL: debug}, secrets: [DB_PASSWORD],")


async def _with(world: World, previews: str) -> None:
    await world.store.secrets.put(REPO, "DB_PASSWORD", "correct-horse", utc_now())
    await world.push_files({".shipmate.yml": previews + LIKE})
    await world.settle()


async def _preview(world: World, number: int) -> Preview | None:
    return await world.store.previews.of(world.github.repository(REPO).id, number)


async def _expire(world: World, number: int) -> None:
    """Let its time be over."""
    sql = "UPDATE previews SET ends_us = 1 WHERE number = ?"
    await world.house.opened.database.write(lambda connection: connection.execute(sql, (number,)).rowcount)


async def test_a_preview_has_an_address_of_its_own_and_is_shown_as_transient(world: World) -> None:
    await _with(world, ON)
    await world.push("staged", branch="staging")
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/preview")
    environment = f"pr-{pull.number}"
    assert await world.serves(environment) == "two"
    assert world.url(environment) != world.url("staging")
    (deployment,) = world.deployments(environment)
    assert (deployment.transient, deployment.production, deployment.state) == (True, False, "success")
    assert "Preview until 20" in world.answer(pull.number)
    assert world.url(environment) in world.answer(pull.number)
    assert world.reactions(said) == ["rocket"]


async def test_a_preview_is_like_the_environment_named_but_for_its_secrets(world: World) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview")
    (copy,) = (one for one in world.engine.copies.values() if one.running and one.does == ["serve", "two"])
    assert copy.spec.env == {"LEVEL": "debug", "PREVIEW": "true"}


async def test_a_preview_runs_on_an_engine_of_ours_whatever_it_is_like(world: World) -> None:
    await world.push_files(
        {".shipmate.yml": ON + SETTINGS.replace("branch: staging,", "branch: staging, target: ecs,")}
    )
    await world.settle()
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview")
    assert await world.serves(f"pr-{pull.number}") == "two"
    assert (await world.jobs())[-1].spec["target"] == "docker"


@pytest.mark.parametrize(
    ("previews", "line", "told"),
    [
        ("", "/preview", "Previews are off"),
        (ON, "/preview extend 3d", "has no preview"),
        (ON, "/preview stop", "has no preview"),
        (ON, "/preview extend soon", "cannot be `DURATION`"),
        (ON, "/preview extend", "needs `extend DURATION`"),
        (ON.replace("like: staging", "like: moon"), "/preview", "no environment `moon`"),
    ],
)
async def test_a_preview_that_cannot_be_is_told_why(world: World, previews: str, line: str, told: str) -> None:
    await _with(world, previews)
    before = len(await world.jobs())
    pull = await world.open_pull("two")
    await world.say(pull.number, line)
    assert told in world.answer(pull.number)
    assert len(await world.jobs()) == before


async def test_forks_get_no_preview_even_where_each_pull_request_does(world: World) -> None:
    await _with(world, AUTOMATIC)
    await world.github.fork(REPO, as_name="mallory/api")
    await world.github.push("mallory/api", branch="evil", files={"Dockerfile": dockerfile("evil")}, by="mallory")
    pull = await world.github.open_pull(REPO, head="evil", from_fork="mallory/api", by="mallory")
    await world.settle()
    await world.say(pull.number, "/preview")
    assert "forks get no previews" in world.answer(pull.number)
    assert await _preview(world, pull.number) is None


async def test_who_may_not_deploy_gets_no_preview(world: World) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview", by="bob")
    assert "needs `write`" in world.answer(pull.number)


async def test_no_more_previews_at_once_than_are_allowed(world: World) -> None:
    await _with(world, ON)
    pulls = [await world.open_pull(f"version {name}", branch=name) for name in ("a", "b", "c")]
    for pull in pulls:
        await world.say(pull.number, "/preview")
    assert "There are 2 previews already" in world.answer(pulls[2].number)
    await world.say(pulls[0].number, "/preview stop")
    await world.make_the_rounds()
    await world.say(pulls[2].number, "/preview")
    assert await world.serves(f"pr-{pulls[2].number}") == "version c"


async def test_a_preview_is_extended_within_the_limit(world: World) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview\n/preview extend 5h")
    await world.say(pull.number, "/preview extend 5h")
    known = await _preview(world, pull.number)
    assert known is not None
    assert timedelta(hours=6, minutes=50) < known.ends_at - utc_now() < timedelta(hours=7)
    await world.say(pull.number, "/preview extend 3d")
    assert "may end 1d from now at the latest" in world.answers(pull.number)[-1].body


@pytest.mark.parametrize("how", ["stopped", "closed", "merged", "expired", "closed while we were down", "gone"])
async def test_nothing_is_left_of_a_preview_that_ended(world: World, how: str) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview")
    await _end(world, pull.number, how)
    await world.make_the_rounds()
    assert _left(world, pull.number) == []
    assert len(world.engine.images) == 1
    assert how == "gone" or world.told(f"pr-{pull.number}") == ["inactive"]


def _left(world: World, number: int) -> list[str]:
    """The instances and addresses of a preview."""
    copies = [name for name, copy in world.engine.copies.items() if copy.spec.service.endswith(f"/pr-{number}")]
    return copies + [service for service in world.engine.routes if service.endswith(f"/pr-{number}")]


@pytest.mark.parametrize("may", [True, False])
async def test_the_environment_goes_where_the_app_may_administer_the_repository(world: World, may: bool) -> None:
    if may:
        world.github.installation("acme").permissions["administration"] = "write"
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview")
    await world.say(pull.number, "/preview stop")
    await world.make_the_rounds()
    assert (f"pr-{pull.number}" in world.github.environments(REPO)) is not may
    assert world.told(f"pr-{pull.number}") == ["inactive"]


async def _end(world: World, number: int, how: str) -> None:
    if how == "stopped":
        await world.say(number, "/preview stop")
    elif how == "closed":
        await world.github.close_pull(REPO, number)
    elif how == "merged":
        await world.push_files({".shipmate.yml": ON + LIKE.replace("branch: main", "branch: releases")})
        await world.settle()
        await world.github.merge_pull(REPO, number)
    elif how == "expired":
        await _expire(world, number)
    elif how == "gone":
        await world.github.uninstall("acme")
    else:
        await world.abandon()
        await world.github.close_pull(REPO, number)
        await world.start()
    if how != "gone":
        await world.settle()


async def test_an_expired_preview_says_goodbye_once(world: World) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview")
    await _expire(world, pull.number)
    await world.make_the_rounds()
    await world.make_the_rounds()
    await world.settle()
    assert [("time of" in comment.body) for comment in world.answers(pull.number)] == [False, True]
    await world.say(pull.number, "/preview")
    assert await world.serves(f"pr-{pull.number}") == "two"


async def test_a_preview_that_is_being_made_when_its_pull_request_is_closed_is_stopped(world: World) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two", "hang")
    await world.comment(pull.number, "/preview")
    await world.until(world.engine.building.is_set)
    await world.github.close_pull(REPO, pull.number)
    await world.settle()
    await world.make_the_rounds()
    assert (await world.states())[-1] == "CANCELLED"
    assert await _preview(world, pull.number) is None


# By itself


async def test_each_pull_request_gets_a_preview_that_follows_its_head(world: World) -> None:
    await _with(world, AUTOMATIC)
    pull = await world.open_pull("two")
    assert await world.serves(f"pr-{pull.number}") == "two"
    url = world.url(f"pr-{pull.number}")
    await world.push("three", branch="feature")
    await world.settle()
    assert await world.serves(f"pr-{pull.number}") == "three"
    assert world.url(f"pr-{pull.number}") == url
    assert len(world.answers(pull.number)) == 1
    assert "Preview until" in world.answer(pull.number)


async def test_a_preview_asked_for_once_follows_the_head_too(world: World) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.push("three", branch="feature")
    await world.settle()
    assert await _preview(world, pull.number) is None
    await world.say(pull.number, "/preview")
    await world.push("four", branch="feature")
    await world.settle()
    assert await world.serves(f"pr-{pull.number}") == "four"


@pytest.mark.parametrize(("previews", "asked"), [(ON, "/preview"), (AUTOMATIC, "")], ids=["asked for", "by itself"])
async def test_no_comment_shows_the_address_of_a_preview_that_has_ended(
    world: World, previews: str, asked: str
) -> None:
    await _with(world, previews)
    pull = await world.open_pull("two")
    if asked:
        await world.say(pull.number, asked)
    url = world.url(f"pr-{pull.number}")
    told = world.answers(pull.number)[0]
    assert url in told.body
    await world.say(pull.number, "/preview stop")
    await world.make_the_rounds()
    bodies = [one.body for one in world.answers(pull.number)]
    assert not [body for body in bodies if url in body or "🚀" in body]
    assert f"The preview `pr-{pull.number}` has ended" in bodies[0]


async def test_a_preview_that_is_made_again_is_told_anew(world: World) -> None:
    await _with(world, AUTOMATIC)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview stop")
    await world.make_the_rounds()
    await world.say(pull.number, "/preview")
    await world.push("three", branch="feature")
    await world.settle()
    assert "Preview until" in world.answers(pull.number)[0].body
    assert await world.serves(f"pr-{pull.number}") == "three"


async def test_a_preview_that_was_stopped_stays_so_until_it_is_asked_for(world: World) -> None:
    await _with(world, AUTOMATIC)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview stop")
    await world.make_the_rounds()
    await world.push("three", branch="feature")
    await world.settle()
    assert world.engine.running == ["zero"]
    await world.say(pull.number, "/preview")
    assert await world.serves(f"pr-{pull.number}") == "three"


async def test_of_stacked_pull_requests_each_has_its_own(world: World) -> None:
    await _with(world, AUTOMATIC)
    lower = await world.open_pull("lower", branch="lower")
    await world.push("upper", branch="upper")
    upper = await world.github.open_pull(REPO, head="upper", base="lower")
    await world.settle()
    assert await world.serves(f"pr-{upper.number}") == "upper"
    await world.github.close_pull(REPO, lower.number)
    await world.settle()
    await world.make_the_rounds()
    assert await world.serves(f"pr-{upper.number}") == "upper"
    assert await _preview(world, lower.number) is None


async def test_the_head_is_known_even_where_the_preview_is_refused(world: World) -> None:
    await _with(world, AUTOMATIC.replace("max: 2", "max: 1"))
    await world.open_pull("one", branch="a")
    second = await world.open_pull("two", branch="b")
    assert "There are 1 previews already" in (world.github.check_runs(REPO, second.head_sha)[-1].summary or "")
    await world.say(second.number, "/deploy to staging")
    head = await world.store.deliveries.latest_head(world.github.repository(REPO).id, second.number)
    assert head is not None
    assert head.sha == second.head_sha


async def test_the_retry_button_of_a_preview_makes_the_preview_again(world: World) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview")
    (run,) = (one for one in world.github.check_runs(REPO, pull.head_sha) if "pr-" in one.name)
    assert [action["identifier"] for action in run.actions] == ["retry"]
    await world.github.click(run.id, "retry")
    await world.settle()
    assert [job.environment for job in await world.jobs()][-2:] == [f"pr-{pull.number}"] * 2
    assert (await world.states())[-1] == "COMPLETED"


# A server that dies


@pytest.mark.parametrize("step", range(1, 8, 2))
async def test_a_server_that_dies_while_it_takes_a_preview_down_is_followed_to_the_end(world: World, step: int) -> None:
    await _with(world, ON)
    pull = await world.open_pull("two")
    await world.say(pull.number, "/preview")
    repository = world.github.repository(REPO)
    await world.store.previews.end(EndPreview(repository.id, pull.number, "closed"), None, utc_now())
    world.life.fatal_step = world.life.steps + step
    assert await world.restart_when_it_dies(world.make_the_rounds())
    await world.make_the_rounds()
    assert _left(world, pull.number) == []
    assert len(world.engine.images) == 1
    assert await _preview(world, pull.number) is None
    assert world.told(f"pr-{pull.number}") == ["inactive"]
