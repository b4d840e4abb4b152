"""Decides whether whoever asks may do an operation, and answers as GitHub does when not.

https://docs.github.com/rest/authentication/permissions-required-for-github-apps
"""

from bot.sandbox.github.model import Repository, World
from bot.sandbox.github.operations import Operation
from bot.sandbox.github.refusals import GitHubError, not_accessible, not_found
from bot.sandbox.github.tokens import Identity

BY_APP = {
    "apps/get-authenticated",
    "apps/list-installations",
    "apps/get-installation",
    "apps/create-installation-access-token",
    "apps/get-repo-installation",
    "apps/get-org-installation",
    "apps/get-user-installation",
    "apps/get-webhook-config-for-app",
    "apps/list-webhook-deliveries",
    "apps/get-webhook-delivery",
    "apps/redeliver-webhook-delivery",
}
"""Operations only the app itself may ask for, with its JWT."""
BY_INSTALLATION = {"apps/revoke-installation-access-token", "apps/list-repos-accessible-to-installation"}
OPEN_TO_APP = {"rate-limit/get", "meta/get", "apps/get-by-slug", "apps/create-from-manifest", "users/get-by-username"}
CHECK_WRITES = {"checks/create", "checks/update", "checks/create-suite"}
"""What only an app may do, never a person."""
NEEDS_INSTALLATION = (
    "You must authenticate with an installation access token in order to list repositories for an installation."
)
TALK = {"issues", "reactions"}


def require(
    world: World, operation: Operation, identity: Identity, owner: str | None, name: str | None
) -> Repository | None:
    """The repository an operation names, if any, once it is sure that it may. Raises GitHubError 401, 403 or 404."""
    _require_kind(operation, identity)
    if owner is None or name is None:
        _require_permission(operation, identity)
        return None
    repository = world.repository(f"{owner}/{name}")
    if repository is None:
        raise not_found()
    if identity.kind == "app":
        return repository
    if not identity.sees(repository):
        raise not_found()
    _require_access(operation, identity, repository)
    return repository


def _require_kind(operation: Operation, identity: Identity) -> None:
    """The right sort of credentials for this operation."""
    if operation.name in BY_APP and identity.kind != "app":
        raise GitHubError(401, "A JSON web token could not be decoded")
    if operation.name in BY_INSTALLATION and identity.kind != "installation":
        raise GitHubError(403, NEEDS_INSTALLATION)
    if identity.kind == "app" and operation.name not in BY_APP | OPEN_TO_APP:
        raise GitHubError(401, "A JSON web token can't be used for this: use an installation access token")


def _require_permission(operation: Operation, identity: Identity) -> None:
    """An installation token's permission, for what is in no repository."""
    if identity.installation and operation.permissions and not _granted(operation, identity):
        raise not_accessible(operation.accepted)


def _require_access(operation: Operation, identity: Identity, repository: Repository) -> None:
    """Permission of the app, or role of the person, in a repository that can be seen."""
    reads = operation.method == "GET"
    if identity.installation:
        _require_granted(operation, identity, repository)
    elif identity.user is None and not reads:
        raise GitHubError(401, "Requires authentication")
    elif identity.user and not reads:
        _require_role(operation, identity.user.login, repository)
    if not reads and repository.archived:
        raise GitHubError(403, "Repository was archived so is read-only.")


def _require_granted(operation: Operation, identity: Identity, repository: Repository) -> None:
    """An installation reaches its own repositories by permission, and reads public ones as anyone does."""
    covered = identity.covers(repository)
    if not covered and operation.method == "GET" and not repository.private:
        return
    if not covered or not _granted(operation, identity):
        raise not_accessible(operation.accepted)


def _granted(operation: Operation, identity: Identity) -> bool:
    return any(identity.has(permission, level) for permission, level in operation.permissions)


def _require_role(operation: Operation, login: str, repository: Repository) -> None:
    """A person writes by role: everyone who reads may talk, the rest takes write."""
    if operation.name in CHECK_WRITES:
        raise GitHubError(403, "You must authenticate via a GitHub App.")
    wanted = "read" if operation.name.split("/")[0] in TALK else "write"
    if not repository.allows(login, wanted):
        raise not_found() if repository.private else GitHubError(403, "Must have push access to repository.")
