"""Registers the one GitHub App of a simulated GitHub: its key, its secrets, what it may do and is told."""

import functools
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox.github.model import Account, App

PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "deployments": "write",
    "issues": "write",
    "members": "read",
    "merge_queues": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "read",
}
"""What the app may do unless told otherwise; the manifest of the app under test may say something else."""
EVENTS = ["check_run", "check_suite", "create", "delete", "issue_comment", "merge_group", "pull_request", "push"]
EVENTS += ["repository"]
"""What the app is told unless told otherwise, apart from what every app is told."""
KEY_BITS = 2048


def new_app(webhook_secret: str, permissions: dict[str, str], events: list[str]) -> App:
    """The app, with secrets of its own."""
    private, public = _keys()
    return App(
        id=1001,
        slug="shipmate",
        name="Shipmate",
        owner=Account(11, "harbour", "Organization"),
        bot=Account(12, "shipmate[bot]", "Bot"),
        client_id="Iv23li" + secrets.token_hex(7),
        client_secret=secrets.token_hex(20),
        private_key_pem=private,
        public_key_pem=public,
        webhook_secret=webhook_secret,
        permissions=permissions,
        events=events,
        created_at=1_767_225_600.0,
    )


def other_app() -> App:
    """An app of somebody else's that reports on commits; it cannot be asked anything."""
    return App(
        id=15368,
        slug="github-actions",
        name="GitHub Actions",
        owner=Account(9919, "github", "Organization"),
        bot=Account(41898282, "github-actions[bot]", "Bot"),
        client_id="Iv1.05c79e9ad1f6bdfa",
        client_secret="",
        private_key_pem="",
        public_key_pem="",
        webhook_secret="",
        permissions={"checks": "write"},
        events=[],
        created_at=1_532_920_000.0,
    )


@functools.cache
def _keys() -> tuple[str, str]:
    """Private and public key of the app, as PEM; made once per process, because that takes time."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
