"""Decides how little each kind of work may do at GitHub; every token is minted for one of these."""

from __future__ import annotations

from collections.abc import Mapping

Permissions = Mapping[str, str]

CLONE: Permissions = {"contents": "read"}
"""Fetching the tree of a job."""

DECIDE: Permissions = {
    "checks": "read",
    "contents": "read",
    "metadata": "read",
    "pull_requests": "read",
    "statuses": "read",
}
"""Reading what a decision needs: settings, commits, a person's role, the pull request, the checks of a commit."""

DECIDE_BY_TEAM: Permissions = {**DECIDE, "members": "read"}
"""The same where an environment names a team. Only organisations can grant it."""

MANAGE_ENVIRONMENTS: Permissions = {"administration": "write", "metadata": "read"}
"""Deleting an environment. No app should need it: it is tried, and done without."""

REPORT: Permissions = {
    "checks": "write",
    "contents": "read",
    "deployments": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
"""Answering: check runs, comments, reactions, deployments."""
