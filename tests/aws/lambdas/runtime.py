"""AWS Lambda's side of a function: hands events to a process that runs AWS's own runtime client, and takes answers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.patience import ENOUGH_S

ROOT = Path(__file__).parents[3]
API = "/2018-06-01/runtime"
ONE_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:one"


class Function:
    """One process of a function. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._numbers = 0

    async def call(self, event: Any) -> Any:
        """What the handler answers. Raises RuntimeError with what it raised."""
        await self._events.put(event)
        async with asyncio.timeout(ENOUGH_S):
            good, answer = await self._answers.get()
        if not good:
            raise RuntimeError(answer)
        return answer

    def routes(self) -> list[web.RouteDef]:
        """The runtime's API."""
        return [
            web.get(f"{API}/invocation/next", self._next),
            web.post(f"{API}/invocation/{{id}}/response", self._answered),
            web.post(f"{API}/invocation/{{id}}/error", self._broke),
            web.post(f"{API}/init/error", self._broke),
        ]

    async def _next(self, _: web.Request) -> web.Response:
        event = await self._events.get()
        self._numbers += 1
        headers = {
            "Lambda-Runtime-Aws-Request-Id": f"r{self._numbers}",
            "Lambda-Runtime-Deadline-Ms": "4102444800000",
            "Lambda-Runtime-Invoked-Function-Arn": ONE_FUNCTION,
        }
        return web.Response(body=json.dumps(event).encode(), content_type="application/json", headers=headers)

    async def _answered(self, request: web.Request) -> web.Response:
        await self._answers.put((True, json.loads(await request.read() or b"null")))
        return web.Response(status=202)

    async def _broke(self, request: web.Request) -> web.Response:
        await self._answers.put((False, (await request.read()).decode()))
        return web.Response(status=202)


@asynccontextmanager
async def function(handler: str, environment: Mapping[str, str]) -> AsyncIterator[Function]:
    """The handler in a process of its own, as the image runs it: `python -m awslambdaric HANDLER`."""
    one, app = Function(), web.Application()
    app.add_routes(one.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    env = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runner.addresses[0][1]}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        **environment,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "awslambdaric", handler, cwd=ROOT, env=env)
    try:
        yield one
    finally:
        process.kill()
        await process.wait()
        await runner.cleanup()
