"""What a person's own token can see at GitHub: the repositories that are theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.github.client.client import Client
from bot.github.client.credentials import Token
from bot.model import Repository

AFFILIATION = "owner,collaborator,organization_member"


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A `bot.github.client.credentials.Credential` that somebody gave us; there is no other when GitHub refuses it."""

    value: str = field(repr=False)
    bearer: bool = False

    async def current(self) -> Token:
        return Token(self.value, datetime.max.replace(tzinfo=UTC))

    def refuse(self, token: Token, skew_s: float) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Person:
    """An account at GitHub: `id` stays when `login` changes."""

    login: str
    id: int


async def whose(client: Client) -> Person:
    """Whose token the client speaks with. https://docs.github.com/en/rest/users/users#get-the-authenticated-user"""
    return await client.call("GET /user", lambda data: Person(str(data["login"]), int(data["id"])))


async def repositories_of(client: Client, owner: str, most: int) -> list[Repository]:
    """The repositories of `owner` that the client's person can read, the last changed first, forks left out.

    https://docs.github.com/en/rest/repos/repos#list-repositories-for-the-authenticated-user
    """
    query = {"affiliation": AFFILIATION, "sort": "pushed"}
    found = []
    async for repository, is_fork in client.each("GET /user/repos", _repository, query=query):
        if repository.owner.lower() == owner.lower() and not is_fork:
            found.append(repository)
            if len(found) == most:
                break
    return found


def _repository(data: dict[str, object]) -> tuple[Repository, bool]:
    return Repository(int(str(data["id"])), str(data["full_name"])), bool(data.get("fork"))
