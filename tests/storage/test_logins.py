"""Logins of commits' addresses: told by the address, known from before, or asked of GitHub, which is asked seldom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.people.logins import KEPT, MOST_ASKED, find_logins
from storage.opened import OpenStore

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANN, NOBODY = Author("Ann", "Ann@Example.org"), Author("Nobody", "nobody@example.org")
NOREPLY = Author("Bob", "7+bob@users.noreply.github.com")


class GitHub:
    """Knows Ann, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, emails: Sequence[str]) -> dict[str, str | None]:
        self.asked += emails
        return {email: "ann-s" if email == "ann@example.org" else None for email in emails}


async def test_github_is_asked_about_an_address_once_a_month(opened: OpenStore) -> None:
    github, logins = GitHub(), opened.store.commit_logins
    for now in (NOW, NOW + KEPT, NOW + KEPT + timedelta(seconds=1)):
        found = await find_logins([ANN, NOBODY, NOREPLY], logins, github, lambda now=now: now)  # type: ignore[misc]
        assert found == {"ann@example.org": "ann-s", "7+bob@users.noreply.github.com": "bob"}
    assert github.asked == ["ann@example.org", "nobody@example.org"] * 2


async def test_who_matters_most_is_asked_about_when_there_are_many(opened: OpenStore) -> None:
    github = GitHub()
    many = [Author(str(number), f"{number}@example.org") for number in range(MOST_ASKED + 5)]
    await find_logins(many, opened.store.commit_logins, github, lambda: NOW)
    assert github.asked == [author.email for author in many[:MOST_ASKED]]


async def test_without_github_what_is_known_is_told(opened: OpenStore) -> None:
    await opened.store.commit_logins.put({"ann@example.org": "ann-s"}, NOW)
    assert await find_logins([ANN, NOBODY], opened.store.commit_logins, None, lambda: NOW) == {
        "ann@example.org": "ann-s"
    }
