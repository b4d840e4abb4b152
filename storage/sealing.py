"""Seals values with a key from the environment, each bound to its place, so that no row can stand in for another."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bot.errors import Permanent, Refused

SALT = b"shipmate secrets v1"
NONCE_BYTES = 12


class Sealer:
    """AES-256-GCM under keys derived from `secret_key`.

    While rotating, `secret_key` holds several keys with commas between: the first seals, any opens. They are derived
    with scrypt, so that a passphrase is as usable as random bytes, and at the first use, because that takes a moment.
    """

    def __init__(self, secret_key: bytes | None) -> None:
        self._given = [part.strip() for part in (secret_key or b"").split(b",") if part.strip()]
        self._derived: list[AESGCM] = []

    def seal(self, value: str, place: str) -> bytes:
        """The value, sealed for this place. Raises Refused("secret_key_missing")."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._keys()[0].encrypt(nonce, value.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """The value sealed for this place. Raises Refused("secret_key_missing") or Permanent("secret_sealed")."""
        for key in self._keys():
            try:
                return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode()).decode()
            except InvalidTag:
                continue
        raise Permanent("secret_sealed", place=place.replace("\0", " "))

    def _keys(self) -> list[AESGCM]:
        if not self._given:
            raise Refused("secret_key_missing")
        if not self._derived:
            self._derived = [AESGCM(_derive(key)) for key in self._given]
        return self._derived


def _derive(key: bytes) -> bytes:
    return Scrypt(salt=SALT, length=32, n=2**14, r=8, p=1).derive(key)
