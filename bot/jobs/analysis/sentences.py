"""Words every refusal and failure of an analysis: what is wrong, and what to do next."""

from __future__ import annotations

from bot.errors import ShipmateError

_SENTENCES = {
    "not_a_repository": "{target} is no git repository; name a folder that holds one, or the URL of one.",
    "no_commits": "The repository has no commit yet; there is nothing to analyse.",
    "unknown_ref": "There is no commit called {ref} in this repository; name a branch, a tag or a commit id.",
    "no_common_history": "{base} and {head} have no commit in common; name the branch the change is meant for.",
    "shallow_repository": "{target} is a shallow clone, over which blame is not exact; "
    "run `git fetch --unshallow` in it first.",
    "partial_clone": "{target} is a partial clone and lacks contents; clone it whole (without --filter) first.",
    "corrupt_repository": "The repository is damaged: {command} said: {detail}. "
    "Run `git fsck` in it, or clone it anew.",
    "git_failed": "{command} failed with exit code {exit_code}: {detail}",
    "address_not_allowed": "{target} is not an address that may be cloned from here; "
    "use the https:// URL of a public host.",
    "credentials_needed": "{target} does not exist or needs a password; check the address, or let Shipmate in there.",
    "host_unreachable": "{target} does not answer; check the address, or try again later.",
    "clone_failed": "{target} could not be cloned: {detail}",
    "tool_failed": "{tool} could not look at the sources: {detail}",
    "tool_too_slow": "{tool} was stopped after {limit_s} seconds; raise the limit to let it finish.",
    "sonar_failed": "SonarQube told nothing: {detail}; check its address, the project's key and the token.",
    "model_failed": "The language model wrote no summary: {detail}; check its address, its name and the key.",
    "bad_date": "{given} is no date; write it like 2026-01-31.",
}


def explain(error: ShipmateError) -> str:
    """One sentence on what went wrong and what to do next; an unknown code shows itself."""
    sentence = _SENTENCES.get(error.code)
    if sentence is None:
        return str(error)
    facts = {name: str(value) for name, value in error.facts.items()}
    return sentence.format_map(_Known(facts))


class _Known(dict[str, str]):
    """Facts by name; one that was not given shows as unknown."""

    def __missing__(self, name: str) -> str:
        return "unknown"
