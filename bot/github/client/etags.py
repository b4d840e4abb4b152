"""Owns what GitHub answered before, so that asking again costs no quota when nothing changed."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import Any

Answer = tuple[str | None, str | None, Any, str | None]
"""As gidgethub keeps it: ETag, Last-Modified, the decoded body, the next page's address."""

_WORTH_KEEPING = re.compile(r"/repos/[^/]+/[^/]+/(?:contents/|pulls(?:/|\?|$)|branches/)")
"""What is read often and changes seldom. A person's permission is never kept: it is asked at that moment."""


class Etags:
    """The answers kept, at most `size` of them; the least recently used goes first. Lives in memory."""

    def __init__(self, size: int = 512) -> None:
        self._size = size
        self._answers: OrderedDict[tuple[str, str], Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def scoped(self, scope: str) -> ScopedEtags:
        """The part of one installation, as gidgethub's cache: another's answers can neither be read nor replaced."""
        return ScopedEtags(self, scope)

    def get(self, scope: str, url: str) -> Answer:
        """The answer kept for a URL. Raises KeyError."""
        answer = self._answers[scope, url]
        self._answers.move_to_end((scope, url))
        return answer

    def put(self, scope: str, url: str, answer: Answer) -> None:
        """Keep an answer, if its URL is one of those worth keeping."""
        if _WORTH_KEEPING.search(url):
            self._answers[scope, url] = answer
            self._answers.move_to_end((scope, url))
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)

    def drop(self, scope: str, url: str) -> None:
        """Forget an answer. Raises KeyError."""
        del self._answers[scope, url]

    def urls(self, scope: str) -> list[str]:
        """What is kept for a scope, the least recently used first."""
        return [url for owner, url in self._answers if owner == scope]


class ScopedEtags(MutableMapping[str, Answer]):
    """One installation's view of the answers kept."""

    def __init__(self, etags: Etags, scope: str) -> None:
        self._etags = etags
        self._scope = scope

    def __getitem__(self, url: str) -> Answer:
        return self._etags.get(self._scope, url)

    def __setitem__(self, url: str, answer: Answer) -> None:
        self._etags.put(self._scope, url, answer)

    def __delitem__(self, url: str) -> None:
        self._etags.drop(self._scope, url)

    def __iter__(self) -> Iterator[str]:
        return iter(self._etags.urls(self._scope))

    def __len__(self) -> int:
        return len(self._etags.urls(self._scope))
