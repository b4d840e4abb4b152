"""The world of the scenarios with a simulated Slack beside its GitHub, and people who are linked, or not yet."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import yaml

from bot.audit import AuditEntry
from bot.clock import utc_now
from bot.composition.house import House, link_key
from bot.model import Repository
from bot.sandbox.slack.courier import Delivery
from bot.sandbox.slack.sandbox import SlackSandbox
from bot.slack.composition import open_slack_side
from bot.store.answers import Answer, SlackPlace
from bot.store.audit import AuditFilter
from bot.store.slack import LinkTicket, SlackLink, SlackUser
from tests.world import World

ALICE, BORA, CHEN = "U0ALICE", "U0BORA", "U0CHEN"
DEPLOYS, RANDOM, OLD = "C0DEPLOYS", "C0RANDOM", "C0OLD"
TEAM = "T0ACME"
MANIFEST: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "slack.yml").read_text())


class SlackWorld(World):
    """`acme/api` and a Slack workspace; Alice is alice at GitHub, who may write, and Bora is bob, who may read."""

    by_socket = False
    """Whether the server connects to Slack, which cannot reach it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        super().__init__(folder, **environment)
        self.slack = SlackSandbox()

    async def __aenter__(self) -> Self:
        await self.slack.start()
        self.slack.set_token(scopes=MANIFEST["oauth_config"]["scopes"]["bot"])
        left_out = "SLACK_SIGNING_SECRET" if self.by_socket else "SLACK_APP_TOKEN"
        self._environment |= {name: value for name, value in self.slack.environment().items() if name != left_out}
        await super().__aenter__()
        await self.link(ALICE, "alice")
        await self.link(BORA, "bob")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self.slack.stop()

    async def start(self) -> None:
        await super().start()
        self.slack.request_url = f"{self.address}/slack/events"

    async def _opened(self, stack: AsyncExitStack) -> House:
        house = await super()._opened(stack)
        side = await stack.enter_async_context(
            open_slack_side(house.settings, link_key(house.settings), self.masker.register)
        )
        return replace(house, slack=side)

    async def link(self, user: str, login: str, github_id: int | None = None) -> None:
        """As if they had gone the way of `/shipmate link` before; the account is the login's own if not said."""
        number = self.github.person(login).id if github_id is None else github_id
        who, secret, now = SlackUser(TEAM, user), f"{user}-{login}-{number}", utc_now()
        links = self.store.slack_links
        await links.offer(secret, LinkTicket(who, user, "acme", DEPLOYS), now + timedelta(minutes=1))
        told = Answer(secret, Repository(0, ""), 0, None, "Linked.", slack=SlackPlace(DEPLOYS, user))
        await links.redeem(secret, SlackLink(who, number, login), told, now)
        await self.settle()

    # What people do

    async def type(self, text: str, user: str = ALICE, channel: str = DEPLOYS) -> Delivery:
        """Type `/shipmate …`, and wait until all that comes of it is over."""
        said = await self.slack.say_command("/shipmate", text, user, channel)
        await self.settle()
        return said

    async def click(self, action: str, user: str = ALICE, at: int = -1) -> Delivery:
        """Click a button of one of our messages, the newest if not said, and wait."""
        clicked = await self.slack.click(self.slack.messages(DEPLOYS)[at]["ts"], f"shipmate.{action}", user)
        await self.settle()
        return clicked

    # What is seen of it

    def heads(self, channel: str = DEPLOYS) -> list[str]:
        """What the messages outside threads say, oldest first."""
        return [shown(message) for message in self.slack.messages(channel)]

    def thread(self, at: int = -1) -> list[str]:
        """What stands under one of our messages, oldest first."""
        head = self.slack.messages(DEPLOYS)[at]["ts"]
        return [shown(message) for message in self.slack.thread(DEPLOYS, head)[1:]]

    def whispers(self, user: str = ALICE, channel: str = DEPLOYS) -> list[str]:
        """What only this person saw, oldest first."""
        return [shown(message) for message in self.slack.ephemeral(user, channel)]

    async def audit(self) -> list[AuditEntry]:
        """What the audit trail holds, oldest first."""
        return [record.entry for record in await self.store.audit.page(AuditFilter())]

    def buttons(self, at: int = -1) -> list[str]:
        """The buttons of one of our messages."""
        blocks = self.slack.messages(DEPLOYS)[at]["blocks"]
        elements = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
        return [element["action_id"].removeprefix("shipmate.") for element in elements]

    async def get(self, session: aiohttp.ClientSession, address: str) -> tuple[int, str, str]:
        """Open an address of the server's, wherever it thinks it is: status, text, where it leads."""
        parts = urlsplit(address)
        at = f"{self.address}{parts.path}?{parts.query}" if parts.hostname == "shipmate.test" else address
        async with session.get(at, allow_redirects=False) as reply:
            return reply.status, await reply.text(), reply.headers.get("Location", "")


def shown(message: dict[str, Any]) -> str:
    """All the words of a message."""
    blocks = message.get("blocks") or []
    words = [block["text"]["text"] for block in blocks if "text" in block]
    return "\n".join(words) or str(message["text"])


def link_in(whisper: str) -> str:
    """The address of a Slack link in a text."""
    found = re.search(r"<(https?://[^|>]+)\|", whisper)
    assert found is not None, whisper
    return found[1]


@asynccontextmanager
async def new_slack_world(kind: type[SlackWorld] = SlackWorld, **environment: str) -> AsyncIterator[SlackWorld]:
    """A world in a folder with a short name, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="world"))
    try:
        async with kind(folder, **environment) as world:
            yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)
