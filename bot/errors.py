"""The one tree of errors: what went wrong, as a stable code and the facts a reply needs; `messages.py` words it."""

from __future__ import annotations

from typing import Any


class ShipmateError(Exception):
    """A known failure. `code` is stable and public; `facts` are plain JSON values, free of secrets."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts: dict[str, Any] = facts

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code} ({told})" if told else self.code


class Forged(ShipmateError):
    """A request whose signature does not hold: answered 401 and nothing else."""


class Unreadable(ShipmateError):
    """A verified request that cannot be understood: answered 400."""


class UserMistake(ShipmateError):
    """Someone asked in a way that cannot be read: answered with the usage."""


class Refused(ShipmateError):
    """Understood, and not allowed: answered with the reason, its holder and what to do next."""


class Transient(ShipmateError):
    """May succeed when tried again, after `retry_after_s` seconds where the other side named a time."""

    def __init__(self, code: str, *, retry_after_s: float | None = None, **facts: Any) -> None:
        super().__init__(code, **facts)
        self.retry_after_s = retry_after_s


class Permanent(ShipmateError):
    """Will not succeed by trying again: the job fails and says so."""


class LeaseLost(ShipmateError):
    """Another worker owns the job now: this one must stop and write nothing more."""


def told_by(error: OSError) -> str:
    """What the machine refused, and of which file where it names one: `Permission denied: /data/s.db.`"""
    return ": ".join(str(part) for part in (error.strerror or error, error.filename) if part) + "."
