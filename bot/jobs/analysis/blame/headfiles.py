"""Lists the files of a commit that have lines to blame, and what else is there."""

from __future__ import annotations

from dataclasses import dataclass

from bot.jobs.analysis.blame.diffs import blob_sizes
from bot.jobs.analysis.blame.treewalk import Change, parse_raw
from bot.jobs.analysis.repositories.git import Git
from bot.jobs.analysis.repositories.scratch import Entry

_LISTING = ("diff-tree", "-r", "--raw", "--numstat", "--no-renames", "--no-abbrev", "-z")
REGULAR = (b"100644", b"100755", b"100664")


@dataclass(frozen=True, slots=True)
class HeadFiles:
    """The tree of a commit. `text` maps each text file to its blob.

    `binary` and `too_large` are regular files git would not show as text. Symbolic links and submodules are no files.
    """

    text: dict[bytes, bytes]
    binary: set[bytes]
    too_large: set[bytes]

    def forget(self, path: bytes) -> None:
        """Drop a path, whatever it was."""
        self.text.pop(path, None)
        self.binary.discard(path)
        self.too_large.discard(path)


def list_files(git: Git) -> HeadFiles:
    """Read the whole tree of the commit at hand; text is what git itself takes for text, attributes aside."""
    files = HeadFiles({}, set(), set())
    _take(git, files, git.empty_tree)
    return files


def update_files(git: Git, before: HeadFiles, since: bytes) -> HeadFiles:
    """The same, from what the tree of the commit `since` held and what has changed from there."""
    files = HeadFiles(dict(before.text), set(before.binary), set(before.too_large))
    _take(git, files, since)
    return files


def _take(git: Git, files: HeadFiles, since: bytes) -> None:
    """Bring `files` from a tree to that of the commit at hand."""
    changes, unread = _compare(git, since, git.head)
    doubtful = {}
    for change in changes:
        files.forget(change.path)
        if change.new_mode not in REGULAR:
            continue
        if change.path in unread:
            doubtful[change.path] = change.new
        else:
            files.text[change.path] = change.new
    if doubtful:
        _sort_unread(git, files, doubtful, certain=since == git.empty_tree)


def _sort_unread(git: Git, files: HeadFiles, doubtful: dict[bytes, bytes], *, certain: bool) -> None:
    """Sort files that git did not compare as text; unless that is `certain`, for what they were and are no more."""
    sizes = blob_sizes(git, set(doubtful.values()))
    text = set() if certain else _text_among(git, set(doubtful.values()))
    for path, blob in doubtful.items():
        if blob in text:
            files.text[path] = blob
        elif sizes.get(blob, 0) >= git.max_blob_bytes:
            files.too_large.add(path)
        else:
            files.binary.add(path)


def _text_among(git: Git, blobs: set[bytes]) -> set[bytes]:
    """The blobs that git takes for text, when each is compared with nothing."""
    tree = git.trees.write(Entry(b"100644", blob, blob) for blob in sorted(blobs))
    _, unread = _compare(git, git.empty_tree, tree)
    return blobs - unread


def _compare(git: Git, old: bytes, new: bytes) -> tuple[list[Change], set[bytes]]:
    """The changes from one tree to another, and the paths of which git counts no lines."""
    tokens = git.run(*_LISTING, old, new).split(b"\0")
    end = 0
    while end < len(tokens) and tokens[end].startswith(b":"):  # the raw listing has two tokens for each file
        end += 2
    unread = {token.split(b"\t", 2)[2] for token in tokens[end:] if token.startswith(b"-\t")}
    return parse_raw(b"\0".join(tokens[:end])), unread
