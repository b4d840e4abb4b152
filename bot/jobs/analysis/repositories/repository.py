"""Finds a repository on disk, says whether it can be analysed, and names the commit a ref means."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Permanent, Refused, UserMistake
from bot.jobs.analysis.repositories.git import plain_git


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk: `objects` is its object store, `git_dir` the folder git commands are run in."""

    git_dir: Path
    objects: Path

    def resolve(self, ref: str) -> str:
        """The full id of the commit `ref` means. Raises UserMistake for an empty repository or an unknown ref."""
        code, out, told = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if code == 0:
            return out.decode().strip()
        raise self._why_unresolved(ref, told)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `older` still exists and `newer` descends from it: false after a force-push."""
        return self._git("merge-base", "--is-ancestor", older, newer)[0] == 0

    def _why_unresolved(self, ref: str, told: str) -> UserMistake | Permanent:
        code, out, _ = self._git("rev-list", "--all", "--max-count=1")
        if code == 0 and not out.strip():
            return UserMistake("no_commits", ref=ref)
        if code != 0 or "corrupt" in told or "unable to" in told:
            return Permanent("corrupt_repository", command="git rev-parse", exit_code=code, detail=told)
        return UserMistake("unknown_ref", ref=ref)

    def _git(self, *args: str) -> tuple[int, bytes, str]:
        return plain_git(["--git-dir", str(self.git_dir), *args])


def open_repository(path: Path) -> Repository:
    """The repository at (or around) `path`.

    Raises UserMistake("not_a_repository") where there is none, and Refused for one whose history is not whole:
    `shallow_repository`, `partial_clone`. Blame over part of a history is not exact.
    """
    if not path.is_dir():
        raise UserMistake("not_a_repository", target=str(path))
    where = ["rev-parse", "--absolute-git-dir", "--is-shallow-repository", "--git-path", "objects"]
    with ThreadPoolExecutor(1) as pool:  # two short commands, neither of which needs the other's answer
        partial = pool.submit(_is_partial, path)
        code, out, _ = plain_git(["-C", str(path), *where])
    lines = out.decode("utf-8", "surrogateescape").splitlines()
    if code != 0 or len(lines) != 3:
        raise UserMistake("not_a_repository", target=str(path))
    git_dir, shallow, objects = Path(lines[0]), lines[1], lines[2]
    if shallow == "true":
        raise Refused("shallow_repository", target=str(path))
    if partial.result():
        raise Refused("partial_clone", target=str(path))
    return Repository(git_dir, (path / objects).resolve())


def _is_partial(path: Path) -> bool:
    return plain_git(["-C", str(path), "config", "--get-regexp", r"^remote\..*\.promisor$"])[0] == 0
