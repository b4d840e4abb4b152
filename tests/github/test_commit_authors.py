"""The logins behind commits' addresses are asked for in as few requests as can be."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.github.client.client import Client
from bot.github.commit_authors import logins_of
from tests.github.answering import Answer, AnsweringGitHub, Asked

SHA = "a" * 40


def commit(email: str, login: str | None) -> dict[str, Any]:
    return {"commit": {"author": {"email": email}}, "author": {"login": login} if login else None}


def query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}


async def test_recent_authors_cost_one_request_together(client: Client, answering: AnsweringGitHub) -> None:
    answering.answers = [Answer(200, [commit("Ann@x.org", "ann"), commit("ben@x.org", None)])]
    assert await logins_of(client, ["ann@x.org", "ben@x.org"], SHA) == {"ann@x.org": "ann", "ben@x.org": None}
    assert [query(asked) for asked in answering.asked] == [{"per_page": "100", "sha": SHA}]


async def test_an_author_of_old_is_asked_about_by_address(client: Client, answering: AnsweringGitHub) -> None:
    def respond(asked: Asked) -> Answer:
        return Answer(200, [commit("old@x.org", "oldie")] if query(asked).get("author") == "old@x.org" else [])

    answering.respond = respond
    assert await logins_of(client, ["old@x.org", "gone@x.org"], SHA) == {"old@x.org": "oldie", "gone@x.org": None}
    assert [query(asked).get("per_page") for asked in answering.asked[1:]] == ["1", "1"]


async def test_a_commit_github_does_not_know_tells_nobody(client: Client, answering: AnsweringGitHub) -> None:
    answering.respond = lambda _: Answer(404, {"message": "Not Found"})
    assert await logins_of(client, ["ann@x.org"], SHA) == {"ann@x.org": None}
