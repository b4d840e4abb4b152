"""An analysis asked for in Slack: one message with the top and a chart, edited as it goes on."""

from __future__ import annotations

from tests.scenarios.test_analysis_jobs import PYTHON
from tests.slack.world import BORA, DEPLOYS, RANDOM, SlackWorld
from tests.world import REPO


async def test_the_top_and_a_chart_are_shown(world: SlackWorld) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    await world.type(f"analyze {REPO}@topic", user=BORA)
    (message,) = world.slack.messages(DEPLOYS)
    (head,) = world.heads()
    assert "*Who wrote what*" in head
    assert "█" in head
    assert "30" in head
    (image,) = [block for block in message["blocks"] if block["type"] == "image"]
    assert "/picture.png?until=" in image["image_url"]
    assert world.buttons() == []
    (end,) = world.thread()
    assert "lines in" in end


async def test_where_slack_cannot_fetch_the_chart_the_rest_is_shown(world: SlackWorld) -> None:
    world.slack.workspace.fetches_images = False
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    await world.type(f"analyze {REPO}@topic", user=BORA)
    (message,) = world.slack.messages(DEPLOYS)
    assert [block["type"] for block in message["blocks"]] == ["section", "section", "context"]
    assert "█" in world.heads()[0]


async def test_people_and_dates_are_chosen_in_slack_too(world: SlackWorld) -> None:
    await world.push_files({"app.py": PYTHON}, branch="topic", by="bob")
    await world.type(f"analyze {REPO}@topic @alice --since 2001-01-01")
    (head,) = world.heads()
    assert "bob" not in head.replace("asked by bob", "")
    assert "Commits from 2001-01-01 on count" in head


async def test_where_the_app_is_not_heard_nothing_is_analysed(world: SlackWorld) -> None:
    await world.type(f"analyze {REPO}", channel=RANDOM)
    assert await world.jobs() == []
    (whisper,) = world.whispers(channel=RANDOM)
    assert "invite" in whisper.lower()
