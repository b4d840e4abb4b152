"""A GitHub to talk to, and the app's key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.github.api import GitHub, open_github
from bot.github.client.client import Client
from bot.github.client.patience import Patience
from bot.github.permissions import REPORT
from bot.masking import Masker
from bot.model import Repository
from tests.github.answering import AnsweringGitHub

PATIENCE = Patience(tries=3, first_pause_s=0.001, longest_pause_s=0.002, longest_wait_s=2.0)
INSTALLATION = 42
REPOSITORY = Repository(7, "acme/api")


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def pem(private_key: rsa.RSAPrivateKey) -> str:
    return private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def masker() -> Masker:
    return Masker()


@pytest.fixture
async def answering() -> AsyncIterator[AnsweringGitHub]:
    async with AnsweringGitHub().running() as server:
        yield server


@pytest.fixture
async def github(answering: AnsweringGitHub, pem: str, masker: Masker) -> AsyncIterator[GitHub]:
    async with open_github("123", pem, masker.register, api_url=answering.url, patience=PATIENCE) as opened:
        yield opened


@pytest.fixture
def client(github: GitHub) -> Client:
    return github.repository(INSTALLATION, REPOSITORY, REPORT)
