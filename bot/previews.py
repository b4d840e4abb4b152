"""Which environment is the preview of which pull request."""

from __future__ import annotations

import re

_NAME = re.compile(r"\Apr-([1-9][0-9]{0,9})\Z")


def preview_environment(number: int) -> str:
    """The environment of a pull request's preview: `pr-42`."""
    return f"pr-{number}"


def pull_of(environment: str) -> int | None:
    """The pull request a preview belongs to; None for an environment that is no preview."""
    found = _NAME.match(environment)
    return int(found[1]) if found else None
