"""The deploy dialog: offered what one may see, told at once what is wrong, and then an order like any other."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.slack.courier import Delivery
from tests.slack.world import ALICE, BORA, CHEN, DEPLOYS, RANDOM, SlackWorld, shown
from tests.world import REPO

FORM = "shipmate.form"


async def opened(world: SlackWorld, text: str = "deploy", user: str = ALICE) -> dict[str, Any]:
    await world.type(text, user=user)
    view = world.slack.view_of(user)
    assert view is not None
    assert view["type"] == "modal"
    return view


def filled(view: dict[str, Any]) -> dict[str, str]:
    """What stands in the fields already."""
    found = {}
    for block in view["blocks"]:
        for name, value in block["element"].items():
            if name.startswith("initial_"):
                found[block["block_id"]] = value["value"] if isinstance(value, dict) else value
    return found


def chosen(value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": value}, "value": value}


async def submitted(world: SlackWorld, user: str = ALICE, **values: Any) -> Delivery:
    named = {name: chosen(value) if name in {"repository", "environment"} else value for name, value in values.items()}
    told = await world.slack.submit_view(user, named)
    await world.settle()
    return told


def faults(world: SlackWorld, user: str = ALICE) -> dict[str, str]:
    view = world.slack.view_of(user)
    return {} if view is None else dict(view["errors"])


async def test_a_deploy_without_a_repository_opens_the_dialog_and_what_is_filled_in_is_deployed(
    world: SlackWorld,
) -> None:
    sha = await world.push("one", branch="feature")
    view = await opened(world)
    assert filled(view) == {"channel": DEPLOYS}
    await submitted(world, repository=REPO, ref="feature", environment="staging")
    (job,) = await world.jobs()
    assert (job.sha, job.environment, job.origin.face, job.origin.actor) == (sha, "staging", "slack", "alice")
    assert job.state.value == "COMPLETED"
    assert "*Deployed to staging*" in world.heads()[-1]
    view_after = world.slack.view_of(ALICE)
    assert view_after is None or view_after["type"] == "home"


async def test_what_was_typed_before_is_filled_in(world: SlackWorld) -> None:
    view = await opened(world, "deploy @feature to staging")
    assert filled(view) == {"ref": "feature", "environment": "staging", "channel": DEPLOYS}


async def test_in_a_bound_channel_the_dialog_knows_what_it_is_about(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "alice", "maintain")
    await world.type(f"bind {REPO} to staging")
    view = await opened(world, "dialog")
    assert filled(view) == {"repository": REPO, "environment": "staging", "channel": DEPLOYS}


async def test_the_shortcut_opens_the_dialog_where_one_is(world: SlackWorld) -> None:
    await world.slack.shortcut("shipmate_deploy", ALICE)
    await world.until(lambda: world.slack.view_of(ALICE))
    await submitted(world, repository=REPO, channel=DEPLOYS)
    assert await world.states() == ["COMPLETED"]


async def test_the_shortcut_tells_one_we_do_not_know_how_to_be_known(world: SlackWorld) -> None:
    await world.slack.shortcut("shipmate_deploy", CHEN)
    await world.until(lambda: world.slack.view_of(CHEN))
    view = world.slack.view_of(CHEN)
    assert view is not None
    assert "/shipmate link" in shown(view)


async def test_a_mention_gives_no_leave_for_a_dialog_and_the_words_are_told(world: SlackWorld) -> None:
    await world.slack.mention("deploy", ALICE, DEPLOYS)
    await world.settle()
    assert "Name the repository" in world.whispers()[-1]
    await world.slack.mention("dialog", ALICE, DEPLOYS)
    await world.settle()
    assert "three seconds" in world.whispers()[-1]


# What is offered


async def test_the_menu_offers_the_repositories_one_may_read(world: SlackWorld) -> None:
    await world.github.create_repo("acme/secret", private=True)
    await world.github.create_repo("acme/apiary")
    await opened(world)
    assert [one["value"] for one in await world.slack.suggest(ALICE, f"{FORM}.repository", "API")] == [
        REPO,
        "acme/apiary",
    ]
    offered = [one["value"] for one in await world.slack.suggest(ALICE, f"{FORM}.repository")]
    assert "acme/secret" not in offered


async def test_the_menu_offers_the_environments_of_the_repository_that_was_chosen(world: SlackWorld) -> None:
    await opened(world)
    assert await world.slack.suggest(ALICE, f"{FORM}.environment") == []
    await world.slack.click_in_view(ALICE, f"{FORM}.repository", chosen(REPO))
    await world.settle()
    offered = await world.slack.suggest(ALICE, f"{FORM}.environment")
    assert [one["value"] for one in offered] == ["production", "staging"]
    typed = await world.slack.suggest(ALICE, f"{FORM}.environment", "stag")
    assert [one["value"] for one in typed] == ["staging"]


async def test_menus_stay_empty_when_github_does_not_answer(world: SlackWorld) -> None:
    await opened(world)
    world.github.faults.add("status", status=503, count=None)
    assert await world.slack.suggest(ALICE, f"{FORM}.repository") == []


# What is wrong is told under its field


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"repository": "acme/nothing"}, "repository", "acme/nothing"),
        ({"repository": REPO, "ref": "no-such-branch"}, "ref", "no-such-branch"),
        ({"repository": REPO, "ref": "--upload-pack=evil"}, "ref", "upload-pack"),
        ({"repository": REPO, "environment": "Pro duction"}, "environment", "ENV"),
        ({"repository": REPO, "channel": RANDOM}, "channel", "/invite"),
    ],
)
async def test_what_cannot_be_obeyed_stays_open_and_says_why(
    world: SlackWorld, values: dict[str, str], field: str, says: str
) -> None:
    await opened(world)
    await submitted(world, **values)
    assert list(faults(world)) == [field]
    assert says in faults(world)[field]
    assert "`" not in faults(world)[field]
    assert await world.jobs() == []
    assert await world.outcomes("slack") == ["acted dialog_shown"]


async def test_who_may_only_read_is_told_in_the_dialog_and_it_stands_in_the_audit_trail(world: SlackWorld) -> None:
    await opened(world, user=BORA)
    await submitted(world, BORA, repository=REPO)
    assert "needs write" in faults(world, BORA)["repository"]
    assert await world.jobs() == []
    entry = (await world.audit())[-1]
    assert (entry.actor, entry.command, entry.outcome, entry.reason) == (
        "bob",
        "deploy",
        "refused",
        "permission_needed",
    )
    assert entry.raw == f"dialog deploy {REPO}"


async def test_a_dialog_that_cannot_be_judged_in_time_is_taken_and_judged_after(world: SlackWorld) -> None:
    await opened(world)
    asked_again = world.github.faults.add("status", path="/installation$", status=503, count=3)
    await submitted(world, repository=REPO)
    assert asked_again.count == 0
    assert faults(world) == {}
    assert await world.states() == ["COMPLETED"]


async def test_a_dialog_submitted_twice_deploys_once(world: SlackWorld) -> None:
    await opened(world)
    world.slack.faults.add("duplicate", on="send:interaction", times=3)
    await submitted(world, repository=REPO)
    assert await world.states() == ["COMPLETED"]


# What Slack does to us


@pytest.mark.parametrize("reason", ["expired_trigger_id", "invalid_trigger_id"])
async def test_a_dialog_that_comes_too_late_is_told_with_the_words_to_type(world: SlackWorld, reason: str) -> None:
    world.slack.faults.add("error", on="views.open", code=reason)
    await world.type("deploy")
    assert "three seconds" in world.whispers()[-1]
    assert "/shipmate deploy OWNER/REPO" in world.whispers()[-1]


async def test_a_request_older_than_its_trigger_is_told_so(world: SlackWorld) -> None:
    world.slack.faults.add("delay", on="views.open", seconds=0.2)
    await world.slack.say_command("/shipmate", "deploy", ALICE, DEPLOYS)
    world.slack.clock.advance(4)
    await world.settle()
    assert "three seconds" in world.whispers()[-1]


async def test_a_dialog_whose_reply_was_lost_is_not_taken_for_one_that_came_too_late(world: SlackWorld) -> None:
    world.slack.faults.add("lose_reply", on="views.open")
    await opened(world)
    assert world.whispers() == world.whispers()[:1]


async def test_a_dialog_that_was_closed_meanwhile_breaks_nothing(world: SlackWorld) -> None:
    await opened(world)
    world.slack.faults.add("error", on="views.update", code="not_found")
    await world.slack.click_in_view(ALICE, f"{FORM}.repository", chosen(REPO))
    await world.settle()
    assert "failed" not in await world.outcomes("slack")


async def test_a_home_that_is_slow_to_be_made_keeps_no_dialog_waiting(world: SlackWorld) -> None:
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    job = await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    world.github.faults.add("delay", path="/collaborators/", seconds=1.0, count=None)
    await world.slack.open_home(ALICE)
    await world.slack.say_command("/shipmate", "deploy", ALICE, DEPLOYS)
    await world.until(lambda: (world.slack.view_of(ALICE) or {}).get("type") == "modal")
    assert world.slack.home_of(ALICE) is None
    world.github.faults.clear()
    await world.store.jobs.ask_cancel(job.id, "alice", job.created_at)
