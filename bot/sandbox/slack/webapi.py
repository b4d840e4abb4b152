"""Answers Web API calls over HTTP: token, rate, scope, arguments, method, in the order Slack asks them."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.slack.access import STATE_ERRORS, Grant, Limiter
from bot.sandbox.slack.arguments import read_arguments
from bot.sandbox.slack.bodies import Body, read_body
from bot.sandbox.slack.desk import Call, Desk
from bot.sandbox.slack.faults import Fault, Faults
from bot.sandbox.slack.methods.catalogue import METHODS, Method
from bot.sandbox.slack.refusals import SlackError

Json = dict[str, Any]
PER_CHANNEL = {"chat.postMessage"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: Slack's JSON, or None for what a broken gateway says instead."""

    body: Json | None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def error(self) -> str | None:
        """Slack's error code, None when the call went well or no JSON came."""
        return None if self.body is None or self.body.get("ok") else str(self.body.get("error"))

    def response(self) -> web.Response:
        """The same for aiohttp."""
        if self.body is None:
            page = "<html>upstream trouble</html>"
            return web.Response(status=self.status, text=page, content_type="text/html", headers=self.headers)
        return web.json_response(self.body, status=self.status, headers=self.headers)


@dataclass(frozen=True)
class Request:
    """One call an app made, for assertions and for looking on. `error` is None when it was answered ok."""

    method: str
    args: Json
    error: str | None
    status: int
    ms: float
    fault: str | None = None


@dataclass
class WebApi:
    """The Web API of one workspace, with the log of what was asked of it."""

    desk: Desk
    limiter: Limiter
    faults: Faults
    grants: dict[str, Grant] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or let the fault planned for it happen."""
        started, name = time.perf_counter(), request.match_info["method"]
        body = await read_body(request)
        fault = self.faults.strike(name)
        if fault and fault.effect in ("hang", "delay"):
            await asyncio.sleep(fault.seconds)
        answer = _struck(fault) or self.answer(name, body)
        ms = (time.perf_counter() - started) * 1000
        effect = fault.effect if fault else None
        self.requests.append(Request(name, body.args, answer.error, answer.status, ms, effect))
        if effect in ("cut", "lose_reply") and request.transport:
            request.transport.abort()
        return answer.response()

    def answer(self, name: str, body: Body) -> Answer:
        """The answer to a call that nothing befalls."""
        try:
            method = METHODS.get(name)
            if method is None:
                raise SlackError("unknown_method", req_method=name)
            grant = self._grant(method, body)
            wait_s = self.limiter.take(name, _rate_key(name, body), method.rate)
            if wait_s is not None:
                return too_many(wait_s)
            said = self._run(method, grant, body)
        except SlackError as refusal:
            return Answer(_with_warnings(refusal.reply(), body))
        scopes = {
            "X-OAuth-Scopes": ",".join(sorted(grant.scopes)),
            "X-Accepted-OAuth-Scopes": ",".join(method.scopes),
        }
        return Answer(_with_warnings({"ok": True, **said}, body), headers=scopes)

    def _grant(self, method: Method, body: Body) -> Grant:
        """Whose token it is. Raises SlackError `not_authed`, `invalid_auth`, `account_inactive`, and so on."""
        if body.error:
            raise SlackError(body.error)
        if not body.token:
            raise SlackError("not_authed")
        grant = self.grants.get(body.token)
        if grant is None:
            raise SlackError("invalid_auth")
        if grant.state in STATE_ERRORS:
            raise SlackError(STATE_ERRORS[grant.state])
        if grant.kind not in method.tokens:
            raise SlackError("not_allowed_token_type")
        return grant

    def _run(self, method: Method, grant: Grant, body: Body) -> Json:
        """Check scope and arguments, then act. Raises SlackError."""
        grant.require(*method.scopes)
        given = body.args if method.takes_json or not body.is_json else body.query
        args = read_arguments(method.arguments, given)
        return method.run(Call(self.desk, grant, args))


def too_many(wait_s: int) -> Answer:
    """HTTP 429 with Retry-After. Source: https://docs.slack.dev/apis/web-api/rate-limits"""
    return Answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait_s)})


def _struck(fault: Fault | None) -> Answer | None:
    """The answer a fault gives in the method's place, None when the method is to run."""
    if fault is None:
        return None
    match fault.effect:
        case "error":
            return Answer(SlackError(fault.code).reply())
        case "ratelimited":
            return too_many(fault.retry_after_s)
        case "status":
            return Answer(None, fault.status)
        case "cut":
            return Answer(None, 500)
    return None


def _rate_key(name: str, body: Body) -> str:
    return str(body.args.get("channel", "")) if name in PER_CHANNEL else ""


def _with_warnings(answer: Json, body: Body) -> Json:
    """The answer with what Slack remarks about the request's form."""
    if not body.warning:
        return answer
    metadata = answer.get("response_metadata", {})
    warnings = [*metadata.get("warnings", []), body.warning]
    return {**answer, "warning": ",".join(warnings), "response_metadata": {**metadata, "warnings": warnings}}
