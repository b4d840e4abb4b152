"""The handlers run as their image runs them: AWS's runtime client in a process, settings from its environment."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from aws.asked import DynamoAsked
from aws.clients import AwsClients
from aws.places import DynamoPlaces
from bot.clock import utc_now
from bot.model import JobState
from tests.aws.lambdas.quay import Quay, build_event, http_event
from tests.aws.lambdas.runtime import function
from tests.world import REPO

pytest.importorskip("awslambdaric")


async def secret_of(clients: AwsClients, owner: str, text: str) -> str:
    made = await clients.call("secretsmanager", "CreateSecret", Name=owner, SecretString=text)
    return str(made["ARN"])


async def test_a_deployment_walks_through_all_three_processes(quay: Quay, clients: AwsClients) -> None:
    await quay.push("one", f"until {quay.folder / 'go'}")
    github = quay.github.environment()
    environment = {
        "AWS_ENDPOINT_URL": quay.emulator.url,
        "SHIPMATE_DEPLOYMENTS_TABLE": name_of(quay.table),
        "SHIPMATE_INSTALLATIONS_TABLE": name_of(quay.places),
        "SHIPMATE_LOCALE": "ko",
        "SHIPMATE_OWNER": quay.owner,
        "GITHUB_APP_ID": github["GITHUB_APP_ID"],
        "GITHUB_PRIVATE_KEY_SECRET": await secret_of(clients, quay.owner, github["GITHUB_PRIVATE_KEY"]),
        "GITHUB_API_URL": github["GITHUB_API_URL"],
        "GITHUB_URL": github["GITHUB_URL"],
    }
    async with AsyncExitStack() as stack:
        ask = await stack.enter_async_context(function("aws.lambdas.ask.handle", environment))
        answers = [await ask.call(http_event({"userId": "alice", "repo": REPO, "branch": "main"})) for _ in range(2)]
        assert [answer["statusCode"] for answer in answers] == [201, 201], answers
        assert json.loads(answers[0]["body"])["message"] == "배포를 접수했습니다."
        first, second = (json.loads(answer["body"])["data"]["deploymentId"] for answer in answers)

        work = await stack.enter_async_context(function("aws.lambdas.work.handle", environment))
        await quay.pump.run(lambda event: work.call(plain(event)))
        assert await quay.walked(first) == await quay.walked(second) == ["PENDING", "PROCESSING", "BUILDING"]

        asked = await quay.asked(second)
        assert await quay.table.change(asked, asked.gone_to(JobState.CANCELLED, utc_now(), None)) is not None
        await quay.pump.run(lambda event: work.call(plain(event)))
        assert (await quay.built(second)).status == "STOPPED"

        finish = await stack.enter_async_context(function("aws.lambdas.finish.handle", environment))
        (quay.folder / "go").touch()
        await finish.call(build_event((await quay.built(first)).id))
        assert (await quay.walked(first))[-1] == "PUSHING"


async def test_a_setting_that_is_missing_is_named() -> None:
    async with function("aws.lambdas.work.handle", {"SHIPMATE_DEPLOYMENTS_TABLE": "deployments"}) as work:
        with pytest.raises(RuntimeError, match="SHIPMATE_INSTALLATIONS_TABLE"):
            await work.call({"Records": []})


def name_of(table: Any) -> str:
    assert isinstance(table, DynamoAsked | DynamoPlaces)
    return table.name


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it, which is how Lambda hands it over."""
    return dict(json.loads(json.dumps(event, default=str)))
