"""Decides the language of each path of a history: by the tree's attributes and contents, else by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.jobs.analysis.languages.exclusions import Attributes
from bot.jobs.analysis.languages.linguist import READ_BYTES, linguist
from bot.jobs.analysis.people.identities import readable
from bot.jobs.analysis.repositories.git import Coprocess, Git


class Languages:
    """Languages by path. `by_content` are the files of the tree whose content had to be looked at."""

    def __init__(self, attributes: Attributes, by_content: Mapping[bytes, str]) -> None:
        self._attributes = attributes
        self._by_content = by_content

    def of(self, path: bytes) -> str:
        """The language of a path; one that is gone from the tree is judged by its name."""
        text = readable(path)
        return self._attributes.language(text) or self._by_content.get(path) or linguist().of_path(text)

    def of_counted(self, path: bytes) -> str | None:
        """The same, but None for a path that reports leave out."""
        return None if self._attributes.reason(readable(path)) else self.of(path)


class ContentLanguages:
    """The languages of files whose name leaves it open, by looking into them; each version is looked into once."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], str] = {}

    def read(self, git: Git, blobs: Mapping[bytes, bytes]) -> dict[bytes, str]:
        """The languages of those files (path to blob) that have to be looked into."""
        open_ones = [(path, blob) for path, blob in blobs.items() if linguist().is_open(readable(path))]
        new = [version for version in open_ones if version not in self._known]
        contents = read_blobs(git, (blob for _, blob in new)) if new else ()
        for version, content in zip(new, contents, strict=True):
            self._known[version] = linguist().of_content(readable(version[0]), content[:READ_BYTES])
        self._known = {version: self._known[version] for version in open_ones}
        return {path: self._known[path, blob] for path, blob in open_ones}


def read_blobs(git: Git, ids: Iterable[bytes]) -> Iterator[bytes]:
    """The contents of blobs that exist, in order, one at a time."""
    contents = Coprocess(git, "cat-file", "--batch")
    for blob in ids:
        yield contents.ask_blob(blob) or b""
    contents.close()
