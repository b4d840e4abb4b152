"""The way out of a machine that reaches the internet through a proxy: which addresses take it, what git is told.

The settings are those of every program: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals or not.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
HERE = ("localhost", "127.0.0.1", "::1")
"""How this machine calls itself: what listens here is asked directly."""


def through_proxy(url: str) -> bool:
    """Whether an address is asked through the proxy that the environment names, if any: never this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host not in HERE


def for_git(env: Mapping[str, str]) -> Mapping[str, str]:
    """What git needs of the environment to take the same way. https://git-scm.com/docs/git-config (http.proxy)

    In small letters: curl does not heed HTTP_PROXY (https://curl.se/docs/manpage.html#-x).
    """
    found = {name.lower(): env.get(name.lower()) or env.get(name) or "" for name in NAMES}
    if not (found["http_proxy"] or found["https_proxy"]):
        return {}
    found["no_proxy"] = ",".join(filter(None, (found["no_proxy"], *HERE)))
    return {name: value for name, value in found.items() if value}
