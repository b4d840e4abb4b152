"""Reads what a container wrote: the engine's frames of standard output and error, as lines."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator

import aiohttp

from bot.engines.lines import LineCutter

HEAD_BYTES = 8


async def written_lines(reply: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The lines of a log stream without a terminal, both outputs in the order they arrive.

    Source: https://docs.docker.com/reference/api/engine/#tag/Container/operation/ContainerAttach (Stream format)
    """
    cutters: dict[int, LineCutter] = {}
    kind, left, head = 0, 0, bytearray()
    async for data in reply.content.iter_any():
        at = 0
        while at < len(data):
            if left == 0:
                take = HEAD_BYTES - len(head)
                head += data[at : at + take]
                at += take
                if len(head) == HEAD_BYTES:
                    kind, left = struct.unpack(">BxxxL", head)
                    head.clear()
                continue
            part = data[at : at + left]
            at, left = at + len(part), left - len(part)
            for line in cutters.setdefault(kind, LineCutter()).feed(part):
                yield line
    for cutter in cutters.values():
        for line in cutter.rest():
            yield line
