"""Where images go, and how an engine is told to sign in there."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """Where images go: `prefix` is `host[:port][/path]`; without a user the registry is asked anonymously."""

    prefix: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """`host[:port]` of the registry."""
        return self.prefix.partition("/")[0]

    def header(self) -> dict[str, str]:
        """How the engine is told to sign in. https://docs.docker.com/reference/api/engine/#section/Authentication"""
        said: dict[str, str] = {}
        if self.username is not None:
            said = {"username": self.username, "password": self.password or "", "serveraddress": self.host}
        return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(said).encode()).decode()}
