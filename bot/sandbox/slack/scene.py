"""The simulated workspace before it is served: act as its people, look at what the app did, plan what goes wrong."""

import secrets
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.access import APP_SCOPES, BOT_SCOPES, Grant, Limiter
from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.courier import Courier, Delivery
from bot.sandbox.slack.desk import Desk
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.people import People
from bot.sandbox.slack.refusals import Impossible
from bot.sandbox.slack.shapes import message_json, view_json
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.webapi import Request, WebApi
from bot.sandbox.slack.workspace import Channel, ChannelKind, Message, User, acme

Json = dict[str, Any]
ALICE, DEPLOYS = "U0ALICE", "C0DEPLOYS"


@dataclass(frozen=True)
class Credentials:
    """What an app needs to know of this workspace."""

    bot_token: str
    app_token: str
    signing_secret: str


class Scene:
    """A strict simulated Slack workspace with one app installed. `request_url` is where the app is told of things.

    Parts for the curious: `workspace` (the state), `limiter`, `courier` (time limit, retry delays), `people`
    (subscriptions), `sockets`, `clock` (`advance`).
    """

    def __init__(self, request_url: str | None = None) -> None:
        self.clock = Clock()
        self.workspace = acme(self.clock)
        self.faults = Faults()
        self.limiter = Limiter(self.clock)
        self.credentials = Credentials(
            f"xoxb-{secrets.randbelow(10**12)}-{secrets.token_urlsafe(18)}",
            f"xapp-1-{self.workspace.app_id}-{secrets.token_hex(16)}",
            secrets.token_hex(16),
        )
        self._desk = Desk(self.workspace, Tickets(self.clock), lambda: self.base_url, self._announce)
        self._api = WebApi(self._desk, self.limiter, self.faults, self._grants())
        self.sockets = Sockets(self._desk)
        self.courier = Courier(self.credentials.signing_secret, self.faults, self.sockets, request_url)
        self.people = People(self._desk, self.courier)
        self._base_url = ""

    @property
    def base_url(self) -> str:
        """The address everything is served under, without a slash at its end. Raises Impossible before `start`."""
        if not self._base_url:
            raise Impossible("the simulated Slack isn't started")
        return self._base_url

    @property
    def url(self) -> str:
        """The Web API's address, for SLACK_API_URL."""
        return f"{self.base_url}/api/"

    @property
    def request_url(self) -> str | None:
        """Where commands, interactions and events are POSTed; can be set at any time."""
        return self.courier.request_url

    @request_url.setter
    def request_url(self, address: str | None) -> None:
        self.courier.request_url = address

    def environment(self) -> dict[str, str]:
        """The settings of a server that is to work in this workspace."""
        return {
            "SLACK_BOT_TOKEN": self.credentials.bot_token,
            "SLACK_SIGNING_SECRET": self.credentials.signing_secret,
            "SLACK_APP_TOKEN": self.credentials.app_token,
            "SLACK_API_URL": self.url,
        }

    def _grants(self) -> dict[str, Grant]:
        bot = Grant(self.credentials.bot_token, "bot", BOT_SCOPES)
        app = Grant(self.credentials.app_token, "app", APP_SCOPES)
        return {grant.token: grant for grant in (bot, app)}

    def _announce(self, message: Message) -> None:
        self.people.announce(message)

    # What people do

    async def say_command(self, command: str, text: str = "", user: str = ALICE, channel: str = DEPLOYS) -> Delivery:
        """Type `/shipmate …` and press enter."""
        return await self.people.say_command(command, text, user, channel)

    async def mention(
        self, text: str, user: str = ALICE, channel: str = DEPLOYS, thread_ts: str | None = None
    ) -> Delivery:
        """Say `@shipmate …`."""
        return await self.people.mention(text, user, channel, thread_ts)

    def say(self, text: str, user: str = ALICE, channel: str = DEPLOYS, thread_ts: str | None = None) -> Json:
        """Say something that isn't for the app; the message."""
        return message_json(self.workspace, self.people.say(text, user, channel, thread_ts))

    async def click(
        self, message_ts: str, action_id: str, user: str = ALICE, value: Any = None, channel: str | None = None
    ) -> Delivery:
        """Click a button of a message, or choose `value` in one of its menus."""
        return await self.people.click(message_ts, action_id, user, value, channel)

    async def click_in_view(
        self, user: str, action_id: str, value: Any = None, values: Json | None = None, view_id: str | None = None
    ) -> Delivery:
        """Click or choose in the modal or home a person looks at."""
        return await self.people.click_in_view(user, action_id, value, values, view_id)

    async def submit_view(self, user: str, values: Json | None = None, view_id: str | None = None) -> Delivery:
        """Fill in the modal a person looks at (`values` by action id or block id) and press submit."""
        return await self.people.submit_view(user, values, view_id)

    async def close_view(self, user: str, view_id: str | None = None) -> Delivery | None:
        """Close the modal a person looks at."""
        return await self.people.close_view(user, view_id)

    async def open_home(self, user: str = ALICE) -> Delivery:
        """Open the app's home."""
        return await self.people.open_home(user)

    async def shortcut(self, callback_id: str, user: str = ALICE, message_ts: str | None = None) -> Delivery:
        """Choose a global shortcut, or one of a message."""
        return await self.people.shortcut(callback_id, user, message_ts)

    async def suggest(self, user: str, action_id: str, typed: str = "", view_id: str | None = None) -> list[Json]:
        """Type into a menu the app fills; what it offers."""
        return await self.people.suggest(user, action_id, typed, view_id)

    async def verify_url(self) -> bool:
        """Whether the request URL echoes Slack's challenge."""
        return await self.people.verify_url()

    async def settle(self) -> None:
        """Wait until nothing is being sent or retried any more."""
        await self.courier.settle()

    # What there is to see

    def messages(self, channel: str = DEPLOYS, user: str | None = None) -> list[Json]:
        """A channel's messages outside threads, oldest first; with `user`, what is shown to that person alone too."""
        place = self.workspace.place(channel)
        seen = [m for m in place.messages.values() if not m.is_reply or m.broadcast]
        if user:
            seen += self._whispers(place, user)
        return [message_json(self.workspace, m) for m in sorted(seen, key=_at)]

    def thread(self, channel: str, ts: str) -> list[Json]:
        """A thread: its head, then the replies, oldest first."""
        place = self.workspace.place(channel)
        return [message_json(self.workspace, m) for m in self.workspace.thread(place, ts)]

    def ephemeral(self, user: str = ALICE, channel: str = DEPLOYS) -> list[Json]:
        """What only this person saw in a channel, oldest first."""
        place = self.workspace.place(channel)
        return [message_json(self.workspace, m) for m in self._whispers(place, user)]

    def _whispers(self, place: Channel, user: str) -> list[Message]:
        return [m for m in self.workspace.ephemerals if m.channel == place.id and m.ephemeral_to == user]

    def view_of(self, user: str = ALICE) -> Json | None:
        """The modal a person looks at, else their home, else None. `errors` are those shown under its fields."""
        try:
            view = self.people.view_of(user)
        except Impossible:
            return None
        return {**view_json(self.workspace, view), "errors": view.errors}

    def home_of(self, user: str = ALICE) -> Json | None:
        """What the app published on a person's home, else None."""
        view = self.workspace.views.get(self.workspace.homes.get(user, ""))
        return view_json(self.workspace, view) if view else None

    @property
    def requests(self) -> list[Request]:
        """Every Web API call so far, oldest first."""
        return self._api.requests

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything sent to the app so far, oldest first."""
        return self.courier.deliveries

    # What can be arranged

    def add_user(self, name: str, *, email: str = "", real_name: str = "", locale: str = "en-US") -> str:
        """A new person, in #general; their id."""
        user = User(self.workspace.new_id("U"), name, real_name or name.title(), email or f"{name}@acme.test")
        user.locale = locale
        self.workspace.users[user.id] = user
        self.workspace.place("general").members.append(user.id)
        return user.id

    def add_bot(self, name: str) -> str:
        """Another app's bot, in every public channel; its user id. It can say and mention, nothing else."""
        bot = User(self.workspace.new_id("U"), name, name.title(), bot_id=self.workspace.new_id("B"))
        self.workspace.users[bot.id] = bot
        for channel in self.workspace.channels.values():
            if channel.kind == "public":
                channel.members.append(bot.id)
        return bot.id

    def deactivate(self, user: str, deleted: bool = True) -> None:
        """Deactivate a person, or take them back."""
        if user not in self.workspace.users:
            raise Impossible(f"there is no user {user}")
        self.workspace.users[user].deleted = deleted

    def add_channel(
        self, name: str, *, kind: ChannelKind = "public", members: list[str] | None = None, with_app: bool = True
    ) -> str:
        """A new channel, with everyone or `members` in it; its id."""
        people = [u.id for u in self.workspace.users.values() if not u.bot_id and not u.deleted]
        chosen = list(people if members is None else members)
        return self.workspace.add_channel(name, kind=kind, members=[*chosen, *self._app(with_app)]).id

    def _app(self, present: bool) -> list[str]:
        return [self.workspace.bot_user] if present else []

    def set_members(self, channel: str, *, add: list[str] | None = None, remove: list[str] | None = None) -> list[str]:
        """Invite and remove (the app is a member too, `U0SHIPMATE`); who is in it then."""
        place = self.workspace.place(channel)
        kept = [member for member in place.members if member not in (remove or [])]
        place.members = list(dict.fromkeys([*kept, *(add or [])]))
        return place.members

    def archive(self, channel: str, archived: bool = True) -> None:
        """Archive a channel, or bring it back."""
        self.workspace.place(channel).archived = archived

    def delete_channel(self, channel: str) -> None:
        """Delete a channel with everything in it."""
        del self.workspace.channels[self.workspace.place(channel).id]

    def set_token(
        self, state: str = "active", scopes: list[str] | None = None, kind: str = "bot", token: str | None = None
    ) -> None:
        """Change what a token is worth: `state` active, revoked, expired or inactive; `scopes`: exactly these.

        `token` makes one of that kind besides the two of `environment()`.
        """
        if state not in ("active", "revoked", "expired", "inactive") or kind not in ("bot", "app"):
            raise Impossible("a token is active, revoked, expired or inactive, and of kind bot or app")
        name = token or (self.credentials.bot_token if kind == "bot" else self.credentials.app_token)
        default = BOT_SCOPES if kind == "bot" else APP_SCOPES
        known = self._api.grants.get(name, Grant(name, "bot" if kind == "bot" else "app", default))
        known.state, known.scopes = state, frozenset(scopes) if scopes is not None else known.scopes
        self._api.grants[name] = known


def _at(message: Message) -> float:
    return float(message.ts)
