"""Which release a rollback puts back: the last good one, or the one that was named, while it is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.errors import Refused
from bot.model import Release
from bot.store.releases import KEPT_RELEASES

LAST_GOOD = "last-good"
LOOKED_AT = 200
"""How many releases of an environment are looked at for the one that was named."""
_VERSION = re.compile(r"\Av?(\d{1,6})\Z")


def pick_release(releases: Sequence[Release], environment: str, named: str | None) -> Release:
    """Of an environment's releases, newest first. Raises Refused, with what there is to go back to."""
    if named in {None, LAST_GOOD}:
        return _last_good(releases, environment)
    facts = {"given": named, "environment": environment, "known": _shown(releases)}
    found = next((release for release in releases if _is(release, str(named))), None)
    if found is None:
        raise Refused("release_unknown", **facts)
    if found.active:
        raise Refused("release_is_live", **facts, version=found.version)
    if found not in releases[:KEPT_RELEASES]:
        raise Refused("release_not_kept", **facts, version=found.version)
    return found


def _last_good(releases: Sequence[Release], environment: str) -> Release:
    """The newest before the one that serves, but for those somebody had to roll back from."""
    active = next((release for release in releases if release.active), None)
    for release in releases[:KEPT_RELEASES]:
        if active is not None and release.version < active.version and not release.abandoned:
            return release
    raise Refused("no_release", environment=environment)


def _is(release: Release, named: str) -> bool:
    version = _VERSION.match(named)
    return release.version == int(version[1]) if version else release.sha.startswith(named)


def _shown(releases: Sequence[Release]) -> list[str]:
    kept = [release for release in releases[:KEPT_RELEASES] if not release.active]
    return [f"v{release.version} ({release.sha[:7]})" for release in kept]
