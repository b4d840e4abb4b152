"""Decides which addresses may be cloned: anything from a shell, on a server only public hosts and trusted ones.

A server that clones what it is told must not be talked into reading its own disk or its own network: only https, no
credentials in the address, no redirects, and a host all of whose addresses are public. The address found here is the
one git connects to, so that a name cannot point elsewhere a moment later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, urlsplit, urlunsplit

from bot.errors import Refused, Transient

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SCP_LIKE = re.compile(r"[\w.-]+@[\w.-]+:(?!//)")
_KNOWN = ("file", "git", "http", "https", "ssh")
"""What git is let speak from a shell."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to clone from. `settings` are git's own, given through its environment; `shown` holds no password.

    `way_out` is what git needs of the environment to get there: a proxy's address, and what does not go through it.
    """

    url: str
    shown: str
    settings: tuple[tuple[str, str], ...] = ()
    protocols: str = "https"
    way_out: Mapping[str, str] = field(default_factory=dict, repr=False)


def is_url(target: str) -> bool:
    """Whether a target is an address rather than a folder."""
    return bool(_SCHEME.match(target) or _SCP_LIKE.match(target))


def check_address(
    url: str,
    *,
    allow_local: bool,
    trusted: frozenset[str] = frozenset(),
    way_out: Mapping[str, str] | None = None,
) -> Address:
    """The address, if it may be cloned.

    `allow_local` lets every address through that git has a way to (a person at their own shell). `trusted` holds
    origins (`scheme://host:port`) the server's settings name, such as its GitHub, wherever they are. `way_out` is the
    environment git is given to reach it through a proxy, which then looks its name up itself. Raises
    Refused("address_not_allowed") or Transient("host_unreachable").
    """
    return replace(_checked(url, allow_local=allow_local, trusted=trusted), way_out=way_out or {})


def _checked(url: str, *, allow_local: bool, trusted: frozenset[str]) -> Address:
    shown = without_password(url)
    parts = _split(url, shown)
    if allow_local:
        if _SCHEME.match(url) and parts.scheme not in _KNOWN:
            raise Refused("address_not_allowed", target=shown)
        return Address(url, shown, protocols=":".join(_KNOWN))
    if f"{parts.scheme}://{parts.netloc}" in trusted:
        return Address(url, shown, _NO_REDIRECT, parts.scheme)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise Refused("address_not_allowed", target=shown)
    port = parts.port or 443
    address = _public_address(parts.hostname, port, shown)
    pinned = ("http.curloptResolve", f"{parts.hostname}:{port}:{address}")
    return Address(url, shown, (*_NO_REDIRECT, pinned))


_NO_REDIRECT = (("http.followRedirects", "false"),)


def without_password(url: str) -> str:
    """The address as it may be shown and stored."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "that address"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if _SCHEME.match(url) else url


def _split(url: str, shown: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError as error:
        raise Refused("address_not_allowed", target=shown) from error
    return parts


def _public_address(host: str, port: int, shown: str) -> str:
    """One address of a host, all of whose addresses are public."""
    try:
        found = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise Transient("host_unreachable", target=shown) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise Refused("address_not_allowed", target=shown)
    return f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]


def is_public(address: str) -> bool:
    """Whether an address belongs to the internet at large; IPv4 inside IPv6 is judged by what it stands for."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo or (None, None))[1] or _nat64(parsed)
        parsed = inner or parsed
    return parsed.is_global and not parsed.is_multicast


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address behind the well-known translation prefix 64:ff9b::/96 (RFC 6052)."""
    prefix = int(ipaddress.IPv6Address("64:ff9b::")) >> 32
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if int(address) >> 32 == prefix else None
