"""Sends the app's webhooks as GitHub does: signed, in order, each once, never tried again by itself.

https://docs.github.com/webhooks/webhook-events-and-payloads#delivery-headers
"""

import asyncio
import hashlib
import hmac
import io
import itertools
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.sandbox.github.faults import Fault, Faults, Impossible

Json = dict[str, Any]
TIMEOUT_S = 10.0
MAX_KEPT_BYTES = 64 * 1024
"""How much of an answer is kept for reading."""


@dataclass(frozen=True)
class Message:
    """One event to be told. `body` is what goes over the wire; every redelivery carries the same `guid`."""

    guid: str
    event: str
    action: str | None
    payload: Json = field(repr=False)
    body: bytes = field(repr=False)
    installation_id: int | None
    repository_id: int | None


@dataclass
class Delivery:
    """One attempt at a message, as the app's hook deliveries list it. `status_code` 0 means no answer came."""

    id: int
    message: Message
    delivered_at: float
    redelivery: bool = False
    duration_s: float = 0.0
    status: str = "pending"
    status_code: int = 0
    request_headers: dict[str, str] = field(default_factory=dict, repr=False)
    response_headers: dict[str, str] = field(default_factory=dict, repr=False)
    response_body: str = field(default="", repr=False)
    done: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def guid(self) -> str:
        """What X-GitHub-Delivery says; redeliveries share it."""
        return self.message.guid

    @property
    def event(self) -> str:
        """Name of the event, such as `push`."""
        return self.message.event

    @property
    def action(self) -> str | None:
        """Its action, such as `opened`."""
        return self.message.action

    @property
    def payload(self) -> Json:
        """What was told."""
        return self.message.payload

    @property
    def succeeded(self) -> bool:
        """Whether it was answered with success."""
        return 200 <= self.status_code < 400


def sign(secret: str, body: bytes) -> dict[str, str]:
    """Both signature headers of a body; SHA-1 is still sent by GitHub and proves nothing."""
    key = secret.encode()
    return {
        "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }


@dataclass
class Hooks:
    """The app's webhook: where it leads, what was sent, and what came of it."""

    app_id: int
    secret: str
    faults: Faults
    url: str | None = None
    timeout_s: float = TIMEOUT_S
    clock: Callable[[], float] = time.time
    deliveries: list[Delivery] = field(default_factory=list)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(12_345_678_901))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _held: list[Delivery] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None

    def tell(self, event: str, payload: Json, installation_id: int | None, repository_id: int | None) -> Delivery:
        """Send an event in the background; its delivery is on record at once."""
        body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        guid = str(uuid.uuid1())
        message = Message(guid, event, payload.get("action"), payload, body, installation_id, repository_id)
        delivery = self._record(message)
        self._start(delivery, self.faults.on_webhook(event, message.action))
        return delivery

    def redeliver(self, delivery_id: int) -> Delivery:
        """Send a message again under its old guid. Raises Impossible when there is no such delivery."""
        delivery = self._record(self.find(delivery_id).message, redelivery=True)
        self._start(delivery, self.faults.on_webhook(delivery.event, delivery.action))
        return delivery

    def find(self, delivery_id: int) -> Delivery:
        """A delivery by its id. Raises Impossible when there is none."""
        found = next((one for one in self.deliveries if one.id == delivery_id), None)
        if found is None:
            raise Impossible(f"there is no delivery {delivery_id}")
        return found

    async def settle(self) -> None:
        """Wait until nothing more is being sent; what was held back goes out too."""
        self._release()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Give up what is still being sent."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def _record(self, message: Message, *, redelivery: bool = False) -> Delivery:
        delivery = Delivery(next(self._ids), message, self.clock(), redelivery)
        self.deliveries.append(delivery)
        return delivery

    def _start(self, delivery: Delivery, fault: Fault | None) -> None:
        """Begin sending, in the order of calls, as the planned fault allows."""
        match fault and fault.effect:
            case "drop":
                self._finish(delivery, "failed to connect to host", 502, 0.0)
                return
            case "reorder":
                self._held.append(delivery)
                return
        self._spawn(delivery, fault.seconds if fault and fault.effect == "delay" else 0.0)
        for _ in range(fault.times if fault and fault.effect == "duplicate" else 0):
            self._spawn(self._record(delivery.message), 0.0)
        self._release()

    def _release(self) -> None:
        """Let go what a `reorder` fault held back."""
        held, self._held = self._held, []
        for delivery in held:
            self._spawn(delivery, 0.0)

    def _spawn(self, delivery: Delivery, delay_s: float) -> None:
        task = asyncio.get_running_loop().create_task(self._send(delivery, delay_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, delivery: Delivery, delay_s: float) -> None:
        """One attempt, recorded whatever comes of it."""
        await asyncio.sleep(delay_s)
        delivery.request_headers = self._headers(delivery.message)
        started = time.perf_counter()
        status, code = await self._post(delivery)
        self._finish(delivery, status, code, time.perf_counter() - started)

    async def _post(self, delivery: Delivery) -> tuple[str, int]:
        """What GitHub writes down of an attempt: a word and the status code."""
        if self.url is None:
            return "no webhook URL is set", 0
        self._session = self._session or aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=self.timeout_s)
        try:
            async with self._session.post(
                self.url,
                data=io.BytesIO(delivery.message.body),
                headers=delivery.request_headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                delivery.response_headers = dict(answer.headers)
                delivery.response_body = (await answer.content.read(MAX_KEPT_BYTES)).decode(errors="replace")
                good = 200 <= answer.status < 400
                return ("OK" if good else f"Invalid HTTP Response: {answer.status}"), answer.status
        except TimeoutError:
            return "timed out", 504
        except (aiohttp.ClientError, OSError):
            return "failed to connect to host", 502

    def _finish(self, delivery: Delivery, status: str, code: int, duration_s: float) -> None:
        delivery.status, delivery.status_code, delivery.duration_s = status, code, round(duration_s, 3)
        delivery.done.set()

    def _headers(self, message: Message) -> dict[str, str]:
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Delivery": message.guid,
            "X-GitHub-Event": message.event,
            "X-GitHub-Hook-ID": str(self.app_id * 10 + 1),
            "X-GitHub-Hook-Installation-Target-ID": str(self.app_id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            **sign(self.secret, message.body),
        }
