"""Serves the control API: what people do, what goes wrong and what there is to see, as JSON under `/_control/`."""

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.github import readouts
from bot.sandbox.github.asking import ask
from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.limits import Settings
from bot.sandbox.github.model import Repository
from bot.sandbox.github.simulator import GitHubSandbox

Json = dict[str, Any]
Answer = Callable[[Json], Any | Awaitable[Any]]
PREFIX = "/_control"


class Control:
    """The control API of one simulated GitHub."""

    def __init__(self, github: GitHubSandbox) -> None:
        self._github = github

    def routes(self) -> list[web.RouteDef]:
        """Every control call, as routes to serve beside GitHub's own."""
        served = [web.route(method, PREFIX + path, _served(answer)) for (method, path), answer in self._table().items()]
        return [*served, web.route("*", PREFIX + "{rest:.*}", self._unknown)]

    def _table(self) -> dict[tuple[str, str], Answer]:
        return {**self._looks(), **self._acts(), **self._settings()}

    def _looks(self) -> dict[tuple[str, str], Answer]:
        """What there is to see."""
        github = self._github
        return {
            ("GET", "/environment"): lambda _: github.environment(),
            ("GET", "/state"): lambda given: ask(self._state, given),
            ("GET", "/deliveries"): lambda _: [readouts.delivery(one) for one in github.deliveries],
            ("GET", "/deliveries/{delivery_id}"): lambda given: ask(self._delivery, given),
            ("GET", "/requests"): lambda _: [readouts.request(one) for one in github.requests],
            ("GET", "/faults"): lambda _: github.faults.as_json(),
            ("GET", "/limits"): lambda _: asdict(github.limits.settings),
            ("GET", "/webhook"): lambda _: self._webhook(),
        }

    def _acts(self) -> dict[tuple[str, str], Answer]:
        """What people do."""
        github = self._github
        methods: dict[tuple[str, str], Callable[..., Any]] = {
            ("POST", "/repositories"): github.create_repo,
            ("POST", "/repositories/rename"): github.rename_repo,
            ("DELETE", "/repositories"): github.delete_repo,
            ("POST", "/forks"): github.fork,
            ("POST", "/pushes"): github.push,
            ("POST", "/force-pushes"): github.force_push,
            ("POST", "/tags"): github.tag,
            ("POST", "/releases"): github.publish_release,
            ("POST", "/pulls"): github.open_pull,
            ("POST", "/pulls/close"): github.close_pull,
            ("POST", "/pulls/reopen"): github.reopen_pull,
            ("POST", "/pulls/merge"): github.merge_pull,
            ("POST", "/pulls/queue"): github.queue_pull,
            ("POST", "/reviews"): github.review,
            ("POST", "/checks"): github.check,
            ("POST", "/statuses"): github.set_status,
            ("POST", "/issues"): github.open_issue,
            ("POST", "/comments"): github.comment,
            ("PATCH", "/comments"): github.edit_comment,
            ("DELETE", "/comments"): github.delete_comment,
            ("POST", "/clicks"): github.click,
            ("POST", "/rerequests"): github.rerequest,
            ("POST", "/rerequests/suite"): github.rerequest_suite,
            ("POST", "/deliveries/redeliver"): github.redeliver,
            ("POST", "/ping"): github.ping,
            ("POST", "/settle"): github.settle,
            ("PUT", "/permissions"): github.set_permission,
            ("PUT", "/teams"): github.add_to_team,
            ("POST", "/installations"): github.install,
            ("DELETE", "/installations"): github.uninstall,
            ("PUT", "/installations/suspended"): github.suspend,
            ("PUT", "/installations/repositories"): github.select_repositories,
        }
        return {route: _asking(method) for route, method in methods.items()}

    def _settings(self) -> dict[tuple[str, str], Answer]:
        """What goes wrong, what is allowed, and where things lead."""
        github = self._github
        return {
            ("POST", "/faults"): lambda given: asdict(github.faults.add(given.pop("effect", ""), **given)),
            ("DELETE", "/faults"): lambda _: github.faults.clear(),
            ("DELETE", "/faults/{fault_id}"): lambda given: ask(github.faults.remove, given),
            ("PATCH", "/limits"): self._set_limits,
            ("POST", "/limits/use-up"): lambda given: ask(github.limits.use_up, given),
            ("DELETE", "/limits"): lambda _: github.limits.forget(),
            ("PUT", "/webhook"): lambda given: ask(self._set_webhook, given),
            ("PUT", "/tokens"): lambda given: ask(self._set_tokens, given),
            ("POST", "/tokens"): lambda given: {"token": ask(github.user_token, given)},
            ("DELETE", "/tokens"): lambda _: {"expired": github.tokens.expire_all()},
            ("PUT", "/oauth"): lambda given: ask(github.approve_oauth_as, given),
            ("DELETE", "/requests"): lambda _: github.hub.requests.clear(),
        }

    async def _state(self, repo: str | None = None) -> Json:
        return await readouts.state(self._github, repo)

    def _delivery(self, delivery_id: str) -> Json:
        """One delivery with all that was sent and answered."""
        one = self._github.hub.hooks.find(int(delivery_id) if delivery_id.isdigit() else 0)
        sent = {"headers": one.request_headers, "payload": one.payload}
        return readouts.delivery(one) | {"request": sent, "response": one.response_body}

    def _webhook(self) -> Json:
        hooks = self._github.hub.hooks
        return {"url": hooks.url, "timeout_s": hooks.timeout_s, "secret": hooks.secret}

    def _set_webhook(self, url: str | None = None, timeout_s: float | None = None, secret: str | None = None) -> Json:
        """Change where deliveries go, how long they wait, and what they are signed with."""
        hooks = self._github.hub.hooks
        hooks.url = url or hooks.url
        hooks.timeout_s = timeout_s or hooks.timeout_s
        hooks.secret = self._github.hub.world.app.webhook_secret = secret or hooks.secret
        return self._webhook()

    def _set_tokens(self, life_s: float = 3600.0, length: int = 40) -> None:
        """How long new installation tokens last, and how long they are."""
        self._github.tokens.life_s, self._github.tokens.length = life_s, max(20, length)

    def _set_limits(self, given: Json) -> Json:
        """Change figures of the rate limits."""
        settings = self._github.limits.settings
        known = {one.name: one.type for one in fields(Settings)}
        for name, value in given.items():
            if name not in known or not isinstance(value, int):
                raise Impossible(f"{name!r} can't be set to {value!r}; what can be set: {', '.join(known)}")
            setattr(settings, name, value)
        return asdict(settings)

    async def _unknown(self, request: web.Request) -> web.Response:
        calls = ", ".join(f"{method} {PREFIX}{path}" for method, path in self._table())
        return _mistake(404, f"there is no {request.method} {request.path}; what there is: {calls}")


def _asking(method: Callable[..., Any]) -> Answer:
    return lambda given: ask(method, given)


def _served(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A control call as a handler: JSON in, JSON out, one sentence when it can't be."""

    async def handle(request: web.Request) -> web.Response:
        try:
            said = answer(await _given(request))
            said = await said if inspect.isawaitable(said) else said
        except Impossible as error:
            return _mistake(422, str(error))
        return web.json_response({"ok": True} if said is None else _shown(said))

    return handle


async def _given(request: web.Request) -> Json:
    """What was asked, from the path, the query and the body. Raises Impossible."""
    raw = await request.text()
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        raise Impossible(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Impossible("the body must be a JSON object")
    return {**request.match_info, **request.query, **body}


def _mistake(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence[:1].upper() + sentence[1:] + "."}, status=status)


def _shown(said: Any) -> Any:
    """Anything a method returned, as JSON."""
    if isinstance(said, Delivery):
        return readouts.delivery(said)
    if isinstance(said, Repository):
        return {"id": said.id, "name": said.full_name, "private": said.private, "default_branch": said.default_branch}
    if isinstance(said, list | tuple):
        return [_shown(one) for one in said]
    if is_dataclass(said):
        return {one.name: _shown(getattr(said, one.name)) for one in fields(said)}
    return said
