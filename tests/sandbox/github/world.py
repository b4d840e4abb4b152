"""An app's view of the simulated GitHub, which holds every answer and delivery against GitHub's published schemas."""

import functools
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from aiohttp import web
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError, best_match
from multidict import CIMultiDictProxy

from bot.sandbox.github.hooks import sign
from bot.sandbox.github.simulator import GitHubSandbox

Json = dict[str, Any]
DATA = Path(__file__).parent.parent / "data"


@functools.cache
def published(name: str) -> Json:
    """The pruned schemas of GitHub's answers or deliveries."""
    schemas: Json = json.loads((DATA / f"{name}.json").read_bytes())
    return schemas


@functools.cache
def answer_checker(operation: str, status: int) -> Draft7Validator | None:
    """Checks the answer of one operation; None where GitHub publishes no schema."""
    responses = published("responses")
    schema = responses["operations"].get(operation, {}).get(str(status))
    return Draft7Validator({**schema, "definitions": responses["definitions"]}) if schema else None


@functools.cache
def delivery_checker(event: str, action: str | None) -> Draft7Validator:
    """Checks the payload of one event."""
    webhooks = published("webhooks")
    schema = webhooks["deliveries"][f"{event}.{action}" if action else event]
    return Draft7Validator({**schema, "definitions": webhooks["definitions"]})


def complaints(checker: Draft7Validator, instance: Any) -> list[str]:
    """What is wrong with an instance, where."""
    deepest = [_deepest(one) for one in checker.iter_errors(instance)]
    return [f"{one.json_path}: {one.message[-300:]}" for one in deepest]


def _deepest(error: ValidationError) -> ValidationError:
    """The most telling of the errors below an `anyOf`."""
    return best_match([error]) or error


@dataclass(frozen=True)
class Answer:
    """What GitHub answered."""

    status: int
    headers: CIMultiDictProxy[str]
    raw: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.raw)

    @property
    def message(self) -> str:
        """What a refusal says."""
        return str(self.json["message"])


@dataclass
class AppClient:
    """Talks to one simulated GitHub the way an app does."""

    github: GitHubSandbox
    session: aiohttp.ClientSession

    def app_jwt(self, **claims: Any) -> str:
        """A JWT as the app would sign it, with some claims changed; None takes one out."""
        now = int(time.time())
        said = {"iat": now - 60, "exp": now + 540, "iss": str(self.github.app_id), **claims}
        return jwt.encode({k: v for k, v in said.items() if v is not None}, self.github.private_key_pem, "RS256")

    async def token(self, account: str = "acme", **body: Any) -> str:
        """A fresh installation token."""
        number = self.github.installation(account).id
        path = f"/app/installations/{number}/access_tokens"
        answer = await self.call("POST", path, token=self.app_jwt(), json=body or None)
        return str(answer.json["token"])

    async def call(self, method: str, path: str, token: str | None = None, **more: Any) -> Answer:
        """One request; a successful answer must be what GitHub publishes."""
        headers = more.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        logged = len(self.github.requests)
        async with self.session.request(method, self.github.url + path, headers=headers, **more) as reply:
            answer = Answer(reply.status, reply.headers, await reply.read())
        if len(self.github.requests) > logged:
            self._check(answer)
        return answer

    def _check(self, answer: Answer) -> None:
        """Raises AssertionError when a JSON answer breaks the operation's published schema."""
        operation = self.github.requests[-1].operation
        if answer.status < 300 and operation and "json" in answer.headers.get("Content-Type", "") and answer.raw:
            checker = answer_checker(operation, answer.status)
            wrong = complaints(checker, answer.json) if checker and "raw" not in answer.headers["Content-Type"] else []
            assert not wrong, f"{operation} answered what GitHub would not: {wrong[:8]}"


@dataclass
class Receiver:
    """The app's webhook: keeps what arrives and answers as told."""

    secret: str
    status: int = 202
    url: str = ""
    received: list[tuple[dict[str, str], Json]] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        """Names and actions in the order they arrived."""
        named = ((headers["X-GitHub-Event"], body.get("action")) for headers, body in self.received)
        return [f"{event}.{action}" if action else event for event, action in named]

    async def handle(self, request: web.Request) -> web.Response:
        """Take one delivery; it must be signed and shaped as GitHub's are."""
        raw = await request.read()
        headers = dict(request.headers)
        expected = sign(self.secret, raw)
        assert {name: headers[name] for name in expected} == expected
        body = json.loads(raw)
        wrong = complaints(delivery_checker(headers["X-GitHub-Event"], body.get("action")), body)
        self.received.append((headers, body if not wrong else {"action": f"WRONG {wrong[:8]}"}))
        return web.Response(status=self.status, text="taken")
