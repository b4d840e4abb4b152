"""Promoting, going back, previews and options, said in Slack."""

from __future__ import annotations

from tests.slack.world import SlackWorld
from tests.world import REPO, SETTINGS


async def test_promote_takes_what_serves_to_another_environment(world: SlackWorld) -> None:
    await world.push("two", branch="staging")
    await world.settle()
    await world.type(f"promote {REPO} staging to production --reason it is good")
    assert await world.serves() == "two"
    assert len(world.engine.built) == 1
    assert "*Deployed to production*" in world.heads()[-1]


async def test_a_rollback_names_its_release(world: SlackWorld) -> None:
    for words in ("one", "two", "three"):
        await world.push(words)
        await world.settle()
    await world.type(f"rollback {REPO} production to v1")
    assert await world.serves() == "one"
    await world.type(f"rollback {REPO} production to v9")
    assert "never had a release `v9`" in world.whispers()[-1]


async def test_a_rehearsal_is_told_and_changes_nothing(world: SlackWorld) -> None:
    await world.push("two", branch="feature")
    await world.type(f"deploy {REPO}@feature --noop")
    assert "Nothing was changed in production" in world.heads()[-1]
    assert world.deployments() == []
    assert world.buttons() == ["retry"]


async def test_a_preview_is_made_extended_and_stopped_by_the_number_of_its_pull_request(world: SlackWorld) -> None:
    await world.push_files({".shipmate.yml": "previews: {enabled: true}\n" + SETTINGS})
    await world.settle()
    pull = await world.open_pull("two")
    await world.type(f"preview {REPO} #{pull.number}")
    assert await world.serves(f"pr-{pull.number}") == "two"
    assert f"*Deployed to pr-{pull.number}*" in world.heads()[-1]
    await world.type(f"preview {REPO} #{pull.number} extend 1d")
    assert f"`pr-{pull.number}` lives until 20" in world.whispers()[-1]
    await world.type(f"preview {REPO} #{pull.number} stop")
    await world.make_the_rounds()
    assert not [one for one in world.engine.routes if one.endswith(f"/pr-{pull.number}")]


async def test_a_preview_needs_to_know_which_pull_request(world: SlackWorld) -> None:
    await world.type(f"preview {REPO}")
    assert f"preview {REPO} #7`" in world.whispers()[-1]
