"""The simulated Slack as one object: a workspace that is served, with its control API."""

from typing import Self

from aiohttp import web

from bot.sandbox.slack.control import routes
from bot.sandbox.slack.scene import Scene
from bot.sandbox.slack.server import application


class SlackSandbox(Scene):
    """Usable as `async with SlackSandbox() as slack:`."""

    def __init__(self, request_url: str | None = None) -> None:
        super().__init__(request_url)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Serve; port 0 takes a free one."""
        app = application(self._desk, self._api, self.sockets, routes(self))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._base_url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        """Close everything; what is still being retried is given up."""
        await self.courier.close()
        await self.sockets.close()
        if self._runner:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
