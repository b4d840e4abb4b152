"""Finds a repository on disk, says whether it can be analysed, and names the commit a ref means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Permanent, Refused, UserMistake
from bot.jobs.analysis.repositories.git import plain_git

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""How git tells of one commit; of a range it tells two, and one that is left out with a `^`."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk: `objects` is its object store, `git_dir` the folder git commands are run in."""

    git_dir: Path
    objects: Path

    def resolve(self, ref: str) -> str:
        """The full id of the commit `ref` means. Raises UserMistake for an empty repository or an unknown ref."""
        code, out, told = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        head = out.decode().strip()
        if code == 0 and _ID.fullmatch(head):
            return head
        raise self._why_unresolved(ref, told)

    def _why_unresolved(self, ref: str, told: str) -> UserMistake | Permanent:
        code, out, complaint = self._git("rev-list", "--all", "--max-count=1")
        if code == 0 and not out.strip():
            return UserMistake("no_commits", ref=ref)
        if code != 0 or "corrupt" in told or "unable to" in told:
            detail = (told or complaint).partition("\n")[0]
            return Permanent("corrupt_repository", command="git rev-parse", exit_code=code, detail=detail)
        return UserMistake("unknown_ref", ref=ref)

    def _git(self, *args: str) -> tuple[int, bytes, str]:
        return plain_git(["--git-dir", str(self.git_dir), *args])


def open_at(path: Path, ref: str) -> tuple[Repository, str]:
    """The repository at (or around) `path`, and the full id of the commit `ref` means there: one question, mostly.

    Raises what `open_repository` and `Repository.resolve` raise.
    """
    repository, head = _open(path, "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return repository, head if _ID.fullmatch(head) else repository.resolve(ref)


def open_repository(path: Path) -> Repository:
    """The repository at (or around) `path`.

    Raises UserMistake("not_a_repository") where there is none, and Refused for one whose history is not whole:
    `shallow_repository`, `partial_clone`. Blame over part of a history is not exact.
    """
    return _open(path)[0]


def _open(path: Path, *asked: str) -> tuple[Repository, str]:
    """The repository, and what git answers to what is `asked` besides; '' where it has no answer."""
    if not path.is_dir():
        raise UserMistake("not_a_repository", target=str(path))
    where = ["--absolute-git-dir", "--is-shallow-repository", "--git-path", "objects", "--git-path", "config"]
    _, out, _ = plain_git(["-C", str(path), "rev-parse", *where, *asked])
    lines = out.decode("utf-8", "surrogateescape").splitlines()
    if len(lines) < 4:  # of a folder that is no repository, not even the first
        raise UserMistake("not_a_repository", target=str(path))
    git_dir, shallow, objects, config, *answer = lines
    if shallow == "true":
        raise Refused("shallow_repository", target=str(path))
    if _is_partial(path, path / config):
        raise Refused("partial_clone", target=str(path))
    return Repository(Path(git_dir), (path / objects).resolve()), "".join(answer)


def _is_partial(path: Path, config: Path) -> bool:
    """Whether a remote promised what is not here. Git is asked where the settings may say so, or lead to others."""
    settings = config.read_bytes().lower() if config.exists() else b""
    if not any(word in settings for word in (b"promisor", b"include", b"worktreeconfig")):
        return False
    return plain_git(["-C", str(path), "config", "--get-regexp", r"^remote\..*\.promisor$"])[0] == 0
