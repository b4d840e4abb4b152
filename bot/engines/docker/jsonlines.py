"""Reads the engine's streams of JSON objects, one after the other, and notices when one is cut off."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from bot.engines.docker.errors import EngineRefusal, unavailable

LARGEST_OBJECT_BYTES = 64 * 1024 * 1024


async def json_lines(content: aiohttp.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """Each object of the stream, which ends lines with CR LF or LF, or nothing after the last one.

    Raises EngineRefusal for an error the engine reports in the stream, Transient when the stream is cut.
    """
    rest = b""
    async for data in content.iter_any():
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            if line.strip():
                yield _read(line)
        if len(rest) > LARGEST_OBJECT_BYTES:
            raise unavailable("read a stream", "an object in the stream has no end")
    if rest.strip():
        yield _read(rest)


def _read(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise unavailable("read a stream", "the stream was cut off") from error
    if not isinstance(value, dict):
        raise unavailable("read a stream", "the stream holds something else than objects")
    if "error" in value or "errorDetail" in value:
        detail = value.get("errorDetail")
        told = detail.get("message") if isinstance(detail, dict) else None
        raise EngineRefusal("stream", 0, str(told or value.get("error") or "an error without words"))
    return value
