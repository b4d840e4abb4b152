"""Where what a page speaks of stands at GitHub: a repository, a commit, a pull request or issue."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class AtGitHub:
    """Addresses in the web face of one GitHub; `url` is that of its front page."""

    url: str = "https://github.com"

    def repository(self, full_name: str) -> str:
        """The repository's own page."""
        return f"{self.url}/{quote(full_name)}"

    def commit(self, full_name: str, sha: str) -> str:
        """What a commit changed."""
        return f"{self.repository(full_name)}/commit/{sha}"

    def pull(self, full_name: str, number: int) -> str:
        """A pull request; GitHub leads on to the issue where it is one."""
        return f"{self.repository(full_name)}/pull/{number}"
