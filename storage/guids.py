"""How a delivery's guid stands in a row: a UUID as its 16 bytes, any other text as it is."""

from __future__ import annotations

import re
import uuid

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
Guid = str | bytes


def packed(guid: str) -> Guid:
    """A UUID as its 16 bytes, which keeps the index small."""
    return bytes.fromhex(guid.replace("-", "")) if CANONICAL_UUID.fullmatch(guid) else guid


def unpacked(guid: Guid) -> str:
    """What `packed` was given."""
    return guid if isinstance(guid, str) else str(uuid.UUID(bytes=guid))
