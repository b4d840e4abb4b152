"""Keys for programs, and named secrets of repositories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key for programs, without the key itself.

    `repositories` are what it is limited to, in lower case: `owner/name`, or `owner/*` for all of an account's. Without
    any it sees everything.
    """

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    repositories: tuple[str, ...] = ()

    def sees(self, repository: str) -> bool:
        """Whether what is known of `owner/name` may be told to whoever shows it."""
        if not self.repositories:
            return True
        owner, slash, name = repository.lower().partition("/")
        is_full = bool(slash and name) and "/" not in name
        return is_full and not {f"{owner}/{name}", f"{owner}/*"}.isdisjoint(self.repositories)


class ApiKeys(Protocol):
    """Keys for programs, hashed at rest."""

    async def create(self, name: str, now: datetime, repositories: Sequence[str] = ()) -> tuple[ApiKey, str]:
        """The key's record and the key itself, which is shown this once. With `repositories` it is limited to them."""

    async def all(self) -> list[ApiKey]: ...

    async def revoke(self, key_id: str, now: datetime) -> bool: ...

    async def verify(self, key: str, now: datetime) -> ApiKey | None:
        """The live key's record, else None; constant time over the hash."""


class Secrets(Protocol):
    """Named secrets of a repository, sealed at rest."""

    async def put(self, repository: str, name: str, value: str, now: datetime) -> None: ...

    async def get(self, repository: str, name: str) -> str | None: ...

    async def names(self, repository: str) -> list[str]: ...

    async def put_before(self, repository: str, moment: datetime) -> list[str]:
        """The names of those put, or put again, no later than that."""

    async def remove(self, repository: str, name: str) -> bool: ...
