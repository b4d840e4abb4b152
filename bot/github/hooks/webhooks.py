"""Decides what a webhook's body says: read once, it is a typed event, ignored for a reason, or unreadable.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson

from bot.errors import Unreadable
from bot.github.fields import Fields
from bot.github.hooks import events
from bot.github.hooks.events import Ignored, Person, WebhookEvent
from bot.github.pulls import pull_request
from bot.model import Repository

__all__ = ["ALWAYS_SENT", "KNOWN_EVENTS", "Ignored", "WebhookEvent", "parse"]

_USED: Mapping[str, tuple[str, frozenset[str]]] = {
    "check_run": ("action", frozenset({"rerequested", "requested_action"})),
    "check_suite": ("action", frozenset({"rerequested"})),
    "create": ("ref_type", frozenset({"branch", "tag"})),
    "delete": ("ref_type", frozenset({"branch", "tag"})),
    "github_app_authorization": ("action", frozenset({"revoked"})),
    "installation": (
        "action",
        frozenset({"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"}),
    ),
    "installation_repositories": ("action", frozenset({"added", "removed"})),
    "installation_target": ("action", frozenset({"renamed"})),
    "issue_comment": ("action", frozenset({"created", "edited", "deleted"})),
    "merge_group": ("action", frozenset({"checks_requested", "destroyed"})),
    "pull_request": (
        "action",
        frozenset({"opened", "reopened", "synchronize", "closed", "edited", "ready_for_review", "converted_to_draft"}),
    ),
    "repository": (
        "action",
        frozenset({"archived", "created", "deleted", "edited", "privatized", "publicized", "renamed"})
        | frozenset({"transferred", "unarchived"}),
    ),
}
"""The field that says what happened, and those of its values that mean something here; the others are ignored."""

ALWAYS_SENT = frozenset(
    {"github_app_authorization", "installation", "installation_repositories", "installation_target", "ping"}
)
"""What every app is sent without a subscription, so app.yml may not name it."""


def parse(event_name: str, body: bytes) -> WebhookEvent | Ignored:
    """Read one verified delivery; `event_name` is its X-GitHub-Event.

    Raises Unreadable: "body_not_json" (not JSON, not UTF-8, nested too deeply), "body_not_object", or
    "field_unusable" with the field's path.
    """
    data = _decoded(body)
    if not isinstance(data, dict):
        raise Unreadable("body_not_object")
    reader = _READERS.get(event_name)
    if reader is None:
        return Ignored("event_not_used", f"Shipmate does nothing on {event_name[:100]} events.")
    fields = Fields(data)
    if event_name in _USED:
        name, used = _USED[event_name]
        happened = fields.text(name)
        if happened not in used:
            return Ignored("action_not_used", f"Shipmate does nothing on {event_name} {happened[:100]}.")
    return reader(fields)


def _decoded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        hint = "set the webhook's content type to application/json" if body.startswith(b"payload=") else str(error)
        raise Unreadable("body_not_json", detail=hint) from error


def _push(data: Fields) -> WebhookEvent:
    about, head = data.inside("repository"), data.inside_maybe("head_commit")
    return events.Push(
        repository=about.repository(),
        installation_id=_installation_id(data),
        sender=_person_maybe(data, "sender"),
        pusher=data.inside("pusher").text("name"),
        ref=data.ref("ref"),
        before=data.sha("before"),
        after=data.sha("after"),
        created=data.flag("created"),
        deleted=data.flag("deleted"),
        forced=data.flag("forced"),
        default_branch=about.ref("default_branch"),
        head_message=head.text("message") if head else "",
        pushed_at=about.moment("pushed_at"),
    )


def _pull_request(data: Fields) -> WebhookEvent:
    about, changes = data.inside("pull_request"), data.inside_maybe("changes")
    return events.PullRequestChanged(
        action=data.text("action"),
        pull=pull_request(about),
        base_changed=changes is not None and changes.has("base"),
        updated_at=about.moment("updated_at"),
        **_where(data),
    )


def _issue_comment(data: Fields) -> WebhookEvent:
    comment, issue = data.inside("comment"), data.inside("issue")
    app = comment.inside_maybe("performed_via_github_app")
    return events.IssueComment(
        action=data.text("action"),
        comment_id=comment.number("id"),
        body=comment.text_maybe("body") or "",
        author=_person_maybe(comment, "user") or _GHOST,
        url=comment.text_maybe("html_url") or "",
        via_app=app.text_maybe("slug") if app else None,
        issue_number=issue.number("number"),
        is_pull=issue.has("pull_request"),
        is_open=issue.text_maybe("state") == "open",
        updated_at=comment.moment("updated_at"),
        **_where(data),
    )


def _check_run(data: Fields) -> WebhookEvent:
    run = data.inside("check_run")
    clicked = data.inside("requested_action") if data.text("action") == "requested_action" else None
    app = run.inside_maybe("app")
    return events.CheckRunAsked(
        action=data.text("action"),
        identifier=clicked.text("identifier") if clicked else None,
        check_run_id=run.number("id"),
        name=run.text("name"),
        head_sha=run.sha("head_sha"),
        external_id=run.text_maybe("external_id") or "",
        app_id=app.number("id") if app else None,
        pull_numbers=_pull_numbers(run),
        shown=_shown(run),
        **_where(data),
    )


def _check_suite(data: Fields) -> WebhookEvent:
    suite = data.inside("check_suite")
    return events.CheckSuiteAsked(
        check_suite_id=suite.number("id"),
        head_sha=suite.sha("head_sha"),
        head_branch=suite.ref("head_branch") if suite.has("head_branch") else None,
        pull_numbers=_pull_numbers(suite),
        updated_at=suite.moment("updated_at"),
        **_where(data),
    )


def _ref_changed(action: str, data: Fields) -> WebhookEvent:
    pushed_at = data.inside("repository").moment("pushed_at")
    return events.RefChanged(
        action=action, kind=data.text("ref_type"), ref=data.ref("ref"), pushed_at=pushed_at, **_where(data)
    )


def _merge_group(data: Fields) -> WebhookEvent:
    group = data.inside("merge_group")
    return events.MergeGroup(
        action=data.text("action"),
        head_sha=group.sha("head_sha"),
        head_ref=group.ref("head_ref"),
        base_sha=group.sha("base_sha"),
        base_ref=group.ref("base_ref"),
        repository=data.inside("repository").repository(),
        installation_id=_installation_id(data),
        sender=_person_maybe(data, "sender"),
    )


def _repository(data: Fields) -> WebhookEvent:
    about = data.inside("repository")
    return events.RepositoryChanged(
        action=data.text("action"),
        previous_name=_previous_name(data) if data.text("action") == "renamed" else None,
        default_branch=about.ref("default_branch"),
        updated_at=about.moment("updated_at"),
        **_where(data),
    )


def _previous_name(data: Fields) -> str:
    return data.inside("changes").inside("repository").inside("name").text("from")


def _installation(data: Fields) -> WebhookEvent:
    about = data.inside("installation")
    return events.InstallationChanged(
        action=data.text("action"),
        installation_id=about.number("id"),
        account=_account(about),
        repositories=_repositories(data, "repositories"),
        sender=_person(data, "sender"),
    )


def _installation_repositories(data: Fields) -> WebhookEvent:
    about = data.inside("installation")
    return events.InstalledRepositoriesChanged(
        installation_id=about.number("id"),
        account=_account(about),
        added=_repositories(data, "repositories_added"),
        removed=_repositories(data, "repositories_removed"),
        sender=_person(data, "sender"),
    )


def _installation_target(data: Fields) -> WebhookEvent:
    account, changes = data.inside("account"), data.inside("changes")
    changed = "login" if changes.has("login") else "slug"
    return events.AccountRenamed(
        installation_id=data.inside("installation").number("id"),
        account_id=account.number("id"),
        account=account.text(changed),
        previous=changes.inside(changed).text("from"),
    )


def _github_app_authorization(data: Fields) -> WebhookEvent:
    return events.AuthorizationRevoked(_person(data, "sender"))


def _ping(data: Fields) -> WebhookEvent:
    return events.Ping(data.number("hook_id"), data.inside("hook").texts("events"))


_READERS: Mapping[str, Callable[[Fields], WebhookEvent]] = {
    "check_run": _check_run,
    "check_suite": _check_suite,
    "create": partial(_ref_changed, "create"),
    "delete": partial(_ref_changed, "delete"),
    "github_app_authorization": _github_app_authorization,
    "installation": _installation,
    "installation_repositories": _installation_repositories,
    "installation_target": _installation_target,
    "issue_comment": _issue_comment,
    "merge_group": _merge_group,
    "ping": _ping,
    "pull_request": _pull_request,
    "push": _push,
    "repository": _repository,
}
KNOWN_EVENTS = frozenset(_READERS)
"""What `parse` reads; app.yml subscribes to exactly these, less ALWAYS_SENT."""

_GHOST = Person(0, "ghost", False)
"""The author GitHub shows for a deleted account."""


def _where(data: Fields) -> dict[str, Any]:
    """What most events have: where it happened, and who did it."""
    return {
        "repository": data.inside("repository").repository(),
        "installation_id": _installation_id(data),
        "sender": _person(data, "sender"),
    }


def _installation_id(data: Fields) -> int | None:
    """None when the delivery came from a repository's own hook."""
    installation = data.inside_maybe("installation")
    return installation.number("id") if installation else None


def _person(data: Fields, name: str) -> Person:
    about = data.inside(name)
    login = about.text("login")
    return Person(about.number("id"), login, about.text_maybe("type") == "Bot" or login.endswith("[bot]"))


def _person_maybe(data: Fields, name: str) -> Person | None:
    return _person(data, name) if data.has(name) else None


def _account(installation: Fields) -> str:
    """The login of a user or organisation; an enterprise has a slug instead."""
    account = installation.inside("account")
    return account.text_maybe("login") or account.text("slug")


def _repositories(data: Fields, name: str) -> tuple[Repository, ...]:
    return tuple(item.repository() for item in data.every(name))


def _pull_numbers(data: Fields) -> tuple[int, ...]:
    return tuple(pull.number("number") for pull in data.every("pull_requests"))


def _shown(run: Fields) -> str:
    """A digest of what someone saw when they clicked."""
    output = run.inside_maybe("output") or Fields({})
    seen = [run.text_maybe(name) for name in ("status", "conclusion", "completed_at")]
    seen += [output.text_maybe(name) for name in ("title", "summary", "text")]
    return hashlib.sha256(orjson.dumps(seen)).hexdigest()[:16]
