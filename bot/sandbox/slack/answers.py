"""Carries out what an app answers: to a command or click, directly or by response URL, and to a submission."""

from typing import Any

from bot.sandbox.slack.desk import Desk
from bot.sandbox.slack.methods import views
from bot.sandbox.slack.methods.chat import bot_message, content_of, open_thread, rewrite
from bot.sandbox.slack.refusals import SlackError
from bot.sandbox.slack.tickets import ResponseUrl
from bot.sandbox.slack.workspace import Message, View

Json = dict[str, Any]
NO_CONNECTION = "We had some trouble connecting. Try again?"


def answer(desk: Desk, url: ResponseUrl, said: Any) -> None:
    """Carry out one answer: text, or JSON with `response_type`, `replace_original`, `delete_original`.

    An ephemeral answer is seen by the asker alone, which is the default. Raises SlackError.
    """
    body: Json = {"text": said} if isinstance(said, str) else said
    if not isinstance(body, dict):
        raise SlackError("invalid_payload")
    if body.get("delete_original"):
        _remove(desk, _original(desk, url))
    elif body.get("replace_original"):
        rewrite(desk, _original(desk, url), content_of(desk.workspace, body))
    else:
        _post(desk, url, body)


def _post(desk: Desk, url: ResponseUrl, body: Json) -> None:
    """A new message where the asking was done."""
    kind = body.get("response_type", "ephemeral")
    if kind not in ("ephemeral", "in_channel"):
        raise SlackError("invalid_response_type")
    channel = desk.workspace.channels.get(url.channel)
    if channel is None or channel.archived:
        raise SlackError("is_archived" if channel else "channel_not_found")
    if body.get("thread_ts"):
        open_thread(channel, body["thread_ts"])
    message = bot_message(desk.workspace, url.channel, content_of(desk.workspace, body), body.get("thread_ts"))
    message.ephemeral_to = url.user if kind == "ephemeral" else None
    desk.workspace.post(message)
    if not message.ephemeral_to:
        desk.announce(message)


def _original(desk: Desk, url: ResponseUrl) -> Message:
    """The message that was clicked. Raises SlackError `message_not_found`."""
    for message in desk.workspace.everything():
        if message.ts == url.message_ts and message.channel == url.channel:
            return message
    raise SlackError("message_not_found")


def _remove(desk: Desk, message: Message) -> None:
    if message.ephemeral_to:
        desk.workspace.ephemerals.remove(message)
    else:
        del desk.workspace.channels[message.channel].messages[message.ts]


def conclude(desk: Desk, view: View, answered: bool, said: Any) -> None:
    """Do what the app's answer to a submission says: close, clear, update, push, or show errors.

    What Slack couldn't use leaves the modal open with `NO_CONNECTION` and the reason in `view.errors`.
    """
    try:
        if not answered:
            raise SlackError("no_answer")
        _conclude(desk, view, said or {})
    except SlackError as refusal:
        reasons = "; ".join((refusal.code, *refusal.messages))
        view.errors = {"": f"{NO_CONNECTION} ({reasons})"}


def _conclude(desk: Desk, view: View, said: Any) -> None:
    """Raises SlackError for an answer that is none of those Slack knows."""
    workspace = desk.workspace
    action = said.get("response_action", "close") if isinstance(said, dict) else "none"
    match action:
        case "close" if not said:
            close(desk, view)
        case "clear":
            close(desk, view, everything=True)
        case "errors":
            view.errors = _errors(view, said.get("errors"))
        case "update":
            views.replace(workspace, view, views.checked_answer(workspace, said.get("view"), view.id))
        case "push":
            views.push_on(workspace, view.user, views.checked_answer(workspace, said.get("view")))
        case _:
            raise SlackError("invalid_response", f"unsupported answer to a submission: {said!r:.200}")


def _errors(view: View, errors: Any) -> dict[str, str]:
    """Errors per block. Raises SlackError when one is for a block that isn't an input of the view."""
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise SlackError("invalid_response", f"errors must name input blocks: {', '.join(sorted(inputs))}")
    return {block_id: str(words) for block_id, words in errors.items()}


def close(desk: Desk, view: View, everything: bool = False) -> None:
    """Take a modal away from the person, with those above it; or the whole stack."""
    stack = desk.workspace.stacks.get(view.user, [])
    kept = [] if everything or view.id not in stack else stack[: stack.index(view.id)]
    for view_id in stack[len(kept) :]:
        desk.workspace.views.pop(view_id, None)
    desk.workspace.stacks[view.user] = kept
