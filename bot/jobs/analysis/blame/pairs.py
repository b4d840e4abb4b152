"""Numbers the pairs of blobs that a run needs diffed, each once, as the walk finds them."""

from __future__ import annotations


class Pairs:
    """The distinct (old blob, new blob) pairs, numbered as they come, each with a path it was seen at.

    `wanted` marks those that blame needs, and so their hunks even where a version looks binary.
    """

    def __init__(self, null: bytes) -> None:
        self.null = null
        self.wanted = bytearray()
        self._numbers: dict[bytes, int] = {}
        self._keys: list[bytes] = []
        self._paths: list[bytes] = []
        self._one_sided = bytearray()

    def __len__(self) -> int:
        return len(self._keys)

    def number(self, old: bytes, new: bytes, path: bytes, *, wanted: bool = False) -> int:
        """The pair's number; `old` or `new` is the null id where there is nothing on that side."""
        key = old + new
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._keys)
            self._one_sided.append(self.null in (old, new))
            self._paths.append(path)
            self.wanted.append(False)
            self._keys.append(key)  # last: whoever counts the pairs meanwhile finds all of it there
        if wanted:
            self.wanted[number] = True
        return number

    def blobs(self, number: int) -> tuple[bytes, bytes]:
        """A pair's two blob ids."""
        key, width = self._keys[number], len(self.null)
        return key[:width], key[width:]

    def key(self, number: int) -> bytes:
        """Both ids, one right after the other."""
        return self._keys[number]

    def path(self, number: int) -> bytes:
        """Where the pair was first seen."""
        return self._paths[number]

    def is_one_sided(self, number: int) -> bool:
        """Whether a file was born, or went away."""
        return bool(self._one_sided[number])

    def seal(self) -> None:
        """Take no more pairs, and let go of what only that needs."""
        self._numbers.clear()
