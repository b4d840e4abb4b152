"""What a client signs its requests with: something that yields a token now, and takes one back that was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

RegisterSecret = Callable[[str], None]
"""Takes a secret that must be masked from now on; `Masker.register` is one."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its end, aware and UTC. The value is in neither repr nor str."""

    value: str = field(repr=False)
    expires_at: datetime


class Credential(Protocol):
    """Where a client's tokens come from."""

    @property
    def bearer(self) -> bool:
        """Whether the token goes out as `bearer` (a JWT) or as `token`."""

    async def current(self) -> Token:
        """A token that is good for the next minute. Raises Transient or Permanent when none can be had."""

    def refuse(self, token: Token, skew_s: float) -> None:
        """GitHub answered 401 to it: the next `current` brings another. `skew_s`: GitHub's clock minus ours."""
