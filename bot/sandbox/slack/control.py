"""The control API under /_control/: what a Scene can do and show, over HTTP, for a shell or another language.

Each POST names an act of a Scene and carries its arguments as a JSON object; each GET shows something. What can't
be done is answered 400 with one sentence in `error`.
"""

import dataclasses
import inspect
import json
from collections.abc import Awaitable, Callable
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from aiohttp import web

from bot.sandbox.slack.access import Rate
from bot.sandbox.slack.courier import Outcome
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.refusals import Impossible
from bot.sandbox.slack.scene import Scene
from bot.sandbox.slack.shapes import channel_json, user_json

Json = dict[str, Any]
ACTS = {
    "commands": "say_command",
    "mentions": "mention",
    "messages": "say",
    "clicks": "click",
    "view-clicks": "click_in_view",
    "submissions": "submit_view",
    "closings": "close_view",
    "home": "open_home",
    "shortcuts": "shortcut",
    "suggestions": "suggest",
    "users": "add_user",
    "bots": "add_bot",
    "users/deactivate": "deactivate",
    "channels": "add_channel",
    "channels/members": "set_members",
    "channels/archive": "archive",
    "channels/delete": "delete_channel",
    "token": "set_token",
}
"""Path under /_control/ → method of a Scene."""


def routes(sandbox: Scene) -> list[web.RouteDef]:
    """Every route of the control API."""
    control = Control(sandbox)
    acts = [web.post(f"/_control/{path}", control.act(name)) for path, name in ACTS.items()]
    settings: dict[str, Callable[[Json], Any]] = {
        "target": control.set_target,
        "faults": control.add_fault,
        "limits": control.set_limits,
        "clock": control.advance,
        "subscriptions": control.subscribe,
        "sockets/refresh": control.refresh_sockets,
    }
    arranged = [web.post(f"/_control/{path}", control.arrange(work)) for path, work in settings.items()]
    views: dict[str, Callable[[web.Request], Any]] = {
        "environment": lambda _: sandbox.environment(),
        "target": lambda _: {"request_url": sandbox.request_url, "sockets": sandbox.sockets.connected},
        "users": lambda _: [user_json(sandbox.workspace, u) for u in sandbox.workspace.users.values()],
        "channels": lambda _: control.channels(),
        "channels/{channel}/messages": lambda r: sandbox.messages(r.match_info["channel"], r.query.get("user")),
        "channels/{channel}/threads/{ts}": lambda r: sandbox.thread(r.match_info["channel"], r.match_info["ts"]),
        "channels/{channel}/ephemeral/{user}": lambda r: sandbox.ephemeral(
            r.match_info["user"], r.match_info["channel"]
        ),
        "views/{user}": lambda r: sandbox.view_of(r.match_info["user"]),
        "homes/{user}": lambda r: sandbox.home_of(r.match_info["user"]),
        "requests": lambda _: sandbox.requests,
        "deliveries": lambda _: sandbox.deliveries,
        "faults": lambda _: sandbox.faults.planned,
    }
    shown = [web.get(f"/_control/{path}", control.show(look)) for path, look in views.items()]
    return [*acts, *arranged, *shown, web.delete("/_control/faults", control.arrange(control.clear_faults))]


class Control:
    """Turns HTTP requests into calls on a Scene."""

    def __init__(self, sandbox: Scene) -> None:
        self.sandbox = sandbox

    def act(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler that calls one method of a Scene with the body's fields as arguments."""
        method = getattr(self.sandbox, name)
        wanted = inspect.signature(method)

        def call(body: Json) -> Any:
            try:
                wanted.bind(**body)
            except TypeError as error:
                raise Impossible(f"{error}; wanted: {wanted}") from error
            for argument, value in body.items():
                if not _fits(value, wanted.parameters[argument].annotation):
                    raise Impossible(f"{argument} can't be {value!r}; wanted: {wanted.parameters[argument]}")
            return method(**body)

        return self.arrange(call)

    def arrange(self, work: Callable[[Json], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler that gives the JSON body to `work` and answers with what comes of it."""

        async def handler(request: web.Request) -> web.Response:
            if request.headers.get("Origin") not in (None, f"http://{request.host}"):
                return web.json_response({"error": "pages of other origins may not drive the simulation"}, status=403)
            try:
                result = work(await _body(request))
                return _answer(await result if inspect.isawaitable(result) else result)
            except Impossible as reason:
                return web.json_response({"error": str(reason)}, status=400)

        return handler

    def show(self, look: Callable[[web.Request], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler that answers with what `look` finds; 404 for nothing."""

        async def handler(request: web.Request) -> web.Response:
            try:
                found = look(request)
            except Impossible as reason:
                return web.json_response({"error": str(reason)}, status=404)
            return _answer(found) if found is not None else web.json_response({"error": "nothing there"}, status=404)

        return handler

    def channels(self) -> list[Json]:
        """Every channel, those hidden from the app too, with its members."""
        workspace = self.sandbox.workspace
        return [{**channel_json(workspace, c), "members": c.members} for c in workspace.channels.values()]

    async def set_target(self, body: Json) -> Json:
        """`request_url`, `ack_timeout_s`, `retry_delays_s`; with `verify`, whether the URL echoes a challenge."""
        courier = self.sandbox.courier
        self.sandbox.request_url = body.get("request_url", self.sandbox.request_url)
        courier.ack_timeout_s = _number(body.get("ack_timeout_s", courier.ack_timeout_s))
        courier.retry_delays_s = tuple(_number(delay) for delay in body.get("retry_delays_s", courier.retry_delays_s))
        verified = {"verified": await self.sandbox.verify_url()} if body.get("verify") else {}
        return {"request_url": self.sandbox.request_url, **verified}

    def add_fault(self, body: Json) -> Fault:
        """`on` and `effect`, and Fault's other fields as needed."""
        if not {"on", "effect"} <= body.keys():
            raise Impossible("a fault needs `on` (a method, or send:KIND) and `effect`")
        return self.sandbox.faults.add(**body)

    def clear_faults(self, _body: Json) -> Json:
        """No more faults."""
        self.sandbox.faults.clear()
        return {}

    def set_limits(self, body: Json) -> Json:
        """`enabled`, and `methods`: name → {per_minute, burst}."""
        limiter = self.sandbox.limiter
        limiter.enabled = bool(body.get("enabled", limiter.enabled))
        try:
            limiter.overrides |= {name: Rate(**rate) for name, rate in body.get("methods", {}).items()}
        except (TypeError, AttributeError) as error:
            raise Impossible("a limit is {per_minute, burst} for a method's name") from error
        return {"enabled": limiter.enabled, "methods": {n: dataclasses.asdict(r) for n, r in limiter.overrides.items()}}

    def advance(self, body: Json) -> Json:
        """`seconds` pass at once: triggers, response URLs and rate limits age."""
        self.sandbox.clock.advance(_number(body.get("seconds", 0)))
        return {"now": self.sandbox.clock.now()}

    def subscribe(self, body: Json) -> list[str]:
        """`events`: exactly these are told to the app from now on."""
        self.sandbox.people.subscriptions = set(body.get("events", self.sandbox.people.subscriptions))
        return sorted(self.sandbox.people.subscriptions)

    async def refresh_sockets(self, _body: Json) -> Json:
        """Make every Socket Mode connection be opened anew."""
        await self.sandbox.sockets.refresh()
        return {}


async def _body(request: web.Request) -> Json:
    """The JSON object in the body, empty when there is none. Raises Impossible."""
    raw = await request.read()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError as error:
        raise Impossible("the body must be JSON") from error
    if not isinstance(body, dict):
        raise Impossible("the body must be a JSON object")
    return body


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of the type an argument is declared with."""
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, branch) for branch in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, get_args(hint)[0]) for item in value)
    return isinstance(value, origin or hint)


def _number(value: Any) -> float:
    """Seconds as given. Raises Impossible."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Impossible(f"a number of seconds is wanted, not {value!r}")
    return float(value)


def _answer(value: Any) -> web.Response:
    return web.json_response(_plain(value if value is not None else {}))


def _plain(value: Any) -> Any:
    """Dataclasses and named tuples as objects, at any depth they have here."""
    if isinstance(value, Outcome):
        return value._asdict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [_plain(item) for item in value] if isinstance(value, list) else value
