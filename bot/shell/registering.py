"""The page on this machine by which a GitHub App is made.

It hands app.yml to GitHub, GitHub sends the browser back to it with a code, and the code is changed into the app.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from dataclasses import dataclass, field

import click
from aiohttp import web

from bot import messages
from bot.errors import ShipmateError
from bot.github.registration import Registered, asking_page, manifest_for, registered
from bot.web.register_page import done_page, question_page

BACK = "/registered"


@dataclass
class Registering:
    """One registration under way. `state` is how the browser that comes back is known for ours."""

    manifest_text: str
    public_url: str
    name: str
    organization: str | None
    github_url: str
    api_url: str
    locale: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    made: asyncio.Future[Registered] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def ask(self, request: web.Request) -> web.Response:
        """The page whose button hands the manifest to GitHub."""
        manifest = manifest_for(
            self.manifest_text, public_url=self.public_url, name=self.name, back=f"{request.url.origin()}{BACK}"
        )
        action = asking_page(self.github_url, self.organization, self.state)
        return question_page(self.locale, action=action, manifest=manifest)

    async def come_back(self, request: web.Request) -> web.Response:
        """Where GitHub sends the browser: with our state and a code, once."""
        query = request.query
        if self.made.done() or not hmac.compare_digest(query.get("state", "").encode(), self.state.encode()):
            raise web.HTTPForbidden(text=messages.failure(self.locale, "registration_over", {}))
        try:
            made = await registered(self.api_url, query.get("code", ""))
        except ShipmateError as error:
            raise web.HTTPBadRequest(text=messages.failure(self.locale, error.code, error.facts)) from error
        self.made.set_result(made)
        return done_page(self.locale, made.install_page)


async def served(registering: Registering, port: int) -> Registered:
    """The page, until the app is made."""
    app = web.Application()
    app.add_routes([web.get("/", registering.ask), web.get(BACK, registering.come_back)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        address = runner.addresses[0]
        click.echo(f"Open http://{address[0]}:{address[1]}/ in a browser where you are signed in at GitHub.")
        return await registering.made
    finally:
        await runner.cleanup()
