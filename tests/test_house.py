"""What a process knows to be secret from the moment it is open."""

from __future__ import annotations

from pathlib import Path

from bot.composition.house import open_house
from bot.config import from_environment
from bot.masking import MASK, Masker
from bot.sandbox.github.simulator import GitHubSandbox

GIVEN = {
    "SHIPMATE_ENGINE": "process",
    "SHIPMATE_REGISTRY": "registry.example/acme",
    "SHIPMATE_REGISTRY_USER": "shipmate",
    "SHIPMATE_REGISTRY_PASSWORD": "open sesame, registry",
    "SHIPMATE_SECRET_KEY": "k" * 32,
}


async def test_no_secret_of_the_settings_can_be_shown_by_an_open_house(tmp_path: Path) -> None:
    github, masker = GitHubSandbox(tmp_path / "github"), Masker()
    await github.start()
    try:
        here = {"DATABASE_URL": f"sqlite:///{tmp_path}/shipmate.db", "SHIPMATE_WORKDIR": str(tmp_path / "work")}
        settings = from_environment({**github.environment(), **GIVEN, **here})
        async with open_house(settings, masker):
            known = (GIVEN["SHIPMATE_REGISTRY_PASSWORD"], GIVEN["SHIPMATE_SECRET_KEY"], github.webhook_secret)
            assert [masker.mask(secret) for secret in known] == [MASK] * len(known)
    finally:
        await github.stop()
