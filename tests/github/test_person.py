"""A person's own token tells which repositories are theirs, and is asked with as a person's."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import Permanent
from bot.github.api import GitHub
from bot.github.person import repositories_of
from bot.model import Repository
from tests.github.answering import Answer, AnsweringGitHub

TOKEN = "ghu_0123456789abcdefghij0123456789abcdef"


def listed(number: int, name: str, *, fork: bool = False) -> dict[str, Any]:
    return {"id": number, "full_name": name, "fork": fork}


async def test_only_what_the_owner_owns_and_is_no_fork_counts(github: GitHub, answering: AnsweringGitHub) -> None:
    page = [listed(1, "Zoe/one"), listed(2, "acme/api"), listed(3, "zoe/copy", fork=True), listed(4, "zoe/two")]
    answering.answers = [Answer(200, page)]
    found = await repositories_of(github.person(TOKEN), "zoe", 100)
    assert found == [Repository(1, "Zoe/one"), Repository(4, "zoe/two")]
    (asked,) = answering.asked
    assert asked.path.startswith("/user/repos?")
    assert asked.token == TOKEN


async def test_no_more_are_read_than_are_wanted(github: GitHub, answering: AnsweringGitHub) -> None:
    answering.answers = [Answer(200, [listed(number, f"zoe/r{number}") for number in range(5)])]
    assert len(await repositories_of(github.person(TOKEN), "zoe", 2)) == 2


async def test_a_token_that_does_not_hold_is_told_without_showing_it(
    github: GitHub, answering: AnsweringGitHub
) -> None:
    answering.respond = lambda _: Answer(401, {"message": "Bad credentials"})
    with pytest.raises(Permanent) as caught:
        await repositories_of(github.person(TOKEN), "zoe", 100)
    assert TOKEN not in f"{caught.value} {github.person(TOKEN)._credential!r}"
