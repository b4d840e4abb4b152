"""What an operation is given and what it gives back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import Account, App, Issue, Repository
from bot.sandbox.github.operations import Operation
from bot.sandbox.github.refusals import GitHubError, not_found
from bot.sandbox.github.tokens import Identity

Json = dict[str, Any]
PER_PAGE = 30
MAX_PER_PAGE = 100


@dataclass(frozen=True)
class Reply:
    """An answer: JSON, or `raw` bytes of `media`. A list has so many `pages`, or goes on at a `cursor`."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media: str = "application/json; charset=utf-8"
    pages: int | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class Call:
    """One request that was allowed and checked. `at` is the repository it names, if it names one."""

    hub: Hub
    operation: Operation
    identity: Identity
    path: Json
    query: Json
    body: Json
    accept: str = ""
    at: Repository | None = None

    @property
    def repository(self) -> Repository:
        """The repository named. Raises GitHubError 404."""
        if self.at is None:
            raise not_found()
        return self.at

    @property
    def base(self) -> str:
        """Address of this GitHub."""
        return self.hub.base

    @property
    def actor(self) -> Account:
        """In whose name things are done: a person, or the app's bot. Raises GitHubError 401."""
        if self.identity.user:
            return self.identity.user
        if self.identity.installation:
            return self.hub.world.app.bot
        raise GitHubError(401, "Requires authentication")

    @property
    def app(self) -> App | None:
        """The app, when it is the one that acts."""
        return self.hub.world.app if self.identity.installation else None

    def issue(self) -> Issue:
        """The issue or pull request of `issue_number` or `pull_number`. Raises GitHubError 404."""
        number = self.path.get("issue_number", self.path.get("pull_number"))
        found = self.repository.issues.get(number) if isinstance(number, int) else None
        if found is None or ("pull_number" in self.path and found.pull is None):
            raise not_found()
        return found

    async def commit(self, ref: str) -> str:
        """Full SHA of what a ref names. Raises GitHubError 422 as GitHub does for commits."""
        sha = await self.repository.git.resolve(ref)
        if sha is None:
            raise GitHubError(422, f"No commit found for SHA: {ref}")
        return sha

    def page(self, items: list[Any]) -> tuple[list[Any], int]:
        """The asked-for page of a list, and how many pages there are."""
        size = max(1, min(self.query.get("per_page", PER_PAGE), MAX_PER_PAGE))
        number = max(1, self.query.get("page", 1))
        return items[(number - 1) * size : number * size], max(1, -(-len(items) // size))

    def listed(self, items: list[Any], shape: Callable[[Any], Any]) -> Reply:
        """A page of a plain list."""
        chosen, pages = self.page(items)
        return Reply([shape(one) for one in chosen], pages=pages)

    def counted(self, name: str, items: list[Any], shape: Callable[[Any], Any], **more: Any) -> Reply:
        """A page of a list that comes with its total count."""
        chosen, pages = self.page(items)
        return Reply({"total_count": len(items), name: [shape(one) for one in chosen], **more}, pages=pages)


Handler = Callable[[Call], Awaitable[Reply]]
