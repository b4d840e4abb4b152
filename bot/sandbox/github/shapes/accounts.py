"""How GitHub writes accounts, the app, installations and repositories."""

from typing import Any

from bot.sandbox.github.model import COARSE, Account, App, Installation, Repository, World, iso, node_id

Json = dict[str, Any]

USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
REPOSITORY_URLS = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}
SETTINGS = {
    "has_issues": True,
    "has_projects": False,
    "has_downloads": True,
    "has_wiki": False,
    "has_pages": False,
    "has_discussions": False,
    "disabled": False,
    "is_template": False,
    "web_commit_signoff_required": False,
    "allow_forking": True,
}


def api_of(base: str, repository: Repository) -> str:
    """Where the REST API has a repository."""
    return f"{base}/repos/{repository.full_name}"


def user(base: str, account: Account) -> Json:
    """A simple user."""
    url = f"{base}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("U", account.id),
        "avatar_url": f"{base}/avatars/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{base}/{account.login}",
        **{name: url + path for name, path in USER_URLS.items()},
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(base: str, account: Account) -> Json:
    """A user's own page."""
    unknown = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio", "twitter_username"))
    counts = {"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0}
    when = iso(account.created_at)
    return {**user(base, account), **unknown, "blog": "", **counts, "created_at": when, "updated_at": when}


def organization(base: str, account: Account) -> Json:
    """The short form of an organization, as deliveries carry it."""
    url = f"{base}/orgs/{account.login}"
    paths = {"repos_url": "/repos", "events_url": "/events", "hooks_url": "/hooks", "issues_url": "/issues"}
    paths |= {"members_url": "/members{/member}", "public_members_url": "/public_members{/member}"}
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("O", account.id),
        "url": url,
        **{name: url + path for name, path in paths.items()},
        "avatar_url": f"{base}/avatars/u/{account.id}?v=4",
        "description": "",
    }


def minimal_repository(base: str, repository: Repository) -> Json:
    """What every form of a repository has."""
    api = api_of(base, repository)
    return {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": user(base, repository.owner),
        "html_url": f"{base}/{repository.full_name}",
        "description": repository.description,
        "fork": repository.parent is not None,
        "url": api,
        **{name: api + path for name, path in REPOSITORY_URLS.items()},
    }


def repository(base: str, one: Repository) -> Json:
    """A repository as deliveries and lists carry it."""
    page = f"{base}/{one.full_name}"
    host = base.split("://")[1]
    open_issues = sum(issue.state == "open" for issue in one.issues.values())
    return {
        **minimal_repository(base, one),
        "created_at": iso(one.created_at),
        "updated_at": iso(one.pushed_at),
        "pushed_at": iso(one.pushed_at),
        "git_url": f"git://{host}/{one.full_name}.git",
        "ssh_url": f"git@{host}:{one.full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "homepage": None,
        "size": 1,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        **SETTINGS,
        "forks_count": 0,
        "mirror_url": None,
        "archived": one.archived,
        "open_issues_count": open_issues,
        "license": None,
        "topics": [],
        "visibility": "private" if one.private else "public",
        "forks": 0,
        "open_issues": open_issues,
        "watchers": 0,
        "default_branch": one.default_branch,
    }


def pushed_repository(base: str, one: Repository) -> Json:
    """The same in a push, where times are numbers and the owner has a name."""
    owner = {**user(base, one.owner), "name": one.owner.login, "email": None}
    times = {"created_at": int(one.created_at), "pushed_at": int(one.pushed_at)}
    extra = {"stargazers": 0, "master_branch": one.default_branch}
    return {**repository(base, one), "owner": owner, **times, **extra, "custom_properties": {}}


def full_repository(base: str, one: Repository, role: str | None) -> Json:
    """A repository asked for by name, with what the asker may do where that is known."""
    merging = {"allow_squash_merge": True, "allow_merge_commit": True, "allow_rebase_merge": True}
    merging |= {"allow_auto_merge": False, "delete_branch_on_merge": False}
    counts = {"network_count": 0, "subscribers_count": 0}
    shape = {**repository(base, one), **merging, **counts, "temp_clone_token": None, "custom_properties": {}}
    if role:
        shape["permissions"] = permissions(role)
    if one.owner.kind == "Organization":
        shape["organization"] = user(base, one.owner)
    if one.parent:
        shape["parent"] = shape["source"] = repository(base, one.parent)
    return shape


def permissions(role: str) -> dict[str, bool]:
    """What a role allows, as a table of booleans."""
    order = ["none", "pull", "triage", "push", "maintain", "admin"]
    name = {"read": "pull", "write": "push"}.get(role, role)
    return {one: order.index(name) >= order.index(one) for one in reversed(order[1:])}


def collaborator_permission(base: str, one: Repository, account: Account) -> Json:
    """`permission` is one of admin, write, read, none; `role_name` keeps maintain and triage."""
    role = one.role(account.login)
    who = {**user(base, account), "permissions": permissions(role), "role_name": role}
    return {"permission": COARSE.get(role, role), "user": who, "role_name": role}


def app(base: str, one: App) -> Json:
    """The app, without its secrets."""
    return {
        "id": one.id,
        "client_id": one.client_id,
        "slug": one.slug,
        "node_id": node_id("A", one.id),
        "owner": user(base, one.owner),
        "name": one.name,
        "description": "",
        "external_url": f"{base}/apps/{one.slug}",
        "html_url": f"{base}/apps/{one.slug}",
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
        "permissions": one.permissions,
        "events": one.events,
    }


def installation(base: str, one: Installation, of: App) -> Json:
    """One installation of the app."""
    account = one.account
    settings = f"/organizations/{account.login}/settings" if account.kind == "Organization" else "/settings"
    return {
        "id": one.id,
        "client_id": of.client_id,
        "account": user(base, account),
        "repository_selection": "all" if one.selected is None else "selected",
        "access_tokens_url": f"{base}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{base}/installation/repositories",
        "html_url": f"{base}{settings}/installations/{one.id}",
        "app_id": of.id,
        "app_slug": of.slug,
        "target_id": account.id,
        "target_type": account.kind,
        "permissions": one.permissions,
        "events": one.events,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(base, account) if one.suspended_at else None,
        "suspended_at": iso(one.suspended_at),
    }


def installed_repository(one: Repository) -> Json:
    """A repository in the short form of `installation` events."""
    shape = minimal_repository("", one)
    return {key: shape[key] for key in ("id", "node_id", "name", "full_name", "private")}


def installed(world: World, one: Installation) -> list[Json]:
    """The repositories of an installation in that form."""
    return [installed_repository(repository) for repository in world.covered(one)]
