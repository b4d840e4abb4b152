"""Uploading a file in three steps: ask for an address, send the bytes there, share it."""

from typing import Any

from bot.sandbox.slack.desk import Call, Upload
from bot.sandbox.slack.methods.chat import Content, bot_message, checked_blocks, open_thread
from bot.sandbox.slack.refusals import SlackError
from bot.sandbox.slack.workspace import Channel

Json = dict[str, Any]


def get_upload_url(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/files.getUploadURLExternal"""
    if call.args["length"] < 1:
        raise SlackError("invalid_arguments", "must be greater than 0 [json-pointer:/length]")
    upload = Upload(call.workspace.new_id("F"), call.args["filename"], call.args["length"])
    call.desk.uploads[upload.id] = upload
    return {"upload_url": f"{call.desk.base_url()}/upload/v1/{upload.id}", "file_id": upload.id}


def complete_upload(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/files.completeUploadExternal"""
    files = [_file(call, item) for item in call.args["files"]]
    for channel in _channels(call):
        thread_ts = call.args.get("thread_ts")
        if thread_ts:
            open_thread(channel, thread_ts)
        blocks = checked_blocks(call.workspace, call.args.get("blocks"))
        words = Content(call.args.get("initial_comment", ""), blocks, None)
        message = bot_message(call.workspace, channel.id, words, thread_ts)
        message.files = files
        call.desk.announce(call.workspace.post(message))
    return {"files": files}


def _channels(call: Call) -> list[Channel]:
    """Where to share. Raises SlackError `channel_not_found`, `not_in_channel`."""
    named = call.args.get("channels") or call.args.get("channel_id") or ""
    channels = [call.workspace.channel(name) for name in named.split(",") if name]
    if any(call.workspace.bot_user not in channel.members for channel in channels):
        raise SlackError("not_in_channel")
    return channels


def _file(call: Call, item: Any) -> Json:
    """A file that was announced and sent. Raises SlackError `invalid_arguments`, `file_not_found`."""
    if not isinstance(item, dict):
        raise SlackError("invalid_arguments", "must provide an object [json-pointer:/files]")
    upload = call.desk.uploads.get(str(item.get("id")))
    if upload is None or upload.content is None:
        raise SlackError("file_not_found")
    return {
        "id": upload.id,
        "created": int(call.workspace.clock.now()),
        "name": upload.name,
        "title": item.get("title") or upload.name,
        "size": upload.length,
        "user": call.workspace.bot_user,
        "mode": "hosted",
    }
