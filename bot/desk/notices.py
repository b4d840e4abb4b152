"""Tells people what somebody else did to what is theirs: where they said it, and in Slack where they are linked."""

from __future__ import annotations

from collections.abc import Callable

from bot.locks import Lock
from bot.model import Repository
from bot.store.answers import Answer, SlackPlace
from bot.store.slack import SlackLinks

Worded = Callable[[str], str]
"""The sentence, to somebody who is called so."""


def covered(lock: Lock, say: Callable[[str], str]) -> str:
    """Its environment, or all of them, within a sentence; `say` words a key."""
    return f"`{lock.environment}`" if lock.environment is not None else say("lock.every")


async def told_holder(links: SlackLinks, lock: Lock, key: str, worded: Worded) -> tuple[Answer, ...]:
    """One notice on the pull request or issue the lock was said on; one in Slack. `key` names the occasion."""
    found: list[Answer] = []
    origin = lock.origin
    if origin.pull_number is not None:
        text = worded(f"@{lock.holder}")
        found.append(Answer(f"{key}-there", lock.repository, origin.installation_id, origin.pull_number, text))
    for place, called in await _in_slack(links, lock):
        found.append(Answer(f"{key}-{place.channel}", Repository(0, ""), 0, None, worded(called), slack=place))
    return tuple(found)


async def _in_slack(links: SlackLinks, lock: Lock) -> list[tuple[SlackPlace, str]]:
    """To themselves where they are linked, else under what they said there."""
    known = await links.people(lock.origin.actor_id) if lock.origin.actor_id is not None else []
    if known:
        return [(SlackPlace(user.user_id), f"<@{user.user_id}>") for user in known]
    if lock.origin.channel is not None:
        return [(SlackPlace(lock.origin.channel, thread=lock.origin.thread), lock.holder)]
    return []
