"""Refusals in GitHub's own words and shape."""

from typing import Any

Json = dict[str, Any]
DOCS = "https://docs.github.com/rest"


class GitHubError(Exception):
    """An answer that isn't a success. `docs` is filled in from the operation when it isn't given."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[Any] | None = None,
        docs: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.docs = docs
        self.headers = headers or {}

    def body(self, docs: str) -> Json:
        """The JSON GitHub answers with."""
        said: Json = {"message": self.message}
        if self.errors is not None:
            said["errors"] = self.errors
        return said | {"documentation_url": self.docs or docs, "status": str(self.status)}


def not_found() -> GitHubError:
    """404, also for what exists but must not be seen."""
    return GitHubError(404, "Not Found")


def bad_credentials() -> GitHubError:
    """401 for a token that is unknown, expired or revoked."""
    return GitHubError(401, "Bad credentials", docs=DOCS)


def not_accessible(accepted: str = "") -> GitHubError:
    """403 for an app that lacks a permission; `accepted` lists what would have done."""
    headers = {"X-Accepted-GitHub-Permissions": accepted} if accepted else {}
    return GitHubError(403, "Resource not accessible by integration", headers=headers)


def invalid_request(*sentences: str) -> GitHubError:
    """422 for a request that doesn't fit the operation's schema."""
    return GitHubError(422, "Invalid request.\n\n" + "\n".join(sentences))


def validation_failed(resource: str, field: str, code: str = "invalid", message: str | None = None) -> GitHubError:
    """422 for a request that fits the schema but can't be done."""
    error = {"resource": resource, "code": code, "field": field}
    return GitHubError(422, "Validation Failed", errors=[error | ({"message": message} if message else {})])
