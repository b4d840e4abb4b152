"""What every Web API method works on: the workspace, who is calling, and the few services a call may need."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.access import Grant
from bot.sandbox.slack.tickets import Tickets
from bot.sandbox.slack.workspace import Channel, Message, Workspace

Json = dict[str, Any]


@dataclass
class Upload:
    """A file on its way: announced, then sent (`content`), then completed."""

    id: str
    name: str
    length: int
    content: bytes | None = None


@dataclass
class Desk:
    """The simulation's state as the methods see it. `announce` tells the app of a new message, if it listens."""

    workspace: Workspace
    tickets: Tickets
    base_url: Callable[[], str]
    announce: Callable[[Message], None]
    uploads: dict[str, Upload] = field(default_factory=dict)
    socket_tickets: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Call:
    """One call with its arguments read."""

    desk: Desk
    grant: Grant
    args: Json

    @property
    def workspace(self) -> Workspace:
        return self.desk.workspace

    def channel(self, right: str | None = None, name: str = "channel") -> Channel:
        """The conversation in the argument; `right` (`read`, `history`, …) asks for its kind's scope.

        Raises SlackError `channel_not_found` or `missing_scope`.
        """
        channel = self.workspace.channel(self.args[name])
        if right:
            self.grant.require(f"{channel.scope_family}:{right}")
        return channel
