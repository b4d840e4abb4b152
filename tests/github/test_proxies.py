"""Where the internet is behind a proxy, everything goes out by it, and nothing of this machine does."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.github.api import open_github
from bot.github.permissions import REPORT
from bot.masking import Masker
from bot.process.proxies import for_git, through_proxy
from bot.slack.api.client import open_slack
from tests.github.answering import Answer, AnsweringGitHub
from tests.github.conftest import INSTALLATION, PATIENCE, REPOSITORY
from tests.world import new_world

NOBODY = "http://127.0.0.1:1"


async def test_github_is_asked_through_the_proxy_that_the_environment_names(
    answering: AnsweringGitHub, pem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", answering.url)
    answering.answers = [Answer(200, {"id": 7})]
    api_url = "http://github.invalid"
    async with open_github("123", pem, Masker().register, api_url=api_url, patience=PATIENCE) as github:
        client = github.repository(INSTALLATION, REPOSITORY, REPORT)
        assert await client.call("GET /repos/{owner}/{repo}", lambda data: int(data["id"])) == 7
    [asked] = answering.asked
    assert asked.headers["Host"] == "github.invalid"


async def test_a_server_on_this_machine_is_asked_directly_whatever_proxy_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    async with new_world(HTTP_PROXY=NOBODY) as world:
        await world.push("one")
        await world.settle()
        assert await world.states() == ["COMPLETED"]


@pytest.mark.parametrize(
    ("url", "through"),
    [
        ("https://api.github.com", True),
        ("https://10.0.0.7/api/v3", True),
        ("http://127.0.0.1:8080", False),
        ("http://127.8.8.8", False),
        ("http://[::1]:80/x", False),
        ("http://localhost:1", False),
    ],
)
def test_only_this_machine_is_never_asked_through_a_proxy(url: str, *, through: bool) -> None:
    assert through_proxy(url) is through


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({}, {}),
        ({"NO_PROXY": "intranet"}, {}),
        ({"HTTPS_PROXY": "http://p:1"}, {"https_proxy": "http://p:1", "no_proxy": "localhost,127.0.0.1,::1"}),
        (
            {"HTTP_PROXY": "http://a:1", "http_proxy": "http://b:1", "NO_PROXY": "intranet"},
            {"http_proxy": "http://b:1", "no_proxy": "intranet,localhost,127.0.0.1,::1"},
        ),
    ],
)
def test_git_is_told_the_same_way(env: Mapping[str, str], told: Mapping[str, str]) -> None:
    assert for_git(env) == told


async def test_a_slack_on_this_machine_is_asked_directly_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOBODY)
    async with AnsweringGitHub().running() as slack, open_slack("xoxb-1", f"{slack.url}/api/") as client:
        slack.respond = lambda asked: Answer(200, {"ok": True, "team": "acme", "user": "shipmate", "user_id": "U1"})
        assert (await client.identity()).team == "acme"
