"""Settings of the Lambdas: the one place where they read the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from aws.clients import AwsAccess
from bot.errors import UserMistake

LOCALES = ("en", "ko")


@dataclass(frozen=True, slots=True)
class LambdaSettings:
    """What the handlers are told. Each needs `deployments`; only the one that works needs the rest."""

    deployments: str
    region: str | None = None
    installations: str = ""
    locale: str = "en"
    app_id: str = ""
    key_secret: str = ""
    """Names the secret in Secrets Manager that holds the app's PEM."""
    api_url: str = "https://api.github.com"
    url: str = "https://github.com"
    owner: str = "shipmate"
    """Marks what is made: the same as the server's."""
    registry_host: str | None = None
    base_registry: str = ""
    """A mirror of the official base images."""


def access(settings: LambdaSettings) -> AwsAccess:
    """The account and region the function runs in, with the keys of its role."""
    return AwsAccess(settings.region)


def from_environment(env: Mapping[str, str] | None = None, *needed: str) -> LambdaSettings:
    """Read the settings. Raises UserMistake("bad_setting") for one of the `needed` that is missing."""
    source = os.environ if env is None else env
    for name in ("SHIPMATE_DEPLOYMENTS_TABLE", *needed):
        if not source.get(name):
            raise UserMistake("bad_setting", name=name, sentence="is not set")
    locale = source.get("SHIPMATE_LOCALE") or "en"
    return LambdaSettings(
        deployments=source["SHIPMATE_DEPLOYMENTS_TABLE"],
        region=source.get("AWS_REGION") or None,
        installations=source.get("SHIPMATE_INSTALLATIONS_TABLE", ""),
        locale=locale if locale in LOCALES else "en",
        app_id=source.get("GITHUB_APP_ID", ""),
        key_secret=source.get("GITHUB_PRIVATE_KEY_SECRET", ""),
        api_url=(source.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
        url=(source.get("GITHUB_URL") or "https://github.com").rstrip("/"),
        owner=source.get("SHIPMATE_OWNER") or "shipmate",
        registry_host=source.get("SHIPMATE_ECR_HOST") or None,
        base_registry=source.get("SHIPMATE_BASE_REGISTRY", ""),
    )
