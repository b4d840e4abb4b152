"""Stands where no registry is set: an image stays on the engine that built it, named by its content."""

from __future__ import annotations

from bot.ports.images import BuiltImage, LogSink, PushedImage


class LocalRegistry:
    """A `ports.Registry` that pushes nothing."""

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """Answer the engine's own image id, `sha256:…`."""
        return PushedImage(image.id, repository, pushed=False)
