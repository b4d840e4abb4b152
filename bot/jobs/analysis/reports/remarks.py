"""Remarks on a report: each a sentence in English, as published, that can be said in the reader's language too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from bot import messages
from bot.wording import english


class Remark(str):
    """A sentence of the house's, in English, with its key and facts. To programs it is that sentence."""

    __slots__ = ("facts", "key")

    key: str
    facts: dict[str, Any]

    def __new__(cls, key: str, facts: dict[str, Any]) -> Remark:
        """The sentence of `key`; the facts are plain JSON."""
        made = super().__new__(cls, messages.say("en", key, **facts))
        made.key, made.facts = key, facts
        return made


def say_again(sentence: str, locale: str) -> str:
    """A remark in another language; what is no remark stays as it is."""
    return messages.say(locale, sentence.key, **sentence.facts) if isinstance(sentence, Remark) else sentence


def to_keep(sentences: Iterable[str]) -> list[list[Any] | None]:
    """What `from_kept` needs beside the sentences: key and facts of each remark."""
    return [[one.key, one.facts] if isinstance(one, Remark) else None for one in sentences]


def from_kept(sentences: Sequence[str], kept: Sequence[list[Any] | None]) -> list[str]:
    """The sentences as they were; where nothing was kept beside them, or it is worded no more, they are text alone."""
    remarks = [Remark(*one) if one and one[0] in english.SENTENCES else None for one in kept]
    return [remark or sentence for sentence, remark in zip_longest(sentences, remarks)]
