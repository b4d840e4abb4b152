"""Finds the values of a query's fields, for those who may see them."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.github.git import GitFailed
from bot.sandbox.github.model import Repository, World, node_id
from bot.sandbox.github.tokens import Identity

TEXT_BYTES = 512_000
"""A longer text is cut, and says so."""
LOOKED_AT_BYTES = 8_000
"""Where git looks for a zero byte to tell a binary file."""


class Refusal(Exception):
    """What GitHub answers in `errors`, with its type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Asking:
    """Who asks, of which world."""

    world: World
    identity: Identity


@dataclass(frozen=True)
class Seen:
    """A repository that may be seen."""

    repository: Repository
    readable: bool

    @property
    def fields(self) -> dict[str, Any]:
        """Its plain fields."""
        one = self.repository
        said = {"databaseId": one.id, "id": node_id("R", one.id), "isPrivate": one.private, "name": one.name}
        return said | {"nameWithOwner": one.full_name, "url": f"https://github.com/{one.full_name}"}


@dataclass(frozen=True)
class Object:
    """One object of git's."""

    of: Seen
    oid: str
    kind: str
    data: bytes

    @property
    def type_name(self) -> str:
        """Its type in the schema."""
        return self.kind.capitalize()

    @property
    def fields(self) -> dict[str, Any]:
        """Its fields; a text only where it is one."""
        binary = b"\0" in self.data[:LOOKED_AT_BYTES]
        text = None if binary else self.data[:TEXT_BYTES].decode("utf-8", "replace")
        said: dict[str, Any] = {"oid": self.oid, "abbreviatedOid": self.oid[:7]}
        said |= {"id": node_id("OBJ", int(self.oid[:8], 16))}
        said |= {"repository": self.of, "byteSize": len(self.data), "isBinary": binary, "text": text}
        return said | {"isTruncated": not binary and len(self.data) > TEXT_BYTES}


def resolver_of(source: Any, info: Any, **arguments: Any) -> Any:
    """The value of one field."""
    name, asking = info.field_name, info.context
    if source is None:
        return _seen(asking, **arguments) if name == "repository" else None
    if name == "object" and isinstance(source, Seen):
        return _object(source, arguments.get("expression") or arguments.get("oid") or "")
    return source.fields[name]


def _seen(asking: Asking, *, owner: str, name: str, **_: Any) -> Seen:
    """Raises Refusal for what is not there, and for what must not be seen."""
    found, identity = asking.world.repository(f"{owner}/{name}"), asking.identity
    if found is None or not identity.sees(found):
        raise Refusal("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    by_grant = identity.covers(found) and identity.has("contents", "read")
    return Seen(found, by_grant if identity.installation and found.private else True)


async def _object(seen: Seen, expression: str) -> Object | None:
    """What a revision expression names, None for nothing. Raises Refusal without the permission to read contents."""
    if not seen.readable:
        raise Refusal("FORBIDDEN", "Resource not accessible by integration")
    if not expression or "\n" in expression:
        return None
    try:
        answer = await seen.repository.git.run("cat-file", "--batch", stdin=f"{expression}\n".encode())
    except GitFailed:
        return None
    head, _, content = answer.partition(b"\n")
    words = head.decode(errors="replace").split(" ")
    if len(words) != 3 or not words[2].isdigit():
        return None
    return Object(seen, words[0], words[1], content[: int(words[2])])
