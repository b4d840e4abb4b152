"""The load balancers' data plane: real listeners that forward each request as the emulated ELBv2's rules say now."""

from __future__ import annotations

import asyncio
import fnmatch
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import aiohttp
from aiohttp import web
from moto.elbv2.models import ELBv2Backend, FakeListener

from tests.aws.emulator import meters

_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


class Balancer:
    """Listens where the load balancers do. A target that was deregistered finishes what it is answering."""

    def __init__(self, backend: ELBv2Backend) -> None:
        self._backend = backend
        self._loop = asyncio.new_event_loop()
        self._session: aiohttp.ClientSession | None = None
        self._in_flight: Counter[tuple[str, int]] = Counter()
        self.answered: Counter[tuple[str, int]] = Counter()
        """How many requests each target group answered with each status."""
        self._open: dict[str, tuple[str, web.ServerRunner]] = {}
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def listen(self, address: str, listener: FakeListener) -> None:
        """Answer at the listener's port, and at no other it had; returns once that is so."""
        asyncio.run_coroutine_threadsafe(self._listen(address, listener), self._loop).result(10)

    def close(self, listener: str) -> None:
        """Nobody is answered there any more."""
        asyncio.run_coroutine_threadsafe(self._close(listener), self._loop).result(10)

    def is_drained(self, host: str, port: int) -> bool:
        """Whether a target answers nothing any more."""
        return self._in_flight[host, port] == 0

    async def _close(self, listener: str) -> None:
        if listener in self._open:
            await self._open.pop(listener)[1].cleanup()

    async def _listen(self, address: str, listener: FakeListener) -> None:
        port = str(listener.port)
        if listener.arn in self._open and self._open[listener.arn][0] == port:
            return
        await self._close(listener.arn)
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await self._answer(listener, request)

        runner = web.ServerRunner(web.Server(answer, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, address, int(port)).start()
        self._open[listener.arn] = (port, runner)

    async def _answer(self, listener: FakeListener, request: web.BaseRequest) -> web.Response:
        group_arn = self._group(listener, request)
        if isinstance(group_arn, web.Response):
            return group_arn
        started = time.perf_counter()
        reply = await self._forwarded(group_arn, request)
        self.answered[group_arn, reply.status] += 1
        meters.count(listener.load_balancer_arn, group_arn, reply.status, time.perf_counter() - started)
        return reply

    def _group(self, listener: FakeListener, request: web.BaseRequest) -> str | web.Response:
        """The target group for a request, by the first rule that holds; a fixed response is given as it is."""
        for action in self._actions(listener, request):
            if action["Type"] == "redirect":
                return _redirected(action["RedirectConfig"], request)
            if action["Type"] == "fixed-response":
                config = action["FixedResponseConfig"]
                return web.Response(status=int(config["StatusCode"]), text=config.get("MessageBody") or "")
            if action["Type"] == "forward":
                groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or [
                    {"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}
                ]
                weights = [int(group.get("Weight", 1)) for group in groups]
                if any(weights):
                    return str(random.choices(groups, weights)[0]["TargetGroupArn"])
        return web.Response(status=503, text="no target group")

    def _actions(self, listener: FakeListener, request: web.BaseRequest) -> Iterator[dict[str, Any]]:
        rules = [rule for rule in listener.rules.values() if rule.priority != "default"]
        for rule in sorted(rules, key=lambda rule: int(rule.priority)):
            if all(_holds(condition, request) for condition in rule.conditions):
                yield from (action.data for action in rule.actions)
                return
        yield from (action.data for action in listener.default_actions)

    async def _forwarded(self, group_arn: str, request: web.BaseRequest) -> web.Response:
        targets = list(self._backend.target_groups[group_arn].targets.values())
        if not targets:
            return web.Response(status=503, text="no registered target")
        target = random.choice(targets)
        place = (str(target["Id"]), int(target["Port"]))
        self._in_flight[place] += 1
        try:
            return await self._asked(place, request)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return web.Response(status=502, text=type(error).__name__)
        finally:
            self._in_flight[place] -= 1

    async def _asked(self, place: tuple[str, int], request: web.BaseRequest) -> web.Response:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = f"http://{place[0]}:{place[1]}{request.path_qs}"
        async with self._session.request(
            request.method, url, headers=headers, data=await request.read() or None, allow_redirects=False
        ) as reply:
            kept = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP}
            return web.Response(status=reply.status, body=await reply.read(), headers=kept)


def _redirected(config: dict[str, Any], request: web.BaseRequest) -> web.Response:
    """Host, path and query stay: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html"""
    host = (request.host or "").partition(":")[0]
    there = f"{config['Protocol'].lower()}://{host}:{config['Port']}{request.path_qs}"
    return web.Response(status=int(config["StatusCode"].removeprefix("HTTP_")), headers={"Location": there})


def _holds(condition: dict[str, Any], request: web.BaseRequest) -> bool:
    """Path and host conditions; https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html"""
    given = {"path-pattern": request.path, "host-header": (request.host or "").partition(":")[0]}
    seen = given.get(condition["Field"])
    config = condition.get("PathPatternConfig") or condition.get("HostHeaderConfig") or {}
    values = condition.get("Values") or config.get("Values") or []
    return seen is not None and any(fnmatch.fnmatchcase(seen, value) for value in values)
