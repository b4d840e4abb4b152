"""Lists the files of a commit that have lines to blame, and what else is there."""

from __future__ import annotations

from dataclasses import dataclass

from bot.jobs.analysis.diffs import blob_sizes
from bot.jobs.analysis.git import Git
from bot.jobs.analysis.treewalk import parse_raw

REGULAR = (b"100644", b"100755", b"100664")


@dataclass(frozen=True, slots=True)
class HeadFiles:
    """The tree of a commit. `text` maps each text file to its blob, `lines` to its number of lines.

    `binary` and `too_large` are regular files git would not show as text. Symbolic links and submodules are no files.
    """

    text: dict[bytes, bytes]
    lines: dict[bytes, int]
    binary: list[bytes]
    too_large: list[bytes]


def list_files(git: Git) -> HeadFiles:
    """Read the whole tree of the commit at hand; text is what git itself takes for text, attributes aside."""
    output = git.run(
        "diff-tree", "-r", "--raw", "--numstat", "--no-renames", "--no-abbrev", "-z", git.empty_tree, git.head
    )
    tokens = output.split(b"\0")
    raw, counts = _split(tokens)
    regular = {change.path: change.new for change in parse_raw(raw) if change.new_mode in REGULAR}
    lines, other = {}, []
    for count in counts:
        added, _, path = count.split(b"\t", 2)
        if path in regular:
            if added == b"-":
                other.append(path)
            else:
                lines[path] = int(added)
    large = _too_large(git, {path: regular[path] for path in other})
    text = {path: regular[path] for path in lines}
    return HeadFiles(text, lines, [path for path in other if path not in large], sorted(large))


def _split(tokens: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The tokens of the raw listing (two for each file, the first begins with a colon) and those of the counts."""
    end = 0
    while end < len(tokens) and tokens[end].startswith(b":"):
        end += 2
    return [*tokens[:end], b""], [token for token in tokens[end:] if token]


def _too_large(git: Git, blobs: dict[bytes, bytes]) -> set[bytes]:
    if not blobs:
        return set()
    sizes = blob_sizes(git, set(blobs.values()))
    return {path for path, blob in blobs.items() if sizes.get(blob, 0) >= git.max_blob_bytes}
