"""Finds the GitHub logins of a report's authors: from their addresses, from what is known, and from GitHub itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from bot.clock import Clock
from bot.jobs.analysis.people.identities import Author
from bot.store.analyses import CommitLogins

MOST_ASKED = 40
"""Addresses GitHub is asked about in one analysis: those of the authors with the most lines."""
KEPT = timedelta(days=30)

AskGitHub = Callable[[Sequence[str]], Awaitable[dict[str, str | None]]]
"""The login of who committed under each address, None where GitHub knows nobody; those it was not asked about lack."""


async def find_logins(
    authors: Sequence[Author], known: CommitLogins, ask: AskGitHub | None, clock: Clock
) -> dict[str, str]:
    """Logins by address in lower case, as far as they can be had; without `ask` only those found before.

    `authors` come with those first who matter most.
    """
    now = clock()
    open_questions = list(dict.fromkeys(author.email.lower() for author in authors if author.login is None))
    found = await known.known(open_questions, now - KEPT)
    unknown = [email for email in open_questions if email not in found and "@" in email][:MOST_ASKED]
    if ask is not None and unknown:
        answered = await ask(unknown)
        await known.put(answered, now)
        found |= answered
    told = {author.email.lower(): author.login for author in authors if author.login}
    return {**told, **{email: login for email, login in found.items() if login}}
