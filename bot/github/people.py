"""Who may do what, asked of GitHub at that moment and never kept."""

from __future__ import annotations

import enum
from typing import Any

from bot.errors import Permanent, Refused, Transient
from bot.github.client.client import Client
from bot.github.client.failures import NotFound


class Role(enum.IntEnum):
    """A person's role on a repository; a greater one may do all a smaller one may."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


_ROLES = {role.name.lower(): role for role in Role}


async def role_of(client: Client, login: str, user_id: int | None = None) -> Role:
    """The role of a person on the client's repository; NONE for one GitHub does not know there.

    With `user_id` a login that now belongs to someone else has no role. Raises Refused("permission_unreadable")
    when GitHub cannot say: an error means no.
    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """
    operation = "GET /repos/{owner}/{repo}/collaborators/{username}/permission"
    try:
        return await client.call(operation, lambda data: _role(data, user_id), username=login)
    except NotFound:
        return Role.NONE
    except (Transient, Permanent) as error:
        raise Refused("permission_unreadable", login=login, reason=error.code) from error


async def is_team_member(client: Client, organization: str, team_slug: str, login: str) -> bool:
    """Whether a person is an active member of a team; an invitation not accepted yet is no membership.

    Raises Refused("permission_unreadable") when GitHub cannot say.
    https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
    """
    operation = "GET /orgs/{org}/teams/{team_slug}/memberships/{username}"
    try:
        state = await client.call(
            operation, lambda data: data["state"], org=organization, team_slug=team_slug, username=login
        )
    except NotFound:
        return False
    except (Transient, Permanent) as error:
        raise Refused("permission_unreadable", login=login, team=team_slug, reason=error.code) from error
    return bool(state == "active")


def _role(data: Any, user_id: int | None) -> Role:
    """`role_name` is the finer word; an organisation's own roles have other names, and `permission` tells of those."""
    if user_id is not None and (data.get("user") or {}).get("id") != user_id:
        return Role.NONE
    return _ROLES.get(data.get("role_name")) or _ROLES[data["permission"]]
