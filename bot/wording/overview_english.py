"""The sentences in English of a repository's overview: what runs there, and what is locked."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "overview.link": "[All that runs and is locked here]({link})",
    "overview.title": "{repository}: what runs and what is locked",
    "overview.only": "Only {environment}",
    "overview.all": "all environments",
    "overview.contributions": "who wrote what",
    "overview.github": "at GitHub",
    "overview.locks": "Locks",
    "overview.no_locks": "Nothing is locked.",
    "overview.every": "every environment",
    "overview.unlock": "Ends it",
    "overview.unlock_how": "Said on a pull request or an issue, or after /shipmate in Slack. Somebody else's lock ends with --reason TEXT.",
    "overview.under_way": "Runs and waits",
    "overview.nobody": "Nothing runs, and nobody waits.",
    "overview.ahead": "waits, {ahead} ahead",
    "overview.asked": "Asked",
    "overview.live": "Environments",
    "overview.nothing_live": "Nothing serves here yet.",
    "overview.open": "open",
    "overview.drift": "Not as it was left: {found}",
    "overview.ended": "Last jobs",
    "overview.none_ended": "No job has ended yet.",
    "overview.when": "Ended",
    "overview.outcome": "Outcome",
    "overview.took": "Took",
    "overview.by": "By",
    "overview.older": "Older",
    "overview.newest": "Newest",
    "overview.nothing": "Nothing has been asked for here yet. Say /deploy on a pull request.",
}
