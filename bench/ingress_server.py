"""The server of the ingress bench: the real handler over the real store, and nothing else.

Arguments: port, database file. The webhook secret is in the environment as SECRET.
"""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop
from aiohttp import web

from bot.deliveries.ingress import Ingress
from bot.process.metrics import Metrics
from handlers.github_webhook import add_to, put_in_front
from storage.opened import open_store


async def main(port: int, file: str) -> None:
    opened = await open_store(f"sqlite:///{file}")
    app = web.Application()
    ingress = Ingress(opened.store.deliveries, (os.environ["SECRET"].encode(),), Metrics())
    add_to(app, ingress)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    put_in_front(runner, ingress)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
