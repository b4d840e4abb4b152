"""What went live."""

from __future__ import annotations

from typing import Protocol

from bot.model import Release

KEPT_RELEASES = 5
"""How many releases of an environment can be gone back to."""


class Releases(Protocol):
    """What went live."""

    async def active(self, repository_id: int, environment: str) -> Release | None: ...

    async def recent(self, repository_id: int, environment: str, limit: int = 20) -> list[Release]:
        """Newest first."""

    async def serving(self, repository_id: int, limit: int = 500) -> list[Release]:
        """What serves in each environment of a repository, by the environment's name."""

    async def all_active(self) -> list[Release]: ...

    async def of_commit(self, repository_id: int, sha: str) -> list[Release]:
        """Releases of a commit in any environment, newest first."""

    async def with_image(self, image: str) -> list[Release]:
        """Releases that have this very image, newest first."""

    async def is_kept(self, release_id: int) -> bool:
        """Whether it serves, or is one of the last of its environment, which can be gone back to."""

    async def environments(self, repository_id: int) -> list[str]: ...

    async def retire(self, repository_id: int, environment: str) -> None:
        """Nothing serves there any more. Repeatable."""
