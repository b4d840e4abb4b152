"""What is to go wrong, on which requests or deliveries, and how often."""

import itertools
import re
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]

REQUEST_EFFECTS = {"status", "rate_limit", "secondary_limit", "cut", "hang", "delay", "lose_reply"}
HOOK_EFFECTS = {"drop", "duplicate", "reorder", "delay"}


class Impossible(Exception):
    """Something was asked of the sandbox that can't be; the message is one sentence for a person."""


@dataclass
class Fault:
    """One planned fault.

    `on` is `request` or `webhook`. A request matches by `method` (empty: any) and `path` (a regular expression found
    anywhere in the path, query left out), a webhook by `path` found in `EVENT.ACTION`. The first `skip` matches go by
    unharmed, then `count` are hit (None: all).

    On requests: `status` (answer `status` with `body` and `headers` in the operation's place), `rate_limit` (403, none
    remaining, reset in `seconds`), `secondary_limit` (403 with Retry-After `seconds`), `cut` (close the connection
    after `after_bytes` of the answer, not acting), `lose_reply` (act, then the same), `hang` and `delay` (wait
    `seconds`, then go on). On webhooks: `drop` (recorded as failed, never sent), `duplicate` (sent `times` more),
    `reorder` (held back until the next one was sent), `delay` (sent `seconds` late).
    """

    effect: str
    on: str = "request"
    method: str = ""
    path: str = ""
    skip: int = 0
    count: int | None = 1
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 60.0
    after_bytes: int = 0
    times: int = 1
    id: str = ""

    def strikes(self) -> bool:
        """Count one match; True when this one is hit."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is None:
            return True
        if self.count <= 0:
            return False
        self.count -= 1
        return True


@dataclass
class Faults:
    """The planned faults in the order they were added; the first that strikes is the one that happens."""

    planned: list[Fault] = field(default_factory=list)
    _serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def add(self, effect: str, **details: Any) -> Fault:
        """Plan a fault; `details` are the fields of Fault. Raises Impossible for what can't happen."""
        try:
            fault = Fault(effect, **details)
            re.compile(fault.path)
        except (TypeError, re.error) as error:
            raise Impossible(f"a fault can't be described like that: {error}") from error
        known = {"request": REQUEST_EFFECTS, "webhook": HOOK_EFFECTS}.get(fault.on)
        if known is None:
            raise Impossible(f"faults happen on a request or on a webhook, not on {fault.on!r}")
        if effect not in known:
            raise Impossible(f"{effect!r} can't happen on a {fault.on}; what can: {', '.join(sorted(known))}")
        fault.id = f"fault-{next(self._serial)}"
        self.planned.append(fault)
        return fault

    def remove(self, fault_id: str) -> None:
        """Forget one fault. Raises Impossible when there is none of this id."""
        if not any(one.id == fault_id for one in self.planned):
            raise Impossible(f"no fault {fault_id!r} is planned")
        self.planned = [one for one in self.planned if one.id != fault_id]

    def clear(self) -> None:
        """Let everything go well again."""
        self.planned.clear()

    def on_request(self, method: str, path: str) -> Fault | None:
        """The fault that happens to this request."""
        return self._strike(
            one
            for one in self.planned
            if one.on == "request" and one.method.upper() in ("", method) and re.search(one.path, path)
        )

    def on_webhook(self, event: str, action: str | None) -> Fault | None:
        """The fault that happens to this delivery."""
        name = f"{event}.{action}" if action else event
        return self._strike(one for one in self.planned if one.on == "webhook" and re.search(one.path, name))

    def _strike(self, matching: Any) -> Fault | None:
        return next((one for one in matching if one.strikes()), None)

    def as_json(self) -> list[Json]:
        """What is still planned, for reading."""
        return [asdict(one) for one in self.planned if one.count is None or one.count > 0]
