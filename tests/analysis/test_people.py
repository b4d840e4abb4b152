"""Who counts as whom: mailmap, bots, filters, ignored revisions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.jobs.analysis.people.identities import Author
from tests.analysis.histories import ANN, BEN, History, blame_of, git
from tests.analysis.running import analysed

BOT = b"dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"


def test_the_mailmap_joins_names_of_one_person(history: History) -> None:
    mailmap = b"Ann Smith <ann@example.org> <ann@old.example.org>\nAnn Smith <ann@example.org>\n"
    history.commit({".mailmap": mailmap, "a.txt": b"1\n2\n"}, author=b"ann <ann@old.example.org>")
    history.commit({"b.txt": b"1\n"}, author=ANN)
    [author] = analysed(history.write()).authors
    assert (str(author.author), author.lines, author.commits) == ("Ann Smith <ann@example.org>", 5, 2)


def test_per_author_sums_are_those_of_git_blame(history: History) -> None:
    history.commit({"a.txt": b"1\n2\n3\n", ".mailmap": b"Benjamin <ben@example.org>\n"})
    history.commit({"a.txt": b"1\n2\nthree\n", "b.txt": b"1\n"}, author=BEN)
    repository = history.write()
    report = analysed(repository, per_file=True)
    told = git(repository, "blame", "--line-porcelain", "HEAD", "--", "a.txt").decode()
    assert (report.per_file or {})["a.txt"] == {
        "Ann <ann@example.org>": told.count("author-mail <ann@example.org>"),
        "Benjamin <ben@example.org>": told.count("author-mail <ben@example.org>"),
    }
    assert report.lines == sum(entry.lines for entry in report.authors) == 5


@pytest.mark.parametrize("name", ["dependabot[bot]", "renovate-bot", "pre-commit-ci", "github-actions"])
def test_automations_are_told_from_people(name: str) -> None:
    assert Author(name, "x@example.org").is_bot


@pytest.mark.parametrize("name", ["Abbott", "Robot Smith", "Botho Strauss", "Ann"])
def test_people_are_not_taken_for_automations(name: str) -> None:
    assert not Author(name, "x@example.org").is_bot


def test_a_noreply_address_tells_the_login() -> None:
    assert Author("Ann", "123+ann-s@users.noreply.github.com").login == "ann-s"
    assert Author("Ann", "ann@users.noreply.github.com").login == "ann"
    assert Author("Ann", "ann@example.org").login is None


def test_bots_can_be_left_out_of_authors_and_series(history: History) -> None:
    history.commit({"a.txt": b"1\n"})
    history.commit({"b.txt": b"1\n"}, author=BOT)
    report = analysed(history.write(), without_bots=True)
    assert [entry.author.name for entry in report.authors] == ["Ann"]
    assert {row.author.name for row in report.week} == {"Ann"}
    assert report.lines == 2


@pytest.mark.parametrize("asked", ["ben", "BEN@example.org", "Ben <ben@example.org>"])
def test_one_author_can_be_asked_for(history: History, asked: str) -> None:
    history.commit({"a.txt": b"1\n"})
    history.commit({"b.txt": b"1\n"}, author=BEN)
    report = analysed(history.write(), authors=(asked,))
    assert [(entry.author.name, entry.share) for entry in report.authors] == [("Ben", 0.5)]


def test_ignored_revisions_are_passed_over_as_git_does(history: History) -> None:
    history.commit({"a.py": b"x=1\ny=2\nz=3\n", "b.py": b"b\n"})
    history.commit({"a.py": b"x = 1\ny = 2\nz = 3\nnew = 4\n"}, author=BEN)
    draft = history.write()
    formatter = git(draft, "rev-parse", "c1").strip()
    git(draft, "config", "gc.auto", "0")
    listed = b"# formatting\n" + formatter + b"  # all of it\n"
    commit = add_file(draft, ".git-blame-ignore-revs", listed)
    report = analysed(draft, ref=commit, ignore_revs=True, per_file=True)
    revisions = draft / "ignored"
    revisions.write_bytes(listed)
    told = blame_of(draft, b"a.py", commit, f"--ignore-revs-file={revisions}")
    assert sorted((report.per_file or {})["a.py"].values()) == sorted(told.values())
    plain = analysed(draft, ref=commit, per_file=True)
    assert plain.per_file != report.per_file


def add_file(repository: Path, name: str, content: bytes) -> str:
    """Commit one more file on top of a written history and return the commit's id."""
    blob = git(repository, "hash-object", "-w", "--stdin", feed=content).decode().strip()
    entries = git(repository, "ls-tree", "HEAD") + f"100644 blob {blob}\t{name}\n".encode()
    tree = git(repository, "mktree", feed=entries).decode().strip()
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    return git(repository, *who, "commit-tree", "-p", "HEAD", "-m", "list", tree).decode().strip()
