"""Keeps the connection to Slack open for as long as the server answers, where Socket Mode is set up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from bot.slack.inbound.socket import SlackSocket


def add_to(app: web.Application, socket: SlackSocket) -> None:
    """Connect when the application starts, and close the connection before it ends."""

    async def connected(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(socket.run(), name="slack socket")
        yield
        socket.stop()
        await asyncio.gather(task)

    app.cleanup_ctx.append(connected)
