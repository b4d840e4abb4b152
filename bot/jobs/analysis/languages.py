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


class ContentLanguages:
    """The languages of files whose name leaves it open, by looking into them; each version is looked into once."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], str] = {}

    def read(self, git: Git, blobs: Mapping[bytes, bytes]) -> dict[bytes, str]:
        """The languages of those files (path to blob) that have to be looked into."""
        open_ones = [(path, blob) for path, blob in blobs.items() if linguist().is_open(readable(path))]
        new = [version for version in open_ones if version not in self._known]
        for at in range(0, len(new), _AT_ONCE):
            some = new[at : at + _AT_ONCE]
            for version, content in zip(some, read_blobs(git, [blob for _, blob in some]), strict=True):
                self._known[version] = linguist().of_content(readable(version[0]), content[:READ_BYTES])
        self._known = {version: self._known[version] for version in open_ones}
        return {path: self._known[path, blob] for path, blob in open_ones}


def read_blobs(git: Git, ids: list[bytes]) -> Iterator[bytes]:
    """The contents of blobs that exist, in order."""
    output = git.run("cat-file", "--batch", feed=b"".join(blob + b"\n" for blob in ids))
    position = 0
    for _ in ids:
        end = output.index(b"\n", position)
        size = int(output[position:end].rsplit(b" ", 1)[-1])
        yield output[end + 1 : end + 1 + size]
        position = end + size + 2
