"""Ways in that somebody lent us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class GitHubConnection:
    """A token somebody lent for one repository, without the token."""

    id: str
    owner: str
    repo: str
    branch: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AwsConnection:
    """A way into one AWS account, without its keys. `role_arn` None: by keys of its own."""

    id: str
    region: str
    account_id: str
    role_arn: str | None
    created_at: datetime


class Connections(Protocol):
    """Ways in that somebody lent us; what they come in with is sealed at rest."""

    async def put_github(self, connection: GitHubConnection, token: str) -> None: ...

    async def put_aws(self, connection: AwsConnection, credentials: Mapping[str, str]) -> None: ...

    async def github(self) -> list[GitHubConnection]:
        """Oldest first."""

    async def aws(self) -> list[AwsConnection]:
        """Oldest first."""

    async def token_of(self, connection_id: str) -> str | None: ...

    async def credentials_of(self, connection_id: str) -> Mapping[str, str] | None: ...

    async def remove(self, connection_id: str) -> bool:
        """False when there was none."""
