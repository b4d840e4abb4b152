"""Comments as people, careless and hostile, write them: what is heard of them, and what is answered."""

from __future__ import annotations

import re

import pytest

from bench.parsing import comments
from bot.commands import COMMANDS, MOST_COMMANDS
from tests.test_grammar import HOSTILE
from tests.world import REPO, World

MENTION = re.compile(r"(?<![`\w])@(?!\u200b)\w")


def _without_code(body: str) -> str:
    """What GitHub reads for mentions and links."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", body, flags=re.DOTALL)


async def test_several_mistakes_of_one_comment_are_told_in_one_answer(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/deplyo\nand\n/status a b\n/cancel it")
    told = world.answer(pull.number)
    for sentence in ("Did you mean `/deploy`", "does not take `b`", "cannot be `JOB` of `/cancel`"):
        assert sentence in told
    assert world.reactions(said) == ["confused"]


async def test_a_flood_of_commands_is_obeyed_to_the_limit_and_told(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/whoami\n" * (MOST_COMMANDS + 5), by="bob")
    answers = [comment.body for comment in world.answers(pull.number)]
    assert len(answers) == MOST_COMMANDS + 1
    assert "Only the first 10 commands" in answers[-1]


@pytest.mark.parametrize("name", [spec.name for spec in COMMANDS.values()])
async def test_hostile_words_start_nothing_call_nobody_and_are_answered(world: World, name: str) -> None:
    world.github.set_permission(REPO, "mallory", "admin")
    pull = await world.open_pull("two")
    pieces = [f"/{name} {hostile}" for hostile in HOSTILE if "\x00" not in hostile]
    for start in range(0, len(pieces), MOST_COMMANDS):
        await world.say(pull.number, "\n".join(pieces[start : start + MOST_COMMANDS]), by="mallory")
    jobs = await world.jobs()
    assert [job.sha for job in jobs if job.sha != pull.head_sha and job.sha != await world.github.head(REPO)] == []
    assert world.answers(pull.number)
    for comment in world.answers(pull.number):
        shown = _without_code(comment.body)
        assert MENTION.search(shown) is None
        assert "<script" not in shown
        assert "javascript:" not in shown or "](javascript:" not in shown


@pytest.mark.parametrize("name", ["prose", "commands in a fence", "others' commands", "different words"])
async def test_the_longest_comment_is_settled_like_any_other(world: World, name: str) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, comments()[name], by="bob")
    (outcome,) = [row for row in await world.outcomes("issue_comment") if "said_by_a_bot" not in row]
    assert outcome in {"refused permission_needed", "ignored no_command", "refused unknown_command"}
    assert await world.jobs() == []


async def test_a_deleted_comment_is_not_obeyed_and_undoes_nothing(world: World) -> None:
    pull = await world.open_pull("two")
    said = await world.say(pull.number, "/deploy")
    await world.github.delete_comment(REPO, said.id)
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_a_command_taken_out_by_an_edit_was_said(world: World) -> None:
    pull = await world.open_pull("two", "wait")
    said = await world.comment(pull.number, "/deploy")
    await world.until(world.engine.building.is_set)
    await world.github.edit_comment(REPO, said.id, "Never mind")
    world.engine.go_on.set()
    await world.settle()
    assert await world.states() == ["COMPLETED"]


async def test_questions_are_answered_on_a_pull_request_that_is_over(world: World) -> None:
    pull = await world.open_pull("two")
    await world.say(pull.number, "/deploy")
    await world.github.close_pull(REPO, pull.number)
    await world.settle()
    for question in ("/status", "/why", "/logs"):
        before = len(world.answers(pull.number))
        await world.say(pull.number, question, by="bob")
        assert len(world.answers(pull.number)) == before + 1


async def test_questions_are_answered_on_an_issue_about_the_repository(world: World) -> None:
    sha = await world.push("one")
    await world.settle()
    issue = await world.github.open_issue(REPO)
    await world.say(issue, "/status\n/stats", by="bob")
    status, stats = (comment.body for comment in world.answers(issue))
    assert sha[:7] in status
    assert "**`production`**" in stats
