"""The HTTP face of the simulated Slack, on one port: Web API, response URLs, uploads, Socket Mode, control API."""

import json
from importlib import resources
from typing import Any

from aiohttp import web

from bot.sandbox.slack import answers
from bot.sandbox.slack.desk import Desk
from bot.sandbox.slack.refusals import SlackError
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.webapi import Answer, WebApi

BODY_MOST_BYTES = 32 * 1024 * 1024
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def application(desk: Desk, api: WebApi, sockets: Sockets, control: list[web.RouteDef]) -> web.Application:
    """Everything Slack serves under one address."""
    app = web.Application(client_max_size=BODY_MOST_BYTES)
    doors = Doors(desk)
    app.add_routes(
        [
            web.get("/api/{method}", api.handle),
            web.post("/api/{method}", api.handle),
            web.post("/{kind:commands|actions}/{team}/{url_id}", doors.respond),
            web.post("/upload/v1/{file_id}", doors.upload),
            web.get("/link/", sockets.handle),
            web.get("/", show_workspace),
            *control,
        ]
    )
    return app


async def show_workspace(_: web.Request) -> web.Response:
    """A page to read the workspace, type, click and fill in modals by hand; it works through the control API."""
    page = resources.files("bot.sandbox.slack").joinpath("workspace.html").read_text()
    return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY})


class Doors:
    """The addresses Slack hands out: response URLs and upload URLs."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def respond(self, request: web.Request) -> web.Response:
        """One use of a response URL. Source: https://docs.slack.dev/interactivity/handling-user-interaction"""
        try:
            url = self.desk.tickets.spend(request.match_info["url_id"])
        except SlackError as refusal:
            return Answer(refusal.reply(), 404).response()
        try:
            answers.answer(self.desk, url, _said(await request.read()))
        except SlackError as refusal:
            return Answer(refusal.reply(), 400).response()
        return web.Response(text="ok", content_type="text/html")

    async def upload(self, request: web.Request) -> web.Response:
        """The bytes of a file that was announced; they must be as many as were said."""
        upload = self.desk.uploads.get(request.match_info["file_id"])
        if upload is None:
            return web.Response(status=404, text="no such upload")
        content = await _sent_bytes(request)
        if len(content) != upload.length:
            return web.Response(status=400, text=f"{upload.length} bytes were announced, {len(content)} came")
        upload.content = content
        return web.Response(text=f"OK - {len(content)}")


def _said(raw: bytes) -> Any:
    """A response URL's JSON. Raises SlackError `invalid_payload`."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise SlackError("invalid_payload") from error


async def _sent_bytes(request: web.Request) -> bytes:
    """The raw body, or the first file of a multipart form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    return b""
