"""Sends what Slack sends, signed, within its time limit, and tries events again as Slack does."""

import asyncio
import json
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.refusals import Impossible
from bot.sandbox.slack.signing import signed_headers
from bot.sandbox.slack.sockets import Sockets

Json = dict[str, Any]
REPLAY_AGE_S = 360
"""How old the signature of a replayed request is: past the five minutes a receiver may accept."""
FORM = "application/x-www-form-urlencoded"
SOCKET_TYPES = {"command": "slash_commands", "interaction": "interactive", "suggestion": "interactive"}


@dataclass(frozen=True)
class Outgoing:
    """Something to tell the app: `command`, `interaction`, `suggestion`, `event` or `verification`."""

    kind: str
    payload: Json

    def body(self) -> bytes:
        """The raw body: JSON for events, a form for commands, a form around JSON for interactions."""
        if self.kind in ("event", "verification"):
            return json.dumps(self.payload).encode()
        fields = self.payload if self.kind == "command" else {"payload": json.dumps(self.payload)}
        return urlencode(fields).encode()


class Outcome(NamedTuple):
    """What one try came to. `reason` (`http_timeout`, `http_error`, `connection_failed`, …) is None when it went well.

    `reply` is the answer, JSON decoded, else text. `no_retry`: the app asked not to be told again.
    """

    status: int | None
    reason: str | None
    reply: Any = None
    no_retry: bool = False


@dataclass(frozen=True)
class Attempt:
    """One try of a delivery: 0 for the first, then the number of the retry. `note` says what a fault made of it."""

    number: int
    outcome: Outcome
    ms: float
    note: str = ""


@dataclass
class Delivery:
    """What became of something that was sent; `attempts` grows while an event is retried."""

    kind: str
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        """Whether some attempt was answered with 2xx in time."""
        return any(attempt.outcome.reason is None for attempt in self.attempts)

    @property
    def reply(self) -> Any:
        """What the app answered: JSON decoded, else text; None when it never did."""
        answered = (attempt.outcome for attempt in self.attempts if attempt.outcome.reason is None)
        return next((outcome.reply for outcome in answered), None)


@dataclass
class Courier:
    """Delivers over a Socket Mode connection when there is one, else to `request_url`."""

    signing_secret: str
    faults: Faults
    sockets: Sockets
    request_url: str | None = None
    ack_timeout_s: float = 3.0
    retry_delays_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    deliveries: list[Delivery] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def send(self, outgoing: Outgoing) -> Delivery:
        """Send once and wait for the answer; an event that isn't taken is tried again in the background."""
        if self.request_url is None and not self.sockets.connected:
            raise Impossible("the app can't be reached: set request_url, or let it connect by Socket Mode")
        delivery = Delivery(outgoing.kind, outgoing.payload)
        self.deliveries.append(delivery)
        fault = self.faults.strike(f"send:{outgoing.kind}")
        if fault and fault.effect == "drop":
            return delivery
        if fault and fault.effect == "delay":
            await asyncio.sleep(fault.seconds)
        await self._try(outgoing, delivery, 0, fault)
        await self._haunt(outgoing, delivery, fault)
        if outgoing.kind == "event" and _wants_retry(delivery):
            self.start(self._retry(outgoing, delivery))
        return delivery

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background; `settle` and `close` know of it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until nothing more is being sent or retried."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Give up what is still being retried."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _retry(self, outgoing: Outgoing, delivery: Delivery) -> None:
        """Up to three more times: at once, after a minute, after five more."""
        for number, delay_s in enumerate(self.retry_delays_s, start=1):
            await asyncio.sleep(delay_s)
            await self._try(outgoing, delivery, number)
            if not _wants_retry(delivery):
                return

    async def _haunt(self, outgoing: Outgoing, delivery: Delivery, fault: Fault | None) -> None:
        """Send again what was sent already, where a fault says so."""
        if fault and fault.effect == "duplicate":
            for _ in range(fault.times):
                await self._try(outgoing, delivery, 0, note="duplicate")
        if fault and fault.effect == "replay":
            await self._try(outgoing, delivery, 0, fault, note="replay")

    async def _try(
        self, outgoing: Outgoing, delivery: Delivery, number: int, fault: Fault | None = None, note: str = ""
    ) -> None:
        """One attempt, recorded whatever comes of it."""
        earlier = delivery.attempts[-1].outcome.reason or "" if number else ""
        started = time.perf_counter()
        if self.sockets.connected and outgoing.kind != "verification":
            outcome = await self._by_socket(outgoing, number, earlier)
        else:
            outcome = await self._by_http(outgoing, self._headers(outgoing, number, earlier, fault, note))
        ms = (time.perf_counter() - started) * 1000
        delivery.attempts.append(Attempt(number, outcome, ms, note))

    def _headers(self, outgoing: Outgoing, number: int, earlier: str, fault: Fault | None, note: str) -> dict[str, str]:
        """Content type, retry number and signature; forged or stale where a fault says so."""
        secret = self.signing_secret + ("x" if fault and fault.effect == "wrong_signature" else "")
        signed_at = int(time.time()) - (REPLAY_AGE_S if note == "replay" else 0)
        json_body = outgoing.kind in ("event", "verification")
        headers = {
            "Content-Type": "application/json" if json_body else FORM,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "*/*" if json_body else "application/json,*/*",
        }
        if number:
            headers |= {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": earlier}
        return headers | signed_headers(secret, signed_at, outgoing.body())

    async def _by_http(self, outgoing: Outgoing, headers: dict[str, str]) -> Outcome:
        """POST it to the request URL, within the time limit."""
        timeout = aiohttp.ClientTimeout(total=self.ack_timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.request_url or "", data=outgoing.body(), headers=headers, max_redirects=2) as answer,
            ):
                text = await answer.text(errors="replace")
                reason = None if 200 <= answer.status < 300 else "http_error"
                return Outcome(answer.status, reason, _decoded(text), answer.headers.get("X-Slack-No-Retry") == "1")
        except TimeoutError:
            return Outcome(None, "http_timeout")
        except aiohttp.TooManyRedirects:
            return Outcome(None, "too_many_redirects")
        except (aiohttp.ClientError, OSError):
            return Outcome(None, "connection_failed")

    async def _by_socket(self, outgoing: Outgoing, number: int, earlier: str) -> Outcome:
        """The same over Socket Mode, where an acknowledgement stands for a 200."""
        kind = SOCKET_TYPES.get(outgoing.kind, "events_api")
        retry = {"retry_attempt": number, "retry_reason": earlier} if kind == "events_api" else {}
        envelope = {"type": kind, "payload": outgoing.payload, "accepts_response_payload": kind != "events_api"}
        try:
            return Outcome(200, None, await self.sockets.ask(envelope | retry, self.ack_timeout_s))
        except TimeoutError:
            return Outcome(None, "timeout")
        except ConnectionError:
            return Outcome(None, "connection_failed")


def _wants_retry(delivery: Delivery) -> bool:
    return not delivery.answered and not delivery.attempts[-1].outcome.no_retry


def _decoded(text: str) -> Any:
    """JSON when it is JSON, else the text itself; None for nothing."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text or None
