"""Takes deployments on behind API Gateway: the form of the API, its envelopes, and an item that is PENDING."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aws.asked import DynamoAsked
from aws.clients import AwsClients
from aws.lambdas.gateway import Request, reply, request_of
from aws.lambdas.settings import access, from_environment
from aws.lambdas.warm import Warm
from bot import messages
from bot.api.asked import asked_data
from bot.api.envelopes import Answer, failure, success, unexpected
from bot.api.forms import ASK, checked, parsed, require_json
from bot.api.language import language_of
from bot.asked import Asked, AskedTable, Step, Waits
from bot.clock import Clock, utc_now
from bot.errors import Forged, Refused, Transient, Unreadable, UserMistake
from bot.model import JobState, job_id_for, new_job_id

_PATH = re.compile(r"(?:/[^/]+){0,3}/deployments(?:/(?P<id>dep_[a-z0-9]{10}))?/?")
"""A stage's name, and what routes of a gateway begin with, may stand before it."""
_NEW_NAMES = 3
log = logging.getLogger("shipmate.lambdas")


@dataclass(frozen=True, slots=True)
class Door:
    """What takes requests on: POST /deployments asks, GET /deployments/{id} shows."""

    table: AskedTable
    locale: str = "en"
    clock: Clock = utc_now

    async def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The gateway's answer to one request, whatever it is. Nothing of what was sent is repeated."""
        request = request_of(event)
        language = language_of(request.headers.get("accept-language"), self.locale)
        try:
            return reply(await self._answered(request, language), language)
        except (Forged, Refused, Transient, Unreadable, UserMistake) as error:
            return reply(failure(error, language, self.clock()), language)
        except Exception as error:  # AWS's refusals too: nothing that whoever asks could mend
            log.exception("a request broke")
            return reply(unexpected(error, language, self.clock()), language)

    async def _answered(self, request: Request, language: str) -> Answer:
        if not request.asker:
            raise Forged("caller_needed")
        named = _PATH.fullmatch(request.path)
        if named is None:
            raise Unreadable("path_unknown", path=request.path[:200])
        wanted = "GET" if named["id"] else "POST"
        if request.method != wanted:
            raise Unreadable("method_unknown", method=request.method, known=[wanted])
        return await (self._show(named["id"], language) if named["id"] else self._ask(request, language))

    async def _ask(self, request: Request, language: str) -> Answer:
        """201 with the deployment as it was when it was taken on: the same answer for the same key and body."""
        require_json(request.content_type)
        body = checked(parsed(request.body()), ASK)
        asked = await self._kept(request, body, language)
        told = asked_data(replace(asked, steps=asked.steps[:1], found=None, outcome={}))
        here = f"/deployments/{asked.id}"
        return success(told, messages.say(language, "api.deployment_taken"), 201, Location=here)

    async def _show(self, deployment_id: str, language: str) -> Answer:
        asked = await self.table.get(deployment_id)
        if asked is None:
            raise Refused("deployment_not_found", deployment=deployment_id)
        return success(asked_data(asked), messages.say(language, "api.deployments_found"))

    async def _kept(self, request: Request, body: Mapping[str, Any], language: str) -> Asked:
        """The one item of this request. Raises Refused("idempotency_key_reused") for a key that meant another."""
        key = request.headers.get("idempotency-key", "")
        for _ in range(_NEW_NAMES):
            asked = Asked(
                id=job_id_for(request.asker, key) if key else new_job_id(),
                user=body["userId"],
                repo=body["repo"],
                branch=body["branch"],
                environment=body.get("environment"),
                steps=(Step(JobState.PENDING, self.clock()),),
                asker=request.asker,
                language=language,
                waits=Waits.WORK,
            )
            kept = await self.table.add(asked)
            if kept == asked or (key and kept.same_request(asked)):
                return kept
            if key:
                raise Refused("idempotency_key_reused", deployment=kept.id)
        raise Transient("deployment_not_named")


@asynccontextmanager
async def _opened() -> AsyncIterator[Door]:
    settings = from_environment()
    yield Door(DynamoAsked(AwsClients(access(settings)), settings.deployments), settings.locale)


_WARM = Warm(_opened)


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """AWS Lambda's entry: an API Gateway proxy event in, its answer out."""
    return _WARM.run(lambda door: door.answer(event))
