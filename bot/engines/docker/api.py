"""The connection to one Docker engine: plain requests and streams over its HTTP API, on aiodocker's connectors."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiodocker import Docker

from bot.engines.docker.errors import engine_errors, unavailable
from bot.engines.docker.jsonlines import json_lines

DEFAULT_HOST = "unix:///var/run/docker.sock"
CONNECT_S = 5.0
ANSWER_S = 60.0

_ENDLESS = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)

Params = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where the engine is, as DOCKER_HOST says it, and the folder of `ca.pem`, `cert.pem`, `key.pem` for TLS."""

    host: str = DEFAULT_HOST
    cert_path: Path | None = None

    def tls(self) -> ssl.SSLContext | None:
        """A context that trusts this engine's authority alone and shows our certificate; None without TLS."""
        if self.cert_path is None:
            return None
        context = ssl.create_default_context(cafile=str(self.cert_path / "ca.pem"))
        context.load_cert_chain(self.cert_path / "cert.pem", self.cert_path / "key.pem")
        return context


class EngineApi:
    """Requests to one engine. Connects at first use; every method raises what `engine_errors` says.

    Source of all paths and parameters: https://docs.docker.com/reference/api/engine/
    """

    def __init__(self, address: EngineAddress | None = None) -> None:
        self.address = address or EngineAddress()
        self._docker: Docker | None = None

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Mapping[str, Any] | None = None,
        within_s: float = ANSWER_S,
    ) -> Any:
        """One request; answers its JSON, or None where the answer has none."""
        with engine_errors(f"{method} {path}"):
            limits = aiohttp.ClientTimeout(total=within_s, sock_connect=CONNECT_S)
            data = json.dumps(body).encode() if body is not None else None
            async with self._query(method, path, params, data, limits) as reply:
                raw = await reply.read()
                is_json = "json" in reply.headers.get("Content-Type", "")
                return json.loads(raw) if raw.strip() and is_json else None

    @asynccontextmanager
    async def events(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        data: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """A request answered by a stream of JSON objects. Leaving the block early hangs up."""
        async with self.stream(method, path, params=params, data=data, headers=headers) as reply:
            yield json_lines(reply.content)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        data: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A request whose answer is read bit by bit and may take for ever. Leaving the block early hangs up."""
        with engine_errors(f"{method} {path}"):
            async with self._query(method, path, params, data, _ENDLESS, headers) as reply:
                yield reply

    async def ping(self) -> Mapping[str, str]:
        """The headers by which an engine introduces itself (`Api-Version`, `Builder-Version`, `Ostype`)."""
        limits = aiohttp.ClientTimeout(total=ANSWER_S, sock_connect=CONNECT_S)
        with engine_errors("GET _ping"):
            async with self._query("GET", "_ping", None, None, limits, versioned=False) as reply:
                return {name.lower(): value for name, value in reply.headers.items()}

    async def close(self) -> None:
        """Close the connections. The next request opens them again."""
        docker, self._docker = self._docker, None
        if docker is not None:
            await docker.close()

    @asynccontextmanager
    async def _query(
        self,
        method: str,
        path: str,
        params: Params | None,
        data: bytes | AsyncIterator[bytes] | None,
        limits: aiohttp.ClientTimeout,
        headers: Mapping[str, str] | None = None,
        versioned: bool = True,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """aiodocker has no public way to its plain requests, and its public streams take a cut for an end."""
        query = self._connected()._query(
            path,
            method,
            params=dict(params) if params else None,
            data=data,
            headers=headers,
            timeout=limits,
            versioned_api=versioned,
        )
        async with query as reply:
            try:
                yield reply
            finally:
                reply.close()

    def _connected(self) -> Docker:
        if self._docker is None:
            host, tls = self.address.host, self.address.tls()
            if tls is not None:
                host = "https://" + host.partition("://")[2]
            try:
                self._docker = Docker(url=host, ssl_context=tls)
            except ValueError as error:
                raise unavailable("connect", f"{host} is no address of an engine") from error
        return self._docker
