"""Keeps what all clients to AWS read of the same files, read once in a process: its models, trusted certificates."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession


def share_models(session: AioSession) -> None:
    """Have the session's clients take AWS's models from those read before: anew they take a second, and megabytes."""
    session.register_component("data_loader", _models())


class SharedTrust(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore has no types
    """The HTTP side of a client, over TLS contexts that clients share where nothing in them is the client's own.

    To read the authorities' certificates takes longer than to make the rest of a client.
    """

    def _build_ssl_contexts(self, proxy_url: str | None) -> tuple[ssl.SSLContext, ssl.SSLContext | None]:
        """The context for AWS, and one for a proxy; with a client's certificate or a proxy they are its own."""
        if proxy_url or self._cert_file:
            own: tuple[ssl.SSLContext, ssl.SSLContext | None] = super()._build_ssl_contexts(proxy_url)
            return own
        return _context(self._verify), None


@cache
def _models() -> Any:
    return AioSession().get_component("data_loader")


@cache
def _context(verify: bool | str) -> ssl.SSLContext:
    """`verify`: a file or folder of authorities to trust; True for those that botocore brings, False for no check."""
    made: ssl.SSLContext = AIOHTTPSession(verify=verify)._build_verify_context()
    return made
