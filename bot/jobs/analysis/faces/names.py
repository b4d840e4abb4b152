"""Decides how an author is called: by name, and by address too where others beside them have that name."""

from __future__ import annotations

from collections.abc import Iterable

from bot.jobs.analysis.people.identities import Author


class Names:
    """How authors are called among these, such as all of one table."""

    def __init__(self, authors: Iterable[Author]) -> None:
        self._known: dict[str, set[Author]] = {}
        for author in authors:
            self._known.setdefault(author.name, set()).add(author)

    def of(self, author: Author) -> str:
        """The name, or `name <address>` where the name alone would mean another; the address of one without a name."""
        if not author.name:
            return author.email
        return str(author) if self._known.get(author.name, set()) - {author} else author.name


def names_with_several_addresses(authors: Iterable[Author]) -> int:
    """How many names a mailmap would make one author of."""
    addresses: dict[str, set[str]] = {}
    for author in authors:
        addresses.setdefault(author.name, set()).add(author.email)
    return sum(1 for name, known in addresses.items() if name and len(known) > 1)
