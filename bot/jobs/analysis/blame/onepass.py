"""Blames every text file of a commit in one pass over the history, and collects the series on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot.jobs.analysis.blame.diffs import BulkDiff, Diffs
from bot.jobs.analysis.blame.forward import ForwardPass, LineagePairs, Lines
from bot.jobs.analysis.blame.history import ChangeLog, Changes, History
from bot.jobs.analysis.blame.lineage import Lineage, LineageWalk
from bot.jobs.analysis.blame.pairs import Pairs
from bot.jobs.analysis.blame.renames import Renames
from bot.jobs.analysis.blame.treewalk import Commit
from bot.jobs.analysis.progress import ProgressTeller, Stage
from bot.jobs.analysis.repositories.git import Git

TELL_EVERY = 100

Owners = dict[int, int]
"""How many lines of a file each commit (by number) owns."""


@dataclass(slots=True)
class Blame:
    """Who owns the lines: `owners` by path; `unreadable` are files with a version too large to diff.

    `capped` says that a commit removed so many files that not every rename was looked for.
    """

    owners: dict[bytes, Owners] = field(default_factory=dict)
    unreadable: list[bytes] = field(default_factory=list)
    capped: bool = False

    def take(self, path: bytes, lines: Lines | None) -> None:
        """Count the lines of one file; called again for it, the last word counts."""
        if lines is None:
            self.unreadable.append(path)
        else:
            self.owners[path] = dict(Counter(lines))


@dataclass(frozen=True, slots=True)
class Walked:
    """A walked range of history: its lineage, the pairs it needed, and their diffs."""

    lineage: Lineage
    pairs: LineagePairs
    diffs: Diffs
    capped: bool


def walk_and_diff(
    git: Git,
    commits: Iterable[Commit],
    paths: Sequence[bytes],
    history: History,
    changes: Changes,
    teller: ProgressTeller,
    jobs: int,
    *,
    merges: bool,
) -> Walked:
    """Follow `paths` back through a walk from the commit at hand, and diff all that is needed as it is found.

    Commits not met before are added to `history` and `changes`.
    """
    renames, pairs = Renames(git), Pairs(git.null)
    log = ChangeLog(changes, pairs)
    follow = LineageWalk(git, renames, git.head, paths)
    needed = LineagePairs(follow.lineage, pairs)
    teller.enter(Stage.WALKING, files=len(paths))
    with BulkDiff(git, pairs, jobs, lambda done: teller.step("pairs_done", done)) as bulk:
        for count, commit in enumerate(commits, 1):
            if not history.knows(commit.oid):  # where clocks went wrong, git may list what it should leave out
                log.note(commit, history.add(commit), merges=merges)
            follow.visit(commit)
            if count % TELL_EVERY == 0:
                git.children.check()
                needed.extend()
                bulk.more()
                teller.enter(Stage.WALKING, commits=count)
        renames.close()
        lineage = follow.finish()
        needed.extend()
        teller.enter(Stage.DIFFING, pairs=len(pairs))
        diffs = bulk.finish()
    log.settle(diffs)
    return Walked(lineage, needed, diffs, renames.capped)


def blame_tree(
    walked: Walked, history: History, teller: ProgressTeller, keep: Callable[[bytes, Lines | None], None]
) -> Blame:
    """Every file's owners after a walk of the whole history; `keep` sees the lines too, and copies what it keeps."""
    blame = Blame(capped=walked.capped)
    teller.enter(Stage.BLAMING)
    for path, lines in ForwardPass(walked.lineage, walked.pairs, walked.diffs, history.number, {}).run():
        blame.take(path, lines)
        keep(path, lines)
        if len(blame.owners) % TELL_EVERY == 0:
            teller.step("files_done", TELL_EVERY)
    teller.enter(Stage.REPORTING, files_done=len(walked.lineage.roots))
    return blame
