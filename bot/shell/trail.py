"""What is done in the shell stands in the audit trail, by the name of the account it is done under."""

from __future__ import annotations

import os
import pwd

from bot.audit import AuditEntry, masked
from bot.clock import utc_now
from bot.masking import Masker
from bot.store.audit import Audit


async def told(trail: Audit, command: str, raw: str = "", repository: str = "") -> None:
    """Something was done. `raw` holds no secret that is known; what looks like one is taken out."""
    entry = AuditEntry(account(), "shell", command, "acted", command.replace(" ", "_"), repository, raw)
    await trail.add(masked(entry, Masker().mask_value), utc_now())


def account() -> str:
    """The account's name; its number where it has none, as in many containers."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
