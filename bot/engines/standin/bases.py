"""Makes base images from this machine's own files, for builds where none can be pulled."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.engines.docker.api import EngineApi
from bot.engines.docker.images import image_details
from bot.engines.docker.tar import MEDIA_TYPE, tar_stream
from bot.engines.standin import nginx, node, python
from bot.engines.standin.tree import ImageTree
from bot.errors import Transient, UserMistake

REPOSITORY = "shipmate-base"
"""What was made here is found again under this name."""
LAYOUT = 1
"""Grows when what an image holds is decided anew: images made before are made again."""
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of base is found, gathered, and set up."""

    find: Callable[[], Any]
    gather: Callable[[Any], ImageTree]
    changes: tuple[str, ...]


_KINDS = {
    "python": _Kind(
        python.interpreter,
        python.gather_python,
        (f"ENV {_PATH} LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", 'CMD ["python3"]'),
    ),
    "node": _Kind(node.node, node.gather_node, (f"ENV {_PATH}", 'CMD ["node"]')),
    "nginx": _Kind(nginx.nginx, nginx.gather_nginx, (f"ENV {_PATH}", 'CMD ["nginx", "-g", "daemon off;"]')),
}


async def local_version(kind: str) -> str:
    """The version this machine has of `python`, `node` or `nginx`, such as `3.11.7`.

    Raises Permanent("standin_missing", program) where it has none.
    """
    return str((await asyncio.to_thread(_kind(kind).find)).version)


async def make_base(api: EngineApi, kind: str, names: Sequence[str], *, keep: bool = True) -> str:
    """Give the engine a base image of this kind under these names (`registry/python:3.11-slim`); answers its id.

    It holds what this machine has, whatever version the names say: ask `local_version` first. One made before of the
    same program is found again; without `keep` this one has no name but those, and goes with them.
    Raises Permanent("standin_missing", program), Transient("engine_unavailable").
    """
    chosen = _kind(kind)
    found = await asyncio.to_thread(chosen.find)
    own_name = f"{REPOSITORY}/{kind}:{_key(kind, found.program, found.version)}"
    details = await image_details(api, own_name)
    if details is None:
        tree = await asyncio.to_thread(chosen.gather, found)
        image_id = await _imported(api, tree, chosen.changes)
    else:
        image_id = str(details["Id"])
    for name in (own_name, *names) if keep else names:
        await _tag(api, image_id, name)
    return image_id


async def _tag(api: EngineApi, image_id: str, name: str) -> None:
    repository, _, tag = name.rpartition(":")
    await api.ask("POST", f"images/{image_id}/tag", params={"repo": repository, "tag": tag})


def _kind(kind: str) -> _Kind:
    if kind not in _KINDS:
        raise UserMistake("unknown_base", kind=kind, known=sorted(_KINDS))
    return _KINDS[kind]


def _key(kind: str, program: Path, version: str) -> str:
    """Names what an image holds: the same program, unchanged on this machine, gathered in the same way."""
    status = program.stat()
    parts = [LAYOUT, kind, str(program), version, status.st_size, status.st_mtime_ns]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


async def _imported(api: EngineApi, tree: ImageTree, changes: Sequence[str]) -> str:
    """`docker import`: https://docs.docker.com/reference/api/engine/#tag/Image/operation/ImageCreate"""
    params = {"fromSrc": "-", "changes": "\n".join(changes)}
    data, image_id = tar_stream(tree.members()), ""
    headers = {"Content-Type": MEDIA_TYPE}
    async with api.events("POST", "images/create", params=params, data=data, headers=headers) as events:
        async for event in events:
            image_id = str(event.get("status", ""))
    if not image_id.startswith("sha256:"):
        raise Transient("engine_unavailable", doing="import", message="the import ended without an image")
    return image_id
