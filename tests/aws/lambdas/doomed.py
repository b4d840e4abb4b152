"""A part of a Lambda that ends its process after so many steps, as a time limit or a lost machine does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Death(BaseException):
    """The process is gone: nothing catches it."""


@dataclass
class Fate:
    """Counts the steps of all its parts; the last one is carried out, and nobody hears of it."""

    last_step: int
    steps: int = 0

    def doom(self, part: Any) -> Any:
        """The part, or the function, every call of which is a step."""
        return _Doomed(part, self)

    async def step(self, call: Any, *given: Any) -> Any:
        """Carry one out."""
        done = await call(*given)
        self.steps += 1
        if self.steps == self.last_step:
            raise Death
        return done


@dataclass
class _Doomed:
    part: Any
    fate: Fate

    async def __call__(self, *given: Any) -> Any:
        return await self.fate.step(self.part, *given)

    def __getattr__(self, name: str) -> Any:
        return _Doomed(getattr(self.part, name), self.fate)
