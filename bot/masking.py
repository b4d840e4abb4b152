"""Secrets are masked before anything is stored or sent: the values registered, and their base64 and URL forms."""

from __future__ import annotations

import base64
import logging
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
TOKENS_KEPT = 200
SHORTEST = 4
"""Values shorter than this are not masked: they would blot out ordinary text."""

_TOKEN_SHAPES = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9_]{16,}|github_pat_[A-Za-z0-9_]{22,}|xox[abeprs]-[A-Za-z0-9-]{10,}"
    r"|xapp-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|smk_[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


class Masker:
    """Knows the secrets of this process. `mask` looks for each form by itself, the longest first.

    One pattern of all of them would be compiled anew with every token that is minted, and tried at every character:
    a tenth of a second each time. Looking for a thousand forms in a line takes a ten thousandth.

    Tokens are short-lived and many: only the newest are kept, in all their forms. An older one is still known by its
    shape, so a server that runs for months does not grow.
    """

    def __init__(self, tokens_kept: int = TOKENS_KEPT) -> None:
        self._lasting: dict[str, frozenset[str]] = {}
        self._tokens: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._tokens_kept = tokens_kept
        self._ordered: Sequence[str] | None = None

    def register(self, secret: str) -> None:
        """Mask this value from now on, in its plain, base64 and URL-quoted forms, and each line of it."""
        if secret in self._lasting or secret in self._tokens:
            return
        if _TOKEN_SHAPES.fullmatch(secret):
            self.register_passing(secret)
        else:
            self._lasting[secret] = _masked_forms(secret)
            self._ordered = None

    def register_passing(self, secret: str) -> None:
        """The same for one that holds an hour and is followed by another, as a session's keys: the newest are kept."""
        if secret in self._lasting or secret in self._tokens:
            return
        self._tokens[secret] = _masked_forms(secret)
        while len(self._tokens) > self._tokens_kept:
            self._tokens.popitem(last=False)
        self._ordered = None

    def mask(self, text: str) -> str:
        """The text with every known secret, and whatever has the shape of a token, replaced."""
        if self._ordered is None:
            known = frozenset().union(*self._lasting.values(), *self._tokens.values())
            self._ordered = sorted(known, key=len, reverse=True)
        for form in self._ordered:
            if form in text:
                text = text.replace(form, MASK)
        return _TOKEN_SHAPES.sub(MASK, _PEM.sub(MASK, text))

    def mask_value(self, value: Any) -> Any:
        """The same for plain JSON, keys left alone."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {key: self.mask_value(item) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [self.mask_value(item) for item in value]
        return value


class MaskingFilter(logging.Filter):
    """Masks every log record's text, so that no handler can write a secret."""

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self._masker = masker

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._masker.mask(record.getMessage())
        record.args = None
        return True


def _masked_forms(secret: str) -> frozenset[str]:
    return frozenset(form for form in _forms(secret) if len(form) >= SHORTEST)


def _forms(secret: str) -> set[str]:
    """The plain value, each of its lines, and how base64 and URLs would show it.

    Base64 of a secret inside a longer text depends on where it starts, so the three alignments are kept, each
    without the characters its neighbours would change.
    """
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= 2 * SHORTEST]
    forms = {secret, secret.strip(), quote(secret, safe=""), quote_plus(secret), *lines}
    raw = secret.encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        start, end = (0, 2, 3)[offset], len(encoded) - (0, 3, 2)[(len(raw) + offset) % 3]
        core = encoded[start:end].decode()
        if len(core) >= 2 * SHORTEST:
            forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms
