"""What the app left behind at the simulated GitHub, as a test or a demo reads it."""

from bot.sandbox.github.acts import installations
from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.hub import Hub, Request
from bot.sandbox.github.model import CheckRun, Comment, Deployment, Installation, Issue, Repository


class Traces:
    """Reads one simulated GitHub. What is not there raises Impossible, with a sentence."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def installation(self, account: str) -> Installation:
        """The app's installation on an account."""
        return installations.of_account(self.hub, self.hub.world.account(account))

    def repository(self, repo: str) -> Repository:
        """A repository."""
        return self.hub.repository(repo)

    def issue(self, repo: str, number: int) -> Issue:
        """An issue or a pull request."""
        found = self.hub.repository(repo).issues.get(number)
        if found is None:
            raise Impossible(f"{repo} has no issue or pull request #{number}")
        return found

    async def head(self, repo: str, branch: str | None = None) -> str:
        """Full SHA of a branch's head."""
        repository = self.hub.repository(repo)
        sha = await repository.git.resolve(f"refs/heads/{branch or repository.default_branch}")
        if sha is None:
            raise Impossible(f"{repo} has no branch {branch!r}")
        return sha

    def check_runs(self, repo: str, sha: str | None = None) -> list[CheckRun]:
        """Check runs, oldest first, of one commit when it is given."""
        runs = self.hub.repository(repo).check_runs.values()
        return [one for one in runs if sha in (None, one.head_sha)]

    def checks(self, repo: str, sha: str | None = None) -> list[str]:
        """The same in words: `shipmate / deploy: success`."""
        return [f"{one.name}: {one.state}" for one in self.check_runs(repo, sha)]

    def comments(self, repo: str, number: int | None = None) -> list[Comment]:
        """Comments, oldest first, of one pull request or issue when it is given."""
        found = self.hub.repository(repo).comments.values()
        return [one for one in found if number in (None, one.number)]

    def reactions(self, repo: str, comment_id: int) -> list[str]:
        """The emoji on a comment, in the order they came: `eyes`, `rocket`."""
        return [one.content for one in self._comment(repo, comment_id)[1].reactions]

    def environments(self, repo: str) -> list[str]:
        """The environments GitHub shows, by name."""
        return sorted(self.hub.repository(repo).environments)

    def deployments(self, repo: str, environment: str | None = None) -> list[Deployment]:
        """Deployments with their statuses, oldest first, of one environment when it is given."""
        found = self.hub.repository(repo).deployments.values()
        return [one for one in found if environment in (None, one.environment)]

    @property
    def requests(self) -> list[Request]:
        """Every request that was answered, oldest first."""
        return list(self.hub.requests)

    @property
    def deliveries(self) -> list[Delivery]:
        """Every delivery of the app's webhook, oldest first."""
        return list(self.hub.hooks.deliveries)

    def _comment(self, repo: str, comment_id: int) -> tuple[Repository, Comment]:
        repository = self.hub.repository(repo)
        found = repository.comments.get(comment_id)
        if found is None:
            raise Impossible(f"{repo} has no comment {comment_id}")
        return repository, found

    def _run(self, check_run_id: int) -> tuple[Repository, CheckRun]:
        for repository in self.hub.world.repositories.values():
            if found := repository.check_runs.get(check_run_id):
                return repository, found
        raise Impossible(f"there is no check run {check_run_id}")
