"""The chat.* methods: posting, editing, deleting messages, and what makes one acceptable."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.blockkit import limits
from bot.sandbox.slack.blockkit.blocks import attachment_findings, characters, finding, message_findings
from bot.sandbox.slack.blockkit.rules import elements_of
from bot.sandbox.slack.desk import Call, Desk
from bot.sandbox.slack.refusals import SlackError
from bot.sandbox.slack.shapes import message_json
from bot.sandbox.slack.workspace import Channel, Message, Workspace

Json = dict[str, Any]


@dataclass(frozen=True)
class Content:
    """What a message is to say, checked. None: the call didn't speak of it, so that an edit keeps what was there."""

    text: str | None
    blocks: list[Json] | None
    attachments: list[Json] | None
    metadata: Json | None = None


def content_of(workspace: Workspace, given: Json, most_text: int = limits.MESSAGE_TEXT) -> Content:
    """The checked content of a message, blocks with the ids Slack adds.

    Raises SlackError `no_text`, `msg_too_long`, `invalid_blocks`, `msg_blocks_too_long`, `too_many_attachments`,
    `invalid_attachments`, `markdown_text_conflict`. (Slack cuts a posted text at 40,000 characters in silence;
    here it is refused, so that no test loses words without noticing.)
    """
    text, markdown = given.get("text"), given.get("markdown_text")
    blocks, attachments = given.get("blocks"), given.get("attachments")
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if not (text or markdown or blocks or attachments):
        raise SlackError("no_text")
    if len(text or "") > most_text or len(markdown or "") > 12_000:
        raise SlackError("msg_too_long")
    _require_attachments(attachments)
    return Content(markdown or text, checked_blocks(workspace, blocks), attachments, given.get("metadata"))


def checked_blocks(workspace: Workspace, blocks: list[Json] | None) -> list[Json] | None:
    """A message's blocks with their ids. Raises SlackError `invalid_blocks`, `msg_blocks_too_long`."""
    findings = message_findings(blocks or []) or _missing_images(workspace, blocks or [])
    if findings:
        raise SlackError("invalid_blocks", *findings, errors=findings)
    if characters(blocks) > limits.BLOCKS_TEXT:
        raise SlackError("msg_blocks_too_long")
    return with_ids(workspace, blocks)


def _missing_images(workspace: Workspace, blocks: list[Json]) -> list[str]:
    """Slack looks at an image before it takes a message that shows it: https://github.com/slackapi/bolt-js/issues/1278."""
    places = [number for number, block in enumerate(blocks) if block["type"] == "image" and "image_url" in block]
    missing = [] if workspace.fetches_images else places
    return [finding("downloading image failed", f"/blocks/{place}/image_url") for place in missing]


def _require_attachments(attachments: list[Json] | None) -> None:
    if len(attachments or []) > limits.MESSAGE_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    findings = attachment_findings(attachments or [])
    if findings:
        raise SlackError("invalid_attachments", *findings)


def with_ids(workspace: Workspace, blocks: list[Json] | None) -> list[Json] | None:
    """The same blocks with a `block_id` on each and an `action_id` on each interactive element."""
    if blocks is None:
        return None
    return [_identified(workspace, block) for block in blocks]


def _identified(workspace: Workspace, block: Json) -> Json:
    block = {**block, "block_id": block.get("block_id") or workspace.new_id("b")}
    for name in ("accessory", "element"):
        if isinstance(block.get(name), dict):
            block[name] = {"action_id": workspace.new_id("a"), **block[name]}
    if elements_of(block) and isinstance(block.get("elements"), list):
        block["elements"] = [{"action_id": workspace.new_id("a"), **element} for element in block["elements"]]
    return block


def post_message(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postMessage"""
    channel = _conversation(call)
    _require_open(call, channel)
    content = content_of(call.workspace, call.args)
    message = call.workspace.post(_new_message(call, channel, content))
    call.desk.announce(message)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(call.workspace, message)}


def post_ephemeral(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postEphemeral"""
    channel = _conversation(call)
    _require_open(call, channel)
    if call.args["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    message = _new_message(call, channel, content_of(call.workspace, call.args))
    message.ephemeral_to = call.args["user"]
    return {"message_ts": call.workspace.post(message).ts}


def update(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.update"""
    channel = call.channel()
    message = _own_message(call, channel, "cant_update_message")
    if channel.archived:
        raise SlackError("is_inactive")
    window = call.workspace.edit_window_s
    if window is not None and call.workspace.clock.now() - float(message.ts) > window:
        raise SlackError("edit_window_closed")
    rewrite(call.desk, message, content_of(call.workspace, call.args, limits.UPDATE_TEXT))
    shown = message_json(call.workspace, message)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def rewrite(desk: Desk, message: Message, content: Content) -> None:
    """Edit a message in place; blocks and attachments that were not spoken of stay."""
    message.text = content.text if content.text is not None else message.text
    message.blocks = content.blocks if content.blocks is not None else message.blocks
    message.attachments = content.attachments if content.attachments is not None else message.attachments
    message.metadata = content.metadata or message.metadata
    message.edited_ts = desk.workspace.new_ts()


def delete(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.delete"""
    channel = call.channel()
    message = _own_message(call, channel, "cant_delete_message")
    del channel.messages[message.ts]
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/chat.getPermalink"""
    channel = call.channel()
    message = call.workspace.message(channel, call.args["message_ts"])
    link = f"https://{call.workspace.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _conversation(call: Call) -> Channel:
    """Where to post: a channel, or the direct conversation with a person named by id."""
    target = call.args["channel"]
    person = call.workspace.users.get(target)
    if person is None:
        return call.channel()
    if person.bot_id or person.deleted:
        raise SlackError("channel_not_found")
    return call.workspace.direct(target)


def _require_open(call: Call, channel: Channel) -> None:
    """Raises SlackError `is_archived`, `not_in_channel` (a public one needs chat:write.public then)."""
    if channel.archived:
        raise SlackError("is_archived")
    public = channel.kind == "public" and "chat:write.public" in call.grant.scopes
    if call.workspace.bot_user not in channel.members and not public:
        raise SlackError("not_in_channel")


def _own_message(call: Call, channel: Channel, otherwise: str) -> Message:
    """The bot's own message that the call names. Raises SlackError `message_not_found` or `otherwise`."""
    message = call.workspace.message(channel, call.args["ts"])
    if message.bot_id != call.workspace.bot_id:
        raise SlackError(otherwise)
    return message


def _new_message(call: Call, channel: Channel, content: Content) -> Message:
    """A message of the bot, in its thread. Raises SlackError `thread_not_found`, `cannot_reply_to_message`."""
    thread_ts = call.args.get("thread_ts")
    if thread_ts:
        open_thread(channel, thread_ts)
    if any(name in call.args for name in ("username", "icon_emoji", "icon_url")):
        call.grant.require("chat:write.customize")
    return bot_message(call.workspace, channel.id, content, thread_ts, bool(call.args.get("reply_broadcast")))


def open_thread(channel: Channel, thread_ts: str) -> None:
    """Make that message the head of a thread, if it isn't yet. Raises SlackError as `_new_message`."""
    head = channel.messages.get(thread_ts)
    if head is None:
        raise SlackError("thread_not_found")
    if head.is_reply:
        raise SlackError("cannot_reply_to_message")
    head.thread_ts = head.ts


def bot_message(
    workspace: Workspace, channel: str, content: Content, thread_ts: str | None, broadcast: bool = False
) -> Message:
    """A message of the app's bot with a timestamp of its own, not yet posted."""
    return Message(
        ts=workspace.new_ts(),
        channel=channel,
        user=workspace.bot_user,
        bot_id=workspace.bot_id,
        text=content.text or "",
        blocks=content.blocks or [],
        attachments=content.attachments or [],
        metadata=content.metadata,
        thread_ts=thread_ts,
        broadcast=broadcast and thread_ts is not None,
    )
