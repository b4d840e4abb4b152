"""The simulated GitHub as a test or a demo holds it: started, acted on as people do, and read."""

import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiohttp import web

from bot.sandbox.github.faults import Faults
from bot.sandbox.github.git import scratch_directory
from bot.sandbox.github.hooks import Delivery, Hooks
from bot.sandbox.github.hub import Hub
from bot.sandbox.github.limits import Limits
from bot.sandbox.github.model import World
from bot.sandbox.github.oauth import OAuth
from bot.sandbox.github.people import People
from bot.sandbox.github.registration import EVENTS, PERMISSIONS, new_app
from bot.sandbox.github.rest.api import MAX_BODY_BYTES, RestApi
from bot.sandbox.github.smarthttp import SmartHttp
from bot.sandbox.github.tokens import Tokens


class GitHubSandbox(People):
    """One simulated GitHub with one GitHub App, on one port.

    People act on it (`People`), and what the app left behind can be read (`Traces`).
    """

    def __init__(
        self,
        state_dir: Path | None = None,
        *,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        permissions: Mapping[str, str] = PERMISSIONS,
        events: Sequence[str] = EVENTS,
    ) -> None:
        self._state_dir = state_dir
        app = new_app(webhook_secret or secrets.token_hex(20), dict(permissions), list(events))
        world, faults = World(app), Faults()
        world.accounts = {one.login.lower(): one for one in (app.owner, app.bot)}
        hooks = Hooks(app.id, app.webhook_secret, faults, webhook_url, clock=lambda: world.now())
        limits = Limits(clock=lambda: world.now())
        super().__init__(Hub(world, Tokens(world), limits, faults, hooks))
        self._runner: web.AppRunner | None = None

    # Where it is and how an app reaches it

    @property
    def url(self) -> str:
        """Address of the REST API, of git and of web pages alike."""
        return self.hub.base

    @property
    def app_id(self) -> int:
        """Id of the app."""
        return self.hub.world.app.id

    @property
    def client_id(self) -> str:
        """Client id of the app."""
        return self.hub.world.app.client_id

    @property
    def client_secret(self) -> str:
        """Client secret of the app."""
        return self.hub.world.app.client_secret

    @property
    def private_key_pem(self) -> str:
        """The app's private key."""
        return self.hub.world.app.private_key_pem

    @property
    def webhook_secret(self) -> str:
        """What deliveries are signed with."""
        return self.hub.world.app.webhook_secret

    @property
    def webhook_url(self) -> str | None:
        """Where deliveries go; settable."""
        return self.hub.hooks.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.hub.hooks.url = url

    def environment(self) -> dict[str, str]:
        """The settings that point a real server at this GitHub."""
        return {
            "GITHUB_APP_ID": str(self.app_id),
            "GITHUB_PRIVATE_KEY": self.private_key_pem,
            "GITHUB_WEBHOOK_SECRET": self.webhook_secret,
            "GITHUB_API_URL": self.url,
            "GITHUB_URL": self.url,
            "GITHUB_CLIENT_ID": self.client_id,
            "GITHUB_CLIENT_SECRET": self.client_secret,
        }

    async def start(self, host: str = "127.0.0.1", port: int = 0, control: list[web.RouteDef] | None = None) -> None:
        """Listen; port 0 takes a free one. `control` are more routes to serve on the same port."""
        self.hub.root = scratch_directory(self._state_dir)
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.add_routes([*(control or []), *SmartHttp(self.hub).routes(), *OAuth(self.hub).routes()])
        app.router.add_route("*", "/{path:.*}", RestApi(self.hub).handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.hub.base = f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Stop listening and sending; the repositories go too, unless they have a `state_dir`."""
        await self.hub.hooks.close()
        if self._runner:
            await self._runner.cleanup()
        if self._state_dir is None and self._runner:
            shutil.rmtree(self.hub.root, ignore_errors=True)

    # What goes wrong, and how much is allowed

    @property
    def faults(self) -> Faults:
        """Faults to plan: `faults.add("status", path="/check-runs", status=502)`."""
        return self.hub.faults

    @property
    def limits(self) -> Limits:
        """Rate limits: `limits.settings`, `limits.use_up("installation:1")`."""
        return self.hub.limits

    @property
    def tokens(self) -> Tokens:
        """Tokens given out: `tokens.life_s`, `tokens.expire_all()`."""
        return self.hub.tokens

    # Its webhook

    async def redeliver(self, delivery_id: int, times: int = 1) -> list[Delivery]:
        """Send a delivery again, under the same guid."""
        return [self.hub.hooks.redeliver(delivery_id) for _ in range(times)]

    async def ping(self) -> Delivery:
        """Send the `ping` of a new webhook."""
        hook = {"type": "App", "id": self.app_id * 10 + 1, "name": "web", "active": True}
        config = {"content_type": "json", "insecure_ssl": "0", "url": self.webhook_url or ""}
        hook |= {"events": self.hub.world.app.events, "config": config, "app_id": self.app_id}
        hook |= {"updated_at": "2026-01-01T00:00:00Z", "created_at": "2026-01-01T00:00:00Z"}
        payload = {"zen": "Anything added dilutes everything else.", "hook_id": hook["id"], "hook": hook}
        return self.hub.hooks.tell("ping", payload, None, None)

    async def settle(self) -> None:
        """Wait until every delivery was sent and answered, or given up."""
        await self.hub.hooks.settle()
