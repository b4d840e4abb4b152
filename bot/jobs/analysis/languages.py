"""Decides the language of each path of a history: by the tree's attributes and contents, else by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.jobs.analysis.exclusions import Attributes
from bot.jobs.analysis.git import Git
from bot.jobs.analysis.identities import readable
from bot.jobs.analysis.linguist import READ_BYTES, linguist

_AT_ONCE = 200  # blobs read in one go, to bound memory


class Languages:
    """Languages by path. `by_content` are the files of the tree whose content had to be looked at."""

    def __init__(self, attributes: Attributes, by_content: Mapping[bytes, str]) -> None:
        self._attributes = attributes
        self._by_content = by_content

    def of(self, path: bytes) -> str:
        """The language of a path; one that is gone from the tree is judged by its name."""
        text = readable(path)
        return self._attributes.language(text) or self._by_content.get(path) or linguist().of_path(text)


def read_languages(git: Git, attributes: Attributes, blobs: Mapping[bytes, bytes]) -> Languages:
    """Look into those files (path to blob) whose name leaves the language open."""
    names = {path: readable(path) for path in blobs}
    open_ones = [path for path, name in names.items() if linguist().is_open(name)]
    by_content = {}
    for at in range(0, len(open_ones), _AT_ONCE):
        paths = open_ones[at : at + _AT_ONCE]
        for path, content in zip(paths, read_blobs(git, [blobs[path] for path in paths]), strict=True):
            by_content[path] = linguist().of_content(names[path], content[:READ_BYTES])
    return Languages(attributes, by_content)


def read_blobs(git: Git, ids: list[bytes]) -> Iterator[bytes]:
    """The contents of blobs that exist, in order."""
    output = git.run("cat-file", "--batch", feed=b"".join(blob + b"\n" for blob in ids))
    position = 0
    for _ in ids:
        end = output.index(b"\n", position)
        size = int(output[position:end].rsplit(b" ", 1)[-1])
        yield output[end + 1 : end + 1 + size]
        position = end + size + 2
