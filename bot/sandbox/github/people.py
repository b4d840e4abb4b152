"""What people do at the simulated GitHub, a method each: they push, open, say, click, review, merge and install."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.github.acts import checks, comments, deployments, installations, merging, pulls, repositories
from bot.sandbox.github.acts.repositories import Contents, Pushed
from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import ROLES, Account, Repository
from bot.sandbox.github.registration import other_app
from bot.sandbox.github.traces import Traces

STATUS_STATES = ("error", "failure", "pending", "success")


@dataclass(frozen=True)
class Opened:
    """A pull request that was opened, and what the app was told of it."""

    number: int
    head_sha: str
    delivery: Delivery | None


@dataclass(frozen=True)
class Said:
    """A comment that was left, and what the app was told of it."""

    id: int
    body: str
    delivery: Delivery | None


class People(Traces):
    """Acts as people do. What can't be done raises Impossible, with a sentence."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._other_app = other_app()

    async def create_repo(
        self,
        full_name: str,
        *,
        files: repositories.Files | None = None,
        folder: Path | None = None,
        links: Mapping[str, str] | None = None,
        submodules: Mapping[str, str] | None = None,
        private: bool = False,
        default_branch: str = "main",
        organization: bool = True,
    ) -> Repository:
        """A repository with a first commit of `files` or of a `folder`; the app is installed on its owner.

        `links` are symbolic links by their targets, `submodules` are submodules by their commits.
        """
        contents = _contents(files, folder, links, submodules)
        return await repositories.create(
            self.hub, full_name, contents, private=private, default_branch=default_branch, organization=organization
        )

    async def push(
        self,
        repo: str,
        *,
        branch: str | None = None,
        files: repositories.Files | None = None,
        folder: Path | None = None,
        links: Mapping[str, str] | None = None,
        submodules: Mapping[str, str] | None = None,
        by: str = "alice",
        message: str = "Change things",
        delete: bool = False,
    ) -> Pushed:
        """Commit to a branch (a new one starts at the default branch), or delete it. With nothing given, anything."""
        repository = self.hub.repository(repo)
        name, person = branch or repository.default_branch, self.person(by)
        if delete:
            return await repositories.move(self.hub, repository, f"refs/heads/{name}", None, person)
        contents = _contents(files, folder, links, submodules)
        if not contents.files:
            contents = _contents({"CHANGES.txt": f"change {self.hub.world.next_id()}\n"})
        return await repositories.push(self.hub, repository, name, contents, person, message)

    async def force_push(self, repo: str, branch: str, sha: str, by: str = "alice") -> Pushed:
        """Point a branch at a commit by force."""
        repository = self.hub.repository(repo)
        return await repositories.move(self.hub, repository, f"refs/heads/{branch}", sha, self.person(by))

    async def tag(self, repo: str, name: str, at: str | None = None, by: str = "alice") -> Pushed:
        """Tag a commit (by SHA, branch or tag), by default the head of the default branch."""
        repository = self.hub.repository(repo)
        sha = await repository.git.resolve(at or repository.default_branch)
        if sha is None:
            raise Impossible(f"{repo} has no commit {at!r}")
        return await repositories.move(self.hub, repository, f"refs/tags/{name}", sha, self.person(by))

    async def publish_release(self, repo: str, tag: str, body: str = "", by: str = "alice") -> Delivery | None:
        """Publish a release of a tag."""
        return await repositories.publish_release(self.hub, self.hub.repository(repo), tag, body, self.person(by))

    async def rename_repo(self, repo: str, name: str, by: str = "alice") -> Delivery | None:
        """Give a repository another name (without its owner)."""
        return repositories.rename(self.hub, self.hub.repository(repo), name, self.person(by))

    async def delete_repo(self, repo: str, by: str = "alice") -> Delivery | None:
        """Delete a repository."""
        return repositories.delete(self.hub, self.hub.repository(repo), self.person(by))

    async def open_pull(
        self,
        repo: str,
        *,
        head: str,
        base: str | None = None,
        by: str = "alice",
        title: str = "Change things",
        body: str | None = None,
        from_fork: str | None = None,
        draft: bool = False,
    ) -> Opened:
        """Open a pull request from a branch; of `from_fork` (`owner/name`, made when it is new) when that is given."""
        repository = self.hub.repository(repo)
        source = await repositories.fork(self.hub, repository, from_fork) if from_fork else repository
        onto = base or repository.default_branch
        issue, delivery = await pulls.open_pull(
            self.hub, repository, source, head, onto, title, body, self.person(by), draft=draft
        )
        return Opened(issue.number, issue.pull.head_sha if issue.pull else "", delivery)

    async def fork(self, repo: str, as_name: str) -> Repository:
        """Fork a repository as `owner/name`."""
        return await repositories.fork(self.hub, self.hub.repository(repo), as_name)

    async def open_issue(self, repo: str, title: str = "It broke", body: str | None = None, by: str = "alice") -> int:
        """Open a plain issue; its number."""
        return pulls.open_issue(self.hub, self.hub.repository(repo), title, body, self.person(by)).number

    async def comment(self, repo: str, number: int, body: str, by: str = "alice") -> Said:
        """Say something on a pull request or an issue."""
        repository = self.hub.repository(repo)
        self.issue(repo, number)
        comment, delivery = comments.create(self.hub, repository, number, body, self.person(by))
        return Said(comment.id, body, delivery)

    async def edit_comment(self, repo: str, comment_id: int, body: str, by: str = "alice") -> Delivery | None:
        """Change what a comment says."""
        repository, comment = self._comment(repo, comment_id)
        return comments.edit(self.hub, repository, comment, body, self.person(by))

    async def delete_comment(self, repo: str, comment_id: int, by: str = "alice") -> Delivery | None:
        """Take a comment away."""
        repository, comment = self._comment(repo, comment_id)
        return comments.delete(self.hub, repository, comment, self.person(by))

    async def close_pull(self, repo: str, number: int, by: str = "alice") -> Delivery | None:
        """Close a pull request or an issue without merging."""
        return await pulls.close(self.hub, self.hub.repository(repo), self.issue(repo, number), self.person(by))

    async def reopen_pull(self, repo: str, number: int, by: str = "alice") -> Delivery | None:
        """Open it again."""
        return await pulls.reopen(self.hub, self.hub.repository(repo), self.issue(repo, number), self.person(by))

    async def queue_pull(self, repo: str, number: int, by: str = "alice") -> Pushed:
        """Put a pull request into the merge queue: the merge it makes, of which it asks for checks."""
        return await merging.queue(self.hub, self.hub.repository(repo), self.issue(repo, number), self.person(by))

    async def merge_pull(self, repo: str, number: int, by: str = "alice") -> Pushed:
        """Merge a pull request: the base branch moves, then the pull request is closed as merged."""
        repository, issue, person = self.hub.repository(repo), self.issue(repo, number), self.person(by)
        sha = await pulls.merged_tree(repository, issue)
        told = await pulls.mark_merged(self.hub, repository, issue, sha, person)
        base = issue.pull.base_ref if issue.pull else repository.default_branch
        pushed = await repositories.move(self.hub, repository, f"refs/heads/{base}", sha, person)
        return Pushed(sha, pushed.before, tuple(one for one in (told, *pushed.deliveries) if one))

    async def click(self, check_run_id: int, identifier: str, by: str = "alice") -> Delivery | None:
        """Press a button of a check run."""
        repository, run = self._run(check_run_id)
        return checks.click(self.hub, repository, run, identifier, self.person(by))

    async def rerequest(self, check_run_id: int, by: str = "alice") -> Delivery | None:
        """Ask for a check run again ("Re-run")."""
        repository, run = self._run(check_run_id)
        return checks.rerequest_run(self.hub, repository, run, self.person(by))

    async def rerequest_suite(self, repo: str, sha: str, by: str = "alice") -> Delivery | None:
        """Ask for all check runs of a commit again ("Re-run all checks")."""
        repository = self.hub.repository(repo)
        suite = checks.suite_for(self.hub, repository, sha, None)
        return await checks.rerequest_suite(self.hub, repository, suite, self.person(by))

    def set_permission(self, repo: str, user: str, role: str) -> None:
        """Give somebody a role in a repository: none, read, triage, write, maintain or admin."""
        if role not in ROLES:
            raise Impossible(f"{role!r} is not a role; these are: {', '.join(ROLES)}")
        self.hub.repository(repo).roles[self.person(user).login.lower()] = role

    def add_to_team(self, organization: str, team: str, user: str, role: str = "member") -> None:
        """Put somebody into a team of an organization, which makes them a member of it."""
        account = self.hub.world.account(organization, "Organization")
        account.kind = "Organization"
        account.members.add(self.person(user).login.lower())
        account.teams.setdefault(team, {})[user.lower()] = role

    async def check(self, repo: str, sha: str, name: str, state: str = "success") -> int:
        """Another app's check run, by its id: `state` is queued, in_progress, or the conclusion that completes it."""
        repository = self.hub.repository(repo)
        await checks.head_commit(repository, sha)
        return checks.others_run(self.hub, repository, self._other_app, sha, name, state).id

    async def set_status(self, repo: str, sha: str, context: str, state: str = "success", by: str = "ci") -> None:
        """Another service's status of a commit: error, failure, pending or success."""
        if state not in STATUS_STATES:
            raise Impossible(f"{state!r} is no state; these are: {', '.join(STATUS_STATES)}")
        repository = self.hub.repository(repo)
        await checks.head_commit(repository, sha)
        deployments.set_status(self.hub, repository, sha, {"context": context, "state": state}, self.person(by))

    def review(self, repo: str, number: int, by: str, state: str = "APPROVED", body: str = "") -> None:
        """Review a pull request as it is now: APPROVED, CHANGES_REQUESTED or COMMENTED."""
        pull = self.issue(repo, number).pull
        if pull is None:
            raise Impossible(f"#{number} is an issue, not a pull request")
        review = {"id": self.hub.world.next_id(), "login": self.person(by).login, "state": state, "body": body}
        pull.reviews.append(review | {"sha": pull.head_sha, "at": self.hub.world.now()})

    def person(self, login: str, kind: str = "User") -> Account:
        """Somebody by name, made when they are new; names that end in `[bot]` are bots."""
        return self.hub.world.account(login, "Bot" if login.endswith("[bot]") else kind)

    def user_token(self, login: str) -> str:
        """A personal access token, for git and REST in somebody's name."""
        return self.hub.tokens.for_user(self.person(login))

    def approve_oauth_as(self, login: str | None) -> None:
        """Who approves when the app asks a person to sign in; None denies."""
        self.hub.oauth_as = login

    def new_manifest_code(self) -> str:
        """A code as GitHub hands to the redirect URL of a manifest, to be changed into an app once."""
        code = secrets.token_hex(20)
        self.hub.manifest_codes.add(code)
        return code

    # The app's installation

    async def uninstall(self, account: str, by: str = "alice") -> Delivery:
        """Take the app off an account."""
        return installations.remove(self.hub, self.installation(account), self.person(by))

    async def install(self, account: str, by: str = "alice") -> Delivery:
        """Put the app on an account, and tell it."""
        made = installations.install(self.hub, self.hub.world.account(account))
        return installations.announce(self.hub, made, "created", self.person(by))

    async def suspend(self, account: str, by: str = "alice", *, on: bool = True) -> Delivery:
        """Suspend the app on an account, or take it up again."""
        return installations.suspend(self.hub, self.installation(account), self.person(by), on=on)

    async def select_repositories(self, account: str, repos: list[str] | None, by: str = "alice") -> Delivery:
        """Choose the repositories the app is installed on; None is all of them."""
        chosen = None if repos is None else [self.hub.repository(one) for one in repos]
        return installations.select(self.hub, self.installation(account), chosen, self.person(by))


def _contents(
    files: repositories.Files | None,
    folder: Path | None = None,
    links: Mapping[str, str] | None = None,
    submodules: Mapping[str, str] | None = None,
) -> Contents:
    """What is given inline, laid over what is in a folder."""
    base = repositories.from_folder(folder) if folder else Contents({}, {})
    inline = repositories.from_mapping(files or {}, links, submodules)
    return Contents({**base.files, **inline.files}, {**base.modes, **inline.modes})
