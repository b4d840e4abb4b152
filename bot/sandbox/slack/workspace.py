"""What the simulated workspace is: its people, channels, messages and views, and the ids and timestamps they get."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.refusals import Impossible, SlackError

Json = dict[str, Any]
ChannelKind = Literal["public", "private", "im", "mpim"]
SCOPE_FAMILIES: dict[ChannelKind, str] = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}


@dataclass
class User:
    """A person, or a bot (`bot_id` set): the app's own or another's."""

    id: str
    name: str
    real_name: str
    email: str = ""
    deleted: bool = False
    bot_id: str = ""
    locale: str = "en-US"


@dataclass
class Message:
    """A message as it stands now; `ephemeral_to` names the only person who sees it."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str = ""
    ephemeral_to: str | None = None
    broadcast: bool = False
    edited_ts: str | None = None
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Channel:
    """A conversation of any kind; messages in the order they were posted, by ts."""

    id: str
    name: str
    kind: ChannelKind = "public"
    members: list[str] = field(default_factory=list)
    archived: bool = False
    created: int = 0
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def scope_family(self) -> str:
        """The first half of the scopes this kind of conversation is read with: `channels`, `groups`, `im`, `mpim`."""
        return SCOPE_FAMILIES[self.kind]


@dataclass
class View:
    """A modal in front of one person, or their app home."""

    id: str
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return str(self.body["type"])


class Workspace:
    """The state of one workspace with one app installed in it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.team_id, self.domain, self.name = "T0ACME", "acme", "Acme"
        self.app_id, self.bot_id, self.bot_user = "A0SHIPMATE", "B0SHIPMATE", "U0SHIPMATE"
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.ephemerals: list[Message] = []
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.edit_window_s: float | None = None
        self.fetches_images = True
        """Whether the pictures of image blocks can be had where they are said to be."""
        self._last_ts = 0
        self._serial = 0

    def new_id(self, prefix: str) -> str:
        """An id no other thing has: the letter Slack uses for the kind, and a number."""
        self._serial += 1
        return f"{prefix}0{self._serial:06d}"

    def new_ts(self) -> str:
        """A message timestamp, later than every one before it."""
        self._last_ts = max(self._last_ts + 1, int(self.clock.now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def user(self, user_id: str) -> User:
        """The person of that id. Raises SlackError `user_not_found`."""
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def person(self, user_id: str) -> User:
        """Someone who can act. Raises Impossible for strangers, bots and deactivated people."""
        known = self.speaker(user_id)
        if known.bot_id:
            raise Impossible(f"{known.name} ({user_id}) is a bot, which can only say things")
        return known

    def speaker(self, user_id: str) -> User:
        """Someone who can say something: a person, or a bot of another app. Raises Impossible."""
        known = self.users.get(user_id)
        if known is None:
            raise Impossible(f"there is no user {user_id}; there are {', '.join(sorted(self.users))}")
        if known.deleted:
            raise Impossible(f"{known.name} ({user_id}) can do nothing: deactivated")
        if known.id == self.bot_user:
            raise Impossible(f"{known.name} ({user_id}) is the app's own bot: it speaks through the Web API")
        return known

    def channel(self, name_or_id: str) -> Channel:
        """By id, `name` or `#name`; hidden and unknown ones alike. Raises SlackError `channel_not_found`."""
        channel = self.channels.get(name_or_id) or self._channel_named(name_or_id.removeprefix("#"))
        if channel is None or not self.bot_sees(channel):
            raise SlackError("channel_not_found")
        return channel

    def place(self, name_or_id: str) -> Channel:
        """Like `channel`, for whoever drives the simulation: hidden ones too. Raises Impossible."""
        channel = self.channels.get(name_or_id) or self._channel_named(name_or_id.removeprefix("#"))
        if channel is None:
            raise Impossible(f"there is no channel {name_or_id}; there are {', '.join(sorted(self.channels))}")
        return channel

    def bot_sees(self, channel: Channel) -> bool:
        return channel.kind == "public" or self.bot_user in channel.members

    def _channel_named(self, name: str) -> Channel | None:
        named = (c for c in self.channels.values() if c.name == name and c.kind in ("public", "private"))
        return next(named, None)

    def direct(self, *user_ids: str) -> Channel:
        """The direct conversation of the bot with these people, opened when there is none."""
        members = sorted({self.bot_user, *user_ids})
        kind: ChannelKind = "im" if len(members) == 2 else "mpim"
        for channel in self.channels.values():
            if channel.kind == kind and sorted(channel.members) == members:
                return channel
        return self.add_channel("", kind=kind, members=members)

    def add_channel(self, name: str, *, kind: ChannelKind = "public", members: list[str] | None = None) -> Channel:
        """A new, empty conversation."""
        channel_id = self.new_id({"im": "D", "mpim": "G"}.get(kind, "C"))
        channel = Channel(channel_id, name, kind, list(members or []), created=int(self.clock.now()))
        self.channels[channel_id] = channel
        return channel

    def post(self, message: Message) -> Message:
        """Put a message where it is seen: in its channel, or before one person."""
        if message.ephemeral_to:
            self.ephemerals.append(message)
        else:
            self.channels[message.channel].messages[message.ts] = message
        return message

    def message(self, channel: Channel, ts: str) -> Message:
        """A message of the channel. Raises SlackError `message_not_found`."""
        if ts not in channel.messages:
            raise SlackError("message_not_found")
        return channel.messages[ts]

    def thread(self, channel: Channel, ts: str) -> list[Message]:
        """A thread's head and its replies, oldest first."""
        return [m for m in channel.messages.values() if m.ts == ts or m.thread_ts == ts]

    def everything(self) -> Iterator[Message]:
        """Every message anyone can see now, ephemeral ones last."""
        for channel in self.channels.values():
            yield from channel.messages.values()
        yield from self.ephemerals


def acme(clock: Clock) -> Workspace:
    """A workspace with a few people in it: #general and #deploys with the app, #random and #secret-ops without."""
    workspace = Workspace(clock)
    people = [
        User("U0ALICE", "alice", "Alice Ahn", "alice@acme.test"),
        User("U0BORA", "bora", "Bora Kim", "bora@acme.test", locale="ko-KR"),
        User("U0CHEN", "chen", "Chen Wu", "chen@acme.test"),
        User("U0DANA", "dana", "Dana Roe", "dana@acme.test", deleted=True),
        User(workspace.bot_user, "shipmate", "Shipmate", bot_id=workspace.bot_id),
    ]
    workspace.users = {user.id: user for user in people}
    staff = [user.id for user in people if not user.deleted and not user.bot_id]
    with_app = [*staff, workspace.bot_user]
    channels = [
        Channel("C0GENERAL", "general", members=with_app),
        Channel("C0DEPLOYS", "deploys", members=list(with_app)),
        Channel("C0RANDOM", "random", members=list(staff)),
        Channel("C0SECRET", "secret-ops", "private", members=["U0ALICE"]),
        Channel("C0OLD", "old-deploys", members=list(with_app), archived=True),
    ]
    workspace.channels = {channel.id: channel for channel in channels}
    return workspace
