"""What is to go wrong, where, and how often."""

import itertools
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from bot.sandbox.slack.refusals import Impossible

CALL_EFFECTS = {"error", "ratelimited", "status", "hang", "cut", "delay", "lose_reply"}
SEND_EFFECTS = {"duplicate", "replay", "wrong_signature", "drop", "delay"}
SEND_KINDS = {"command", "interaction", "suggestion", "event", "verification"}
_serial = itertools.count(1)


@dataclass
class Fault:
    """One planned fault. `on` is a Web API method (`chat.*` matches many) or `send:KIND` for what Slack sends.

    On methods: `error` (answer `code`), `ratelimited` (429, `retry_after_s`), `status` (HTTP `status`, no JSON),
    `hang` (for `seconds`, then go on), `delay` (the same, meant short), `cut` (close without acting),
    `lose_reply` (act, then close). On what is sent: `duplicate` (`times` more), `replay` (once more, signed six
    minutes ago), `wrong_signature`, `drop` (never sent), `delay`. `skip` matches go by unharmed first, then `count`
    are hit (None: all).
    """

    effect: str
    on: str
    count: int | None = 1
    skip: int = 0
    code: str = "internal_error"
    status: int = 500
    retry_after_s: int = 1
    seconds: float = 3600.0
    times: int = 1
    id: str = ""

    def __post_init__(self) -> None:
        sending = self.on.startswith("send:")
        known = SEND_EFFECTS if sending else CALL_EFFECTS
        if self.effect not in known:
            raise Impossible(f"{self.effect!r} can't happen on {self.on!r}; what can: {', '.join(sorted(known))}")
        if sending and not any(fnmatchcase(f"send:{kind}", self.on) for kind in SEND_KINDS):
            raise Impossible(f"nothing of {self.on!r} is ever sent; kinds: {', '.join(sorted(SEND_KINDS))}")
        self.id = self.id or f"fault-{next(_serial)}"

    def strikes(self) -> bool:
        """Count one match; True when this one is hit."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is None:
            return True
        struck = self.count > 0
        self.count -= struck
        return struck


class Faults:
    """The planned faults, in the order they were added; the first that strikes is the one that happens."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def add(self, effect: str, *, on: str, **details: Any) -> Fault:
        """Plan a fault; `details` are Fault's other fields. Raises Impossible for what can't happen there."""
        try:
            fault = Fault(effect, on, **details)
        except TypeError as error:
            raise Impossible(f"a fault can't be described like that: {error}") from error
        self._planned.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything go well again."""
        self._planned.clear()

    @property
    def planned(self) -> list[Fault]:
        """Those that may still strike."""
        return [fault for fault in self._planned if fault.count is None or fault.count > 0]

    def strike(self, name: str) -> Fault | None:
        """The fault that happens to this call or sending, if any."""
        matching = (fault for fault in self._planned if fnmatchcase(name, fault.on))
        return next((fault for fault in matching if fault.strikes()), None)
