"""Only who knows the secret gets in."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from bot.errors import Forged
from bot.github.hooks.signature import require_signature

BODY = b"Hello, World!"
SECRET = b"It's a Secret to Everybody"
DOCUMENTED = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
"""https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation"""


def test_the_signature_github_documents_is_accepted() -> None:
    require_signature(BODY, DOCUMENTED, [SECRET])


@pytest.mark.parametrize("secrets", [[b"new", SECRET], [SECRET, b"old"], [b"", SECRET]])
def test_while_secrets_rotate_either_one_is_accepted(secrets: list[bytes]) -> None:
    require_signature(BODY, DOCUMENTED, secrets)


def test_a_body_changed_by_one_byte_is_forged() -> None:
    with pytest.raises(Forged, match="signature_mismatch"):
        require_signature(BODY + b" ", DOCUMENTED, [SECRET])


def test_an_unsigned_body_is_forged() -> None:
    with pytest.raises(Forged, match="signature_missing"):
        require_signature(BODY, None, [SECRET])


def test_a_sha1_signature_is_forged_even_when_it_is_right() -> None:
    sha1 = hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()
    with pytest.raises(Forged, match="signature_not_sha256"):
        require_signature(BODY, f"sha1={sha1}", [SECRET])


@pytest.mark.parametrize("secrets", [[], [b""]])
def test_no_secret_lets_nobody_in(secrets: list[bytes]) -> None:
    signed_with_nothing = "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    with pytest.raises(Forged):
        require_signature(BODY, signed_with_nothing, secrets)


@pytest.mark.parametrize(
    "header", ["", "sha256", "sha256=", "sha256=é", "sha256=\udcff", DOCUMENTED.upper(), DOCUMENTED + "0"]
)
def test_a_strange_header_is_forged(header: str) -> None:
    with pytest.raises(Forged):
        require_signature(BODY, header, [SECRET])
