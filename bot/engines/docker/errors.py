"""What the Docker engine's answers mean: the one place that turns them into the house's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiodocker.exceptions import DockerError

from bot.errors import Permanent, Transient

NO_CONNECTION = 900
"""The status aiodocker gives to an engine that cannot be reached."""
_PASSING = frozenset({429, 502, 503, 504, NO_CONNECTION})
_LONGEST_MESSAGE = 600


class EngineRefusal(Permanent):
    """The engine said no: `status` is HTTP's (0 for an error inside a stream), `message` the engine's sentence."""

    def __init__(self, doing: str, status: int, message: str) -> None:
        self.status = status
        self.message = message.strip()[:_LONGEST_MESSAGE]
        super().__init__("engine_refused", doing=doing, status=status, message=self.message)


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Raise EngineRefusal for what the engine refuses, Transient("engine_unavailable") where it does not answer."""
    try:
        yield
    except DockerError as error:
        if error.status in _PASSING:
            raise unavailable(doing, error.message) from error
        raise EngineRefusal(doing, error.status, error.message) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise unavailable(doing, str(error) or type(error).__name__) from error


def unavailable(doing: str, why: str) -> Transient:
    """The engine cannot be reached, or hung up."""
    return Transient("engine_unavailable", doing=doing, message=why[:_LONGEST_MESSAGE])
