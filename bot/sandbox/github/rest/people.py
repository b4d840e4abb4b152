"""Operations on people, organizations and teams, and on this GitHub itself."""

from collections.abc import Callable
from typing import Any

from bot.sandbox.github.model import Account, Repository, iso, node_id
from bot.sandbox.github.refusals import GitHubError, not_found
from bot.sandbox.github.rest.call import Call, Handler, Reply
from bot.sandbox.github.shapes import accounts


async def get_rate_limit(call: Call) -> Reply:
    """How much of the primary limit is left; asking costs nothing."""
    core = call.hub.limits.facts(call.identity)
    search = {"limit": 30, "remaining": 30, "reset": core["reset"], "used": 0}
    return Reply({"resources": {"core": core, "search": search}, "rate": core})


async def get_meta(call: Call) -> Reply:
    """Facts about this GitHub."""
    return Reply({"verifiable_password_authentication": False, "hooks": ["127.0.0.1/32"], "git": ["127.0.0.1/32"]})


async def get_me(call: Call) -> Reply:
    """The person whose token asks."""
    if call.identity.user is None:
        raise GitHubError(403, "Resource not accessible by integration")
    return Reply(accounts.public_user(call.base, call.identity.user))


async def list_my_repositories(call: Call) -> Reply:
    """The repositories of the person whose token asks: their own, and those they were let into."""
    me, query = call.identity.user, call.query
    if me is None:
        raise GitHubError(403, "Resource not accessible by integration")
    if "type" in query and {"visibility", "affiliation"} & query.keys():
        raise GitHubError(422, "If you specify visibility or affiliation, you cannot specify type.")
    kind: str = query.get("type") or query.get("visibility") or "all"
    wanted = _TYPES.get(kind) or set(query.get("affiliation", "owner,collaborator,organization_member").split(","))
    mine = [
        one
        for one in call.hub.world.repositories.values()
        if wanted & _affiliations(one, me) and kind != ("public" if one.private else "private")
    ]
    order = query.get("sort", "full_name")
    newest_first = query.get("direction", "asc" if order == "full_name" else "desc") == "desc"
    mine.sort(key=_ORDERS[order], reverse=newest_first)
    return call.listed(mine, lambda one: accounts.repository(call.base, one))


def _affiliations(repository: Repository, me: Account) -> set[str]:
    """How somebody belongs to a repository; empty for a stranger."""
    login, owner = me.login.lower(), repository.owner
    ties = {
        "owner": owner == me,
        "organization_member": owner.kind == "Organization" and login in owner.members,
        "collaborator": owner != me and login in repository.roles,
    }
    return {tie for tie, holds in ties.items() if holds and repository.allows(login, "read")}


_TYPES = {"owner": {"owner"}, "member": {"collaborator", "organization_member"}}
_ORDERS: dict[str, Callable[[Repository], Any]] = {
    "created": lambda one: one.created_at,
    "updated": lambda one: one.pushed_at,
    "pushed": lambda one: one.pushed_at,
    "full_name": lambda one: one.full_name.lower(),
}


async def get_user(call: Call) -> Reply:
    """Anybody by name."""
    return Reply(accounts.public_user(call.base, _account(call, call.path["username"])))


async def get_organization(call: Call) -> Reply:
    """An organization by name."""
    account = _organization(call)
    counts = {"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0}
    projects = {"has_organization_projects": False, "has_repository_projects": False}
    when = {name: iso(account.created_at) for name in ("created_at", "updated_at")}
    page = {"html_url": f"{call.base}/{account.login}", "type": "Organization", "archived_at": None}
    return Reply({**accounts.organization(call.base, account), **counts, **projects, **when, **page})


async def check_member(call: Call) -> Reply:
    """204 when somebody belongs to an organization."""
    if call.path["username"].lower() not in _organization(call).members:
        raise not_found()
    return Reply(status=204)


async def get_team(call: Call) -> Reply:
    """A team by its slug."""
    slug, organization = call.path["team_slug"], _organization(call)
    if slug not in organization.teams:
        raise not_found()
    url = f"{call.base}/orgs/{organization.login}/teams/{slug}"
    shape = {
        "id": _team_id(organization, slug),
        "node_id": node_id("T", _team_id(organization, slug)),
        "url": url,
        "html_url": f"{call.base}/orgs/{organization.login}/teams/{slug}",
        "name": slug,
        "slug": slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "type": "organization",
        "organization_id": organization.id,
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "parent": None,
    }
    when = iso(organization.created_at)
    counts = {"members_count": len(organization.teams[slug]), "repos_count": 0, "created_at": when, "updated_at": when}
    return Reply(shape | counts | {"organization": (await get_organization(call)).body})


async def get_membership(call: Call) -> Reply:
    """Somebody's membership of a team."""
    organization, slug, login = _organization(call), call.path["team_slug"], call.path["username"]
    role = organization.teams.get(slug, {}).get(login.lower())
    if role is None:
        raise not_found()
    url = f"{call.base}/orgs/{organization.login}/teams/{slug}/memberships/{login}"
    return Reply({"url": url, "role": role, "state": "active"})


def _account(call: Call, login: str) -> Account:
    found = call.hub.world.accounts.get(login.lower())
    if found is None:
        raise not_found()
    return found


def _organization(call: Call) -> Account:
    found = _account(call, call.path["org"])
    if found.kind != "Organization":
        raise not_found()
    return found


def _team_id(organization: Account, slug: str) -> int:
    return organization.id * 100 + list(organization.teams).index(slug)


HANDLERS: dict[str, Handler] = {
    "rate-limit/get": get_rate_limit,
    "meta/get": get_meta,
    "users/get-authenticated": get_me,
    "users/get-by-username": get_user,
    "repos/list-for-authenticated-user": list_my_repositories,
    "orgs/get": get_organization,
    "orgs/check-membership-for-user": check_member,
    "teams/get-by-name": get_team,
    "teams/get-membership-for-user-in-org": get_membership,
}
