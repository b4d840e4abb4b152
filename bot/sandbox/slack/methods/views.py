"""The views.* methods: modals in a stack of at most three before one person, and the app home."""

import json
from typing import Any

from bot.sandbox.slack.blockkit import limits
from bot.sandbox.slack.blockkit.blocks import view_findings
from bot.sandbox.slack.desk import Call
from bot.sandbox.slack.methods.chat import with_ids
from bot.sandbox.slack.refusals import SlackError
from bot.sandbox.slack.shapes import view_json
from bot.sandbox.slack.workspace import View, Workspace

Json = dict[str, Any]


def open_view(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.open"""
    body = _checked(call.workspace, call.args["view"], "modal")
    user = call.desk.tickets.exchange(_trigger(call)).user
    return _answer(call, show(call.workspace, user, body, [], None))


def push(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.push"""
    body = _checked(call.workspace, call.args["view"], "modal")
    trigger = call.desk.tickets.exchange(_trigger(call))
    if trigger.view_id not in call.workspace.stacks.get(trigger.user, []):
        raise SlackError("not_found")
    return _answer(call, push_on(call.workspace, trigger.user, body))


def update(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.update"""
    view = _named(call)
    _require_hash(call, view)
    replace(call.workspace, view, _checked(call.workspace, call.args["view"], view.kind, view.id))
    return _answer(call, view)


def publish(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/views.publish"""
    workspace, user = call.workspace, call.workspace.user(call.args["user_id"])
    if user.deleted or user.bot_id:
        raise SlackError("user_not_found")
    current = workspace.views.get(workspace.homes.get(user.id, ""))
    body = _checked(workspace, call.args["view"], "home", current.id if current else None)
    if current is None:
        current = _new_view(workspace, user.id, body)
        workspace.homes[user.id] = current.id
        return _answer(call, current)
    _require_hash(call, current)
    replace(workspace, current, body)
    return _answer(call, current)


def show(workspace: Workspace, user: str, body: Json, stack: list[str], previous: str | None) -> View:
    """Put a modal before a person, on top of `stack`; what stood outside it is gone."""
    view = _new_view(workspace, user, body, previous)
    if stack:
        view.root_id = stack[0]
    for closed in set(workspace.stacks.get(user, [])) - set(stack):
        workspace.views.pop(closed, None)
    workspace.stacks[user] = [*stack, view.id]
    return view


def push_on(workspace: Workspace, user: str, body: Json) -> View:
    """Put a modal on top of those the person sees. Raises SlackError `push_limit_reached`."""
    stack = workspace.stacks[user]
    if len(stack) >= limits.VIEW_STACK:
        raise SlackError("push_limit_reached")
    return show(workspace, user, body, stack, stack[-1])


def replace(workspace: Workspace, view: View, body: Json) -> None:
    """Change what a view shows, in place; it gets a new hash."""
    view.body, view.hash, view.errors = body, _hash(workspace), {}


def checked_answer(workspace: Workspace, body: Any, own_id: str | None = None) -> Json:
    """A view that came in answer to a submission, checked like one in a call. Raises SlackError."""
    if not isinstance(body, dict):
        raise SlackError("invalid_arguments", "must provide an object [json-pointer:/view]")
    return _checked(workspace, body, "modal", own_id)


def _checked(workspace: Workspace, body: Json, kind: str, own_id: str | None = None) -> Json:
    """The view with ids on its blocks. Raises SlackError `view_too_large`, `invalid_arguments`, and so on."""
    if len(json.dumps(body)) > limits.VIEW_BYTES:
        raise SlackError("view_too_large")
    findings = view_findings(body, kind)
    if findings:
        raise SlackError("invalid_arguments", *findings)
    same_name = [v for v in workspace.views.values() if v.body.get("external_id") and v.id != own_id]
    if any(v.body["external_id"] == body.get("external_id") for v in same_name):
        raise SlackError("duplicate_external_id")
    return {**body, "blocks": with_ids(workspace, body["blocks"])}


def _trigger(call: Call) -> str:
    """The trigger in the call. Raises SlackError when there is none."""
    trigger = call.args.get("trigger_id") or call.args.get("interactivity_pointer")
    if not trigger:
        raise SlackError("invalid_arguments", "missing required field: trigger_id")
    return str(trigger)


def _named(call: Call) -> View:
    """The view an update names, by id or by the app's own. Raises SlackError `not_found`, `invalid_arguments`."""
    view_id, external_id = call.args.get("view_id"), call.args.get("external_id")
    if bool(view_id) == bool(external_id):
        raise SlackError("invalid_arguments", "exactly one of view_id, external_id is needed")
    for view in call.workspace.views.values():
        if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
            return view
    raise SlackError("not_found")


def _require_hash(call: Call, view: View) -> None:
    if call.args.get("hash") not in (None, "", view.hash):
        raise SlackError("hash_conflict")


def _new_view(workspace: Workspace, user: str, body: Json, previous: str | None = None) -> View:
    view_id = workspace.new_id("V")
    view = View(view_id, user, body, _hash(workspace), root_id=view_id, previous_id=previous)
    workspace.views[view_id] = view
    return view


def _hash(workspace: Workspace) -> str:
    return f"{int(workspace.clock.now())}.{workspace.new_id('h')}"


def _answer(call: Call, view: View) -> Json:
    return {"view": view_json(call.workspace, view)}
