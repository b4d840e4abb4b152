"""Ways in that somebody lent us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.audit import AuditEntry
from bot.model import Repository


@dataclass(frozen=True, slots=True)
class GitHubConnection:
    """A token somebody lent for one repository, without the token."""

    id: str
    owner: str
    repo: str
    branch: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LentTo:
    """Whose deployments may go through a connection: one repository (`owner/name`), or all of an account (`owner`).

    `number` is GitHub's number of the repository, or of our app's installation in the account: a name that another
    takes over later opens nothing.
    """

    name: str
    number: int

    def covers(self, repository: Repository, installation_id: int) -> bool:
        """Whether a job of the repository, asked for under that installation, is meant."""
        return self.number > 0 and self.number == (repository.id if "/" in self.name else installation_id)


@dataclass(frozen=True, slots=True)
class AwsConnection:
    """A way into one AWS account, without its keys. `role_arn` None: by keys of its own."""

    id: str
    region: str
    account_id: str
    role_arn: str | None
    created_at: datetime
    name: str | None = None
    """What settings may call it instead of its id; unique."""
    lent_to: tuple[LentTo, ...] = ()
    """Whose settings may name it; nobody's by themselves."""

    def is_lent_to(self, repository: Repository, installation_id: int) -> bool:
        """Whether the repository's own settings may send its deployments through it."""
        return any(one.covers(repository, installation_id) for one in self.lent_to)


class Connections(Protocol):
    """Ways in that somebody lent us; what they come in with is sealed at rest.

    Each change is told to the audit trail in the transaction that makes it, and only if it changes anything.
    """

    async def put_github(self, connection: GitHubConnection, token: str, told: AuditEntry) -> None: ...

    async def put_aws(self, connection: AwsConnection, credentials: Mapping[str, str], told: AuditEntry) -> None:
        """Raises Refused("connection_name_taken")."""

    async def replace_aws(
        self, connection: AwsConnection, credentials: Mapping[str, str], told: AuditEntry, now: datetime
    ) -> bool:
        """Other keys, and to whom it is lent, under the same id and name; False when it is gone."""

    async def lend_aws(self, connection: AwsConnection, told: AuditEntry, now: datetime) -> bool:
        """To whom it is lent, and nothing else; False when it is gone."""

    async def github(self) -> list[GitHubConnection]:
        """Oldest first."""

    async def aws(self) -> list[AwsConnection]:
        """Oldest first."""

    async def one_github(self, connection_id: str) -> GitHubConnection | None: ...

    async def one_aws(self, reference: str) -> AwsConnection | None:
        """By its id or name."""

    async def token_of(self, connection_id: str) -> str | None: ...

    async def credentials_of(self, connection_id: str) -> Mapping[str, str] | None: ...

    async def version_of(self, connection_id: str) -> int | None:
        """Grows with each change of what it comes in with; None when it is gone."""

    async def remove(self, connection_id: str, told: AuditEntry, now: datetime) -> bool:
        """False when there was none."""
