"""What people ask for in Slack, and what they see there: the same job as at GitHub, with the same rules."""

from __future__ import annotations

import asyncio

import pytest

from bot.commands import COMMANDS
from bot.errors import UserMistake
from bot.slack.words import read_words, spoken, usage
from tests.slack.world import ALICE, BORA, CHEN, DEPLOYS, RANDOM, SlackWorld
from tests.world import REPO


async def test_a_deploy_typed_in_slack_travels_all_the_way(world: SlackWorld) -> None:
    sha = await world.push("one", branch="feature")
    said = await world.type(f"deploy {REPO}@feature to production")
    assert (said.answered, said.reply) == (True, None)
    assert await world.states() == ["COMPLETED"]
    assert world.checks(sha) == ["shipmate / deploy: success"]
    assert world.told("production") == ["success"]
    assert await world.serves() == "one"
    (head,) = world.heads()
    assert "*Deployed to production*" in head
    assert sha[:7] in head
    assert "acme/api" in head
    assert "✅ 1 Build" in head
    assert world.buttons() == ["rollback"]


async def test_the_thread_tells_every_stage_once_and_the_end_last(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    *steps, end = world.thread()
    lines = "\n".join(steps).splitlines()
    assert [line.split()[1] for line in lines] == ["1", "2", "3", "4", "5", "6"]
    assert "Deployed to production" in end
    assert "Deployed " in end.splitlines()[1]


async def test_a_deploy_without_a_ref_is_one_of_the_default_branch(world: SlackWorld) -> None:
    await world.push("one")
    await world.settle()
    await world.type(f"deploy {REPO} to staging")
    (_, job) = await world.jobs()
    assert (job.ref, job.environment, job.origin.face, job.origin.actor) == ("main", "staging", "slack", "alice")


async def test_the_same_request_sent_again_deploys_once(world: SlackWorld) -> None:
    world.slack.faults.add("duplicate", on="send:command", times=3)
    await world.type(f"deploy {REPO}")
    assert await world.states() == ["COMPLETED"]
    assert len(world.heads()) == 1


async def test_a_replayed_request_is_refused_and_deploys_nothing_more(world: SlackWorld) -> None:
    world.slack.faults.add("replay", on="send:command")
    said = await world.type(f"deploy {REPO}")
    assert [attempt.outcome.status for attempt in said.attempts] == [200, 401]
    assert len(await world.jobs()) == 1


async def test_a_forged_request_is_refused_and_nothing_is_recorded(world: SlackWorld) -> None:
    world.slack.faults.add("wrong_signature", on="send:command")
    said = await world.type(f"deploy {REPO}")
    assert [attempt.outcome.status for attempt in said.attempts] == [401]
    assert await world.outcomes("slack") == []


async def test_slack_may_verify_the_address(world: SlackWorld) -> None:
    assert await world.slack.verify_url()
    assert await world.outcomes("slack") == []


# Who may


async def test_one_who_is_not_linked_is_told_how_and_learns_nothing(world: SlackWorld) -> None:
    for text in (f"deploy {REPO}", f"status {REPO}", "cancel dep_aaaaaaaaaa"):
        await world.type(text, user=CHEN)
    assert await world.jobs() == []
    assert (
        world.whispers(CHEN)
        == ["I do not know your GitHub account yet. Type `/shipmate link` once, then say it again."] * 3
    )
    assert world.heads() == []


async def test_one_who_may_only_read_is_refused_and_may_look(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}", user=BORA)
    assert "needs `write`" in world.whispers(BORA)[-1]
    assert "`/shipmate deploy`" in world.whispers(BORA)[-1]
    await world.type(f"status {REPO}", user=BORA)
    assert "Nothing has been deployed yet" in world.whispers(BORA)[-1]
    assert await world.jobs() == []


async def test_a_private_repository_and_none_are_told_alike(world: SlackWorld) -> None:
    await world.github.create_repo("acme/secret", private=True)
    for channel in (DEPLOYS, RANDOM):
        for command in ("status", "deploy"):
            await world.type(f"{command} acme/secret", channel=channel)
            await world.type(f"{command} acme/nothing", channel=channel)
            hidden, missing = world.whispers(channel=channel)[-2:]
            assert hidden.replace("acme/secret", "X") == missing.replace("acme/nothing", "X")


async def test_permission_taken_away_counts_at_once(world: SlackWorld) -> None:
    world.github.set_permission(REPO, "alice", "read")
    await world.type(f"deploy {REPO}")
    assert await world.jobs() == []
    assert "needs `write`" in world.whispers()[-1]


async def test_a_login_that_now_belongs_to_someone_else_may_nothing(world: SlackWorld) -> None:
    await world.link(CHEN, "alice", github_id=999_999)
    await world.type(f"deploy {REPO}", user=CHEN)
    assert await world.jobs() == []


# What else can be said


@pytest.mark.parametrize("text", ["help", "", "  "])
async def test_help_lists_only_what_works(world: SlackWorld, text: str) -> None:
    await world.type(text, user=CHEN)
    told = world.whispers(CHEN)[-1]
    for words in (
        "/shipmate deploy OWNER/REPO[@REF] [to ENV",
        "/shipmate rollback OWNER/REPO [ENV]",
        "/shipmate dialog",
        "/shipmate link",
    ):
        assert words in told


async def test_help_about_one_word_has_examples_and_about_none_says_so(world: SlackWorld) -> None:
    await world.type("help deploy", user=CHEN)
    assert "• `/shipmate deploy OWNER/REPO to staging`" in world.whispers(CHEN)[-1]
    await world.type("help fly", user=CHEN)
    assert "`fly` is no command here." in world.whispers(CHEN)[-1]
    assert "/shipmate deploy OWNER/REPO[@REF]" in world.whispers(CHEN)[-1]


async def test_status_shows_what_serves(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    await world.type(f"status {REPO}")
    assert "`production`" in world.whispers()[-1]
    assert "(v1)" in world.whispers()[-1]
    assert "|---" not in world.whispers()[-1]


async def test_rollback_puts_the_last_release_back(world: SlackWorld) -> None:
    for words in ("one", "two"):
        await world.push(words, branch="feature")
        await world.type(f"deploy {REPO}@feature")
    assert await world.serves() == "two"
    await world.type(f"rollback {REPO} production")
    assert await world.serves() == "one"
    assert await world.states() == ["COMPLETED"] * 3


async def test_a_running_job_is_cancelled_by_its_name_alone(world: SlackWorld) -> None:
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    job = await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    await world.type(f"cancel {job.id}")
    assert await world.states() == ["CANCELLED"]
    assert "Cancelled" in world.heads()[0]


HOSTILE = [
    "rollback",
    "status not-a-repository",
    f"deploy {REPO} -- rm -rf /",
    f"deploy {REPO}@--upload-pack=evil",
    f"deploy {REPO}@../../etc",
    f"deploy {REPO} main; reboot",
    f"deploy {REPO} to production extra",
    f"deploy {REPO} to ` <!channel> `",
    f"rollback {REPO}@main",
    f"cancel {REPO} job-1",
    "deplyo acme/api",
    "frobnicate",
    "<!channel> <@U0BORA>",
    "link me",
    "💣" * 500,
    "inspect ../..",
    f"deploy {REPO} " + "x" * 3000,
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_makes_no_sense_is_answered_once_and_harmlessly(world: SlackWorld, text: str) -> None:
    before = len(world.whispers())
    await world.type(text)
    (told,) = world.whispers()[before:]
    assert await world.jobs() == []
    assert not {"<!channel>", "<@U0BORA>"} & set(told.split())
    assert len(told) < 1000


async def test_a_word_that_is_nearly_a_command_is_understood(world: SlackWorld) -> None:
    await world.type("deplyo acme/api")
    assert "Did you mean `/shipmate deploy`?" in world.whispers()[-1]


# Buttons


async def test_a_button_acts_for_the_one_who_clicks_and_says_who(world: SlackWorld) -> None:
    for words in ("one", "two"):
        await world.push(words, branch="feature")
        await world.type(f"deploy {REPO}@feature")
    await world.click("rollback")
    assert await world.serves() == "one"
    assert "<@U0ALICE> (`alice` at GitHub) pressed *Roll back*" in world.thread(1)[-1]
    assert len(world.heads()) == 3


async def test_a_button_refuses_one_who_may_not(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    await world.click("rollback", user=BORA)
    await world.click("rollback", user=CHEN)
    assert len(await world.jobs()) == 1
    assert "needs `write`" in world.whispers(BORA)[-1]
    assert "/shipmate link" in world.whispers(CHEN)[-1]


async def test_a_button_pressed_twice_acts_once(world: SlackWorld) -> None:
    await world.push("one", "fail", branch="feature")
    await world.type(f"deploy {REPO}@feature")
    assert world.buttons() == ["retry"]
    await world.click("retry", at=0)
    await world.click("retry", at=0)
    assert len(await world.jobs()) == 2
    assert "pressed already" in world.whispers()[-1]


async def test_two_people_who_press_at_once_start_one_job(world: SlackWorld) -> None:
    await world.link(CHEN, "carol")
    world.github.set_permission(REPO, "carol", "write")
    await world.push("one", "fail", branch="feature")
    await world.type(f"deploy {REPO}@feature")
    ts = world.slack.messages(DEPLOYS)[0]["ts"]
    await asyncio.gather(*(world.slack.click(ts, "shipmate.retry", user) for user in (ALICE, CHEN)))
    await world.settle()
    assert len(await world.jobs()) == 2
    assert len(world.heads()) == 2


async def test_who_pressed_is_said_once_though_the_reply_was_lost(world: SlackWorld) -> None:
    await world.push("one", "fail", branch="feature")
    await world.type(f"deploy {REPO}@feature")
    world.slack.faults.add("lose_reply", on="chat.postMessage", count=2)
    await world.click("retry", at=0)
    assert sum("pressed *Retry*" in text for text in world.thread(0)) == 1


async def test_cancel_is_pressed_while_it_runs(world: SlackWorld) -> None:
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    await world.until(world.heads)
    await world.click("cancel")
    assert await world.states() == ["CANCELLED"]
    assert world.buttons() == ["retry"]


async def test_a_failed_deploy_shows_the_end_of_the_log_in_the_thread(world: SlackWorld) -> None:
    await world.push("one", "fail", branch="feature")
    await world.type(f"deploy {REPO}@feature")
    assert await world.states() == ["FAILED"]
    assert "❌" in world.heads()[0]
    assert "```" in world.thread()[-1]


# What Slack does to us


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("effect", ["lose_reply", "cut", "status"])
async def test_a_fault_in_the_middle_neither_doubles_nor_loses_a_word(
    world: SlackWorld, method: str, skip: int, effect: str
) -> None:
    world.slack.faults.add(effect, on=method, skip=skip)
    await world.type(f"deploy {REPO}")
    (head,) = world.heads()
    assert "*Deployed to production*" in head
    stages = [line for text in world.thread() for line in text.splitlines() if "✅" in line]
    assert len(stages) == len(set(stages)) == 6
    assert sum("Deployed to production" in text for text in world.thread()) == 1


async def test_a_rate_limit_is_waited_for(world: SlackWorld) -> None:
    world.slack.faults.add("ratelimited", on="chat.postMessage", retry_after_s=1)
    await world.type(f"deploy {REPO}")
    assert "*Deployed to production*" in world.heads()[0]


async def test_blocks_that_slack_does_not_take_leave_the_words(world: SlackWorld) -> None:
    world.slack.faults.add("error", on="chat.postMessage", code="invalid_blocks")
    await world.type(f"deploy {REPO}")
    assert "Deployed to production" in world.heads()[0]


@pytest.mark.parametrize("reason", ["channel_not_found", "is_archived", "invalid_blocks", "fatal_error"])
async def test_what_slack_refuses_never_fails_the_work(world: SlackWorld, reason: str) -> None:
    world.slack.faults.add("error", on="chat.*", code=reason, count=3)
    await world.type(f"deploy {REPO}")
    assert await world.states() == ["COMPLETED"]
    assert await world.serves() == "zero"


async def test_a_message_that_someone_deleted_is_not_written_again(world: SlackWorld) -> None:
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    await world.until(world.heads)
    world.slack.workspace.place(DEPLOYS).messages.clear()
    job = await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    await world.type(f"cancel {job.id}")
    assert world.heads() == []


async def test_where_we_are_not_a_deploy_is_refused_with_the_way_out(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}", channel=RANDOM)
    assert await world.jobs() == []
    assert "/invite" in world.whispers(channel=RANDOM)[-1]


async def test_removed_from_the_channel_we_tell_the_end_once_we_are_back(world: SlackWorld) -> None:
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    await world.until(world.heads)
    world.slack.set_members(DEPLOYS, remove=["U0SHIPMATE"])
    job = await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    await world.slack.say_command("/shipmate", f"cancel {job.id}", ALICE, DEPLOYS)
    await world.until_state("CANCELLED")
    world.slack.set_members(DEPLOYS, add=["U0SHIPMATE"])
    await world.settle()
    assert "Cancelled" in world.thread()[-1]


async def test_a_server_that_dies_goes_on_in_the_same_message(world: SlackWorld) -> None:
    await world.push("slow", "hang", branch="feature")
    await world.slack.say_command("/shipmate", f"deploy {REPO}@feature", ALICE, DEPLOYS)
    await world.until(world.heads)
    await world.abandon()
    await world.start()
    job = await world.until_state("BUILDING", "DEPLOYING", "VERIFYING")
    await world.type(f"cancel {job.id}")
    (head,) = world.heads()
    assert "Cancelled" in head


async def test_slack_out_of_reach_keeps_nothing_waiting(world: SlackWorld) -> None:
    world.slack.faults.add("status", on="conversations.info", status=503)
    world.slack.faults.add("status", on="chat.*", status=503)
    await world.type(f"deploy {REPO}")
    assert await world.serves() == "zero"
    assert "*Deployed to production*" in world.heads()[0]


async def test_where_the_app_is_suspended_nothing_runs_and_it_is_said(world: SlackWorld) -> None:
    await world.github.suspend("acme")
    await world.type(f"deploy {REPO}")
    assert await world.jobs() == []
    assert len(world.whispers()) == 2


async def test_the_tokens_of_slack_stand_nowhere(world: SlackWorld) -> None:
    await world.type(f"deploy {REPO}")
    written = world.everything_written()
    assert world.slack.credentials.bot_token not in written
    assert world.slack.credentials.signing_secret not in written


def test_a_mistake_is_worded_with_the_usage_of_slack() -> None:
    with pytest.raises(UserMistake) as caught:
        read_words("deploy acme/api to")
    assert caught.value.facts["usage"] == usage(COMMANDS["deploy"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Say `/deploy main`.", "Say `/shipmate deploy acme/api main`."),
        ("`/approve dep_x` or `/help`", "`/shipmate approve acme/api dep_x` or `/shipmate help`"),
        (
            "Type `/invite @shipmate`, look at `/tmp/x` or /deploy",
            "Type `/invite @shipmate`, look at `/tmp/x` or /deploy",
        ),
        ("`/shipmate deploy` stays", "`/shipmate deploy` stays"),
    ],
)
def test_the_commands_a_sentence_names_are_those_one_types_in_slack(text: str, said: str) -> None:
    assert spoken(text, REPO) == said


async def test_what_a_refusal_advises_works_when_it_is_typed(world: SlackWorld) -> None:
    await world.link(CHEN, "carol")
    world.github.set_permission(REPO, "carol", "write")
    await world.type(f"lock {REPO} staging --reason mine", user=CHEN)
    await world.type(f"deploy {REPO} to staging")
    told = world.whispers()[-1]
    assert f"`/shipmate unlock {REPO} staging`" in told
    await world.type(f"unlock {REPO} staging", user=CHEN)
    await world.type(f"deploy {REPO} to staging")
    assert await world.states() == ["COMPLETED"]
