"""Keys for programs, and named secrets of repositories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key for programs, without the key itself."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeys(Protocol):
    """Keys for programs, hashed at rest."""

    async def create(self, name: str, now: datetime) -> tuple[ApiKey, str]:
        """The key's record and the key itself, which is shown this once."""

    async def all(self) -> list[ApiKey]: ...

    async def revoke(self, key_id: str, now: datetime) -> bool: ...

    async def verify(self, key: str, now: datetime) -> ApiKey | None:
        """The live key's record, else None; constant time over the hash."""


class Secrets(Protocol):
    """Named secrets of a repository, sealed at rest."""

    async def put(self, repository: str, name: str, value: str, now: datetime) -> None: ...

    async def get(self, repository: str, name: str) -> str | None: ...

    async def names(self, repository: str) -> list[str]: ...

    async def remove(self, repository: str, name: str) -> bool: ...
