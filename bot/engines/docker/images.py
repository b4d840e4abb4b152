"""Brings images to the engine and takes them away again."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from bot.engines.docker.access import RegistryAccess
from bot.engines.docker.api import EngineApi
from bot.engines.docker.errors import EngineRefusal
from bot.engines.labels import BUILDER
from bot.errors import Permanent, ShipmateError

_LOCAL_ID = re.compile(r"\Asha256:[0-9a-f]{64}\Z")
ASK_WITHIN_S = 5.0
NOT_THERE, IN_THE_WAY = 404, 409


async def image_details(api: EngineApi, image: str) -> dict[str, Any] | None:
    """All the engine knows of an image, by id, tag or digest; None when it is not here."""
    try:
        details: dict[str, Any] = await api.ask("GET", f"images/{quote(image, safe='/:@')}/json")
    except EngineRefusal as refusal:
        if refusal.status == NOT_THERE:
            return None
        raise
    return details


async def can_pull(api: EngineApi, image: str, within_s: float = ASK_WITHIN_S) -> bool:
    """Whether the image is here, or its registry answers for it within `within_s` seconds. Downloads nothing."""
    if await image_details(api, image) is not None:
        return True
    try:
        await api.ask("GET", f"distribution/{quote(image, safe='/:@')}/json", within_s=within_s)
    except ShipmateError:
        return False
    return True


async def pull_image(api: EngineApi, image: str, access: RegistryAccess | None = None) -> None:
    """Pull from the image's registry. Raises Permanent("image_gone", image) when it has none, or has it no more."""
    if _LOCAL_ID.match(image):
        raise Permanent("image_gone", image=image)
    name, version = _split(image)
    params = {"fromImage": name, "tag": version}
    headers = access.header() if access is not None and image.startswith(f"{access.host}/") else None
    try:
        async with api.events("POST", "images/create", params=params, headers=headers) as events:
            async for _ in events:
                pass
    except EngineRefusal as refusal:
        raise Permanent("image_gone", image=image, message=refusal.message) from refusal


def _split(image: str) -> tuple[str, str]:
    """The name, and the digest or tag behind it; a colon before a slash belongs to the registry's port."""
    name, mark, version = image.rpartition("@" if "@" in image else ":")
    return (name, version) if mark and "/" not in version else (image, "latest")


async def forget_image(api: EngineApi, image: str) -> None:
    """Remove an image with all its tags, unless a container was made from it. Repeatable."""
    details = await image_details(api, image)
    if details is None:
        return
    filters = json.dumps({"ancestor": [details["Id"]]})
    if await api.ask("GET", "containers/json", params={"all": True, "filters": filters}):
        return
    await _delete(api, details["Id"], force=True)


async def forget_images_of(api: EngineApi, owner: str) -> None:
    """Remove all that an installation built, unless a container was made from it. Repeatable.

    https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image/operation/ImageList
    """
    for image in await _listed(api, label=f"{BUILDER}={owner}"):
        await forget_image(api, image["Id"])


async def forget_names_under(api: EngineApi, registry: str) -> None:
    """Take away the names `REGISTRY/…`, and with the last name of an image the image. Repeatable."""
    for image in await _listed(api, reference=f"{registry}/*"):
        for name in image["RepoTags"]:
            if name.startswith(f"{registry}/"):
                await _delete(api, name, force=False)


async def _listed(api: EngineApi, **filters: str) -> list[dict[str, Any]]:
    asked = json.dumps({name: [value] for name, value in filters.items()})
    found: list[dict[str, Any]] = await api.ask("GET", "images/json", params={"filters": asked})
    return found


async def _delete(api: EngineApi, image: str, *, force: bool) -> None:
    """One that is gone already, or that something was made from, is left."""
    try:
        await api.ask("DELETE", f"images/{quote(image, safe='/:@')}", params={"force": force})
    except EngineRefusal as refusal:
        if refusal.status not in (NOT_THERE, IN_THE_WAY):
            raise
