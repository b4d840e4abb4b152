"""`/health` says the process lives, `/ready` whether it can work, `/metrics` how much it did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from bot.errors import ShipmateError
from bot.process.metrics import CONTENT_TYPE, Metrics

LOOK_LIMIT_S = 5.0

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Vitals:
    """`checks` by name; each raises when that part cannot work."""

    checks: Mapping[str, Callable[[], Awaitable[object]]]
    metrics: Metrics


VITALS: web.AppKey[Vitals] = web.AppKey("vitals")


@routes.get("/health")
@routes.get("/actuator/health")
async def health(request: web.Request) -> web.Response:
    """Alive, whatever else holds."""
    return web.json_response({"status": "UP"})


@routes.get("/ready")
async def ready(request: web.Request) -> web.Response:
    """200 when every part answers, else 503 with the parts that do not."""
    checks = request.app[VITALS].checks
    found = dict(zip(checks, await asyncio.gather(*(_look(check) for check in checks.values())), strict=True))
    well = all(state == "ok" for state in found.values())
    return web.json_response({"status": "ready" if well else "not ready", "parts": found}, status=200 if well else 503)


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Prometheus' text format."""
    return web.Response(body=request.app[VITALS].metrics.text(), headers={"Content-Type": CONTENT_TYPE})


async def _look(check: Callable[[], Awaitable[object]]) -> str:
    try:
        await asyncio.wait_for(check(), LOOK_LIMIT_S)
    except ShipmateError as error:
        return error.code
    except TimeoutError:
        return "too_slow"
    return "ok"
