"""What is asked behind API Gateway is taken on once, in the API's own form and words, or refused without a trace."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws.asked import DynamoAsked
from aws.lambdas.ask import Door
from bot.asked import Waits
from tests.aws.emulator.handle import Emulator
from tests.aws.lambdas.quay import Quay, Reply, http_event

BODY = {"userId": "alice", "repo": "acme/api", "branch": "main"}
Event = dict[str, Any]


def rest_event(body: Any, **headers: str) -> Event:
    """A proxy event of a REST API (format 1.0) with IAM before it, in a stage of its own."""
    return {
        "resource": "/deployments",
        "path": "/prod/deployments",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json; charset=utf-8", **headers},
        "multiValueHeaders": {},
        "requestContext": {
            "stage": "prod",
            "httpMethod": "POST",
            "identity": {"userArn": "arn:aws:iam::123456789012:user/caller", "apiKeyId": None, "sourceIp": "192.0.2.1"},
        },
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def encoded(body: Any) -> Event:
    """An HTTP API's event whose body came as bytes."""
    event = http_event(body)
    return {**event, "body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}


async def asked(table: DynamoAsked, event: Event) -> Reply:
    told = await Door(table).answer(event)
    return Reply(told["statusCode"], json.loads(told["body"]), told["headers"])


async def kept(table: DynamoAsked) -> list[str]:
    """Every deployment that waits to be worked on."""
    return await table.waiting(Waits.WORK, datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize("shape", [http_event, rest_event, encoded])
async def test_a_request_in_any_shape_the_gateway_sends_is_taken_on(
    table: DynamoAsked, shape: Callable[[Any], Event]
) -> None:
    reply = await asked(table, shape(BODY))
    assert reply.status == reply.body["code"] == 201
    assert reply.headers["Location"] == f"/deployments/{reply.id}"
    data = reply.body["data"]
    assert (data["status"], [step["status"] for step in data["steps"]]) == ("PENDING", ["PENDING"])
    assert (data["userId"], data["owner"], data["repo"], data["branch"]) == ("alice", "acme", "api", "main")
    item = await table.get(reply.id)
    assert item is not None
    assert (item.user, item.repo, item.branch, item.waits) == ("alice", "acme/api", "main", Waits.WORK)


async def test_the_sentence_is_in_the_readers_language(table: DynamoAsked) -> None:
    english = await asked(table, http_event(BODY))
    korean = await asked(table, http_event(BODY, accept_language="ko-KR,ko;q=0.9"))
    assert (english.body["message"], english.headers["Content-Language"]) == ("The deployment is taken on.", "en")
    assert (korean.body["message"], korean.headers["Content-Language"]) == ("배포를 접수했습니다.", "ko")
    item = await table.get(korean.id)
    assert item is not None
    assert item.language == "ko"


async def test_nobody_is_let_in_whom_the_gateway_did_not_prove(table: DynamoAsked) -> None:
    event = http_event(BODY)
    del event["requestContext"]["authorizer"]
    reply = await asked(table, event)
    assert (reply.status, reply.body["errorCode"]) == (401, "CALLER_NEEDED")
    assert await kept(table) == []


@pytest.mark.parametrize(
    "authorizer",
    [
        {"jwt": {"claims": {"sub": "auth0|7"}, "scopes": None}},
        {"lambda": {"principalId": "service-7"}},
        {"principalId": "service-7", "integrationLatency": 1},
        {"claims": {"sub": "us-east-1:7"}},
    ],
)
async def test_whoever_an_authorizer_names_is_let_in(table: DynamoAsked, authorizer: dict[str, Any]) -> None:
    event = http_event(BODY)
    event["requestContext"]["authorizer"] = authorizer
    assert (await asked(table, event)).status == 201


async def test_the_same_key_and_body_are_the_same_deployment_and_the_same_answer(table: DynamoAsked) -> None:
    first = await asked(table, http_event(BODY, idempotency_key="k1"))
    again = await asked(table, http_event(BODY, idempotency_key="k1"))
    assert (again.status, again.body) == (201, first.body)
    assert await kept(table) == [first.id]


async def test_a_key_means_one_request_and_one_caller(table: DynamoAsked) -> None:
    first = await asked(table, http_event(BODY, idempotency_key="k1"))
    other = await asked(table, http_event({**BODY, "branch": "next"}, idempotency_key="k1"))
    assert (other.status, other.body["errorCode"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert first.id in other.body["message"]
    elsewhere = await asked(table, rest_event(BODY, **{"Idempotency-Key": "k1"}))
    assert (elsewhere.status, elsewhere.id != first.id) == (201, True)


async def test_another_session_of_the_same_role_is_the_same_caller(table: DynamoAsked) -> None:
    first = await asked(table, http_event(BODY, idempotency_key="k1"))
    event = http_event(BODY, idempotency_key="k1")
    event["requestContext"]["authorizer"]["iam"]["userArn"] = "arn:aws:sts::123456789012:assumed-role/caller/two"
    assert (await asked(table, event)).id == first.id


async def test_it_can_be_looked_at_by_its_address(table: DynamoAsked) -> None:
    reply = await asked(table, http_event(BODY))
    here = reply.headers["Location"]
    shown = await asked(table, http_event("", here, "GET"))
    assert (shown.status, shown.body["data"]) == (200, reply.body["data"])
    unknown = await asked(table, http_event("", "/deployments/dep_0000000000", "GET"))
    assert (unknown.status, unknown.body["errorCode"]) == (404, "DEPLOYMENT_NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/deployments", "GET", 405),
        ("/deployments/dep_0000000000", "POST", 405),
        ("/deployments/../secrets", "GET", 404),
        ("/projects", "POST", 404),
        ("/api/v1/deployments", "POST", 201),
    ],
)
async def test_there_are_two_addresses_and_no_other(table: DynamoAsked, path: str, method: str, status: int) -> None:
    assert (await asked(table, http_event(BODY, path, method))).status == status


HOSTILE = [
    "",
    "null",
    "[]",
    "{",
    '"x"',
    json.dumps({}),
    json.dumps({**BODY, "userId": True}),
    json.dumps({**BODY, "userId": 0}),
    json.dumps({**BODY, "userId": ["alice"]}),
    json.dumps({**BODY, "userId": 7.0}),
    json.dumps({**BODY, "userId": 10**30}),
    json.dumps({**BODY, "userId": 2**53}),
    json.dumps({**BODY, "repo": "../../etc/passwd"}),
    json.dumps({**BODY, "repo": "acme/.."}),
    json.dumps({**BODY, "branch": "--upload-pack=touch x"}),
    json.dumps({**BODY, "branch": "a\n/deploy"}),
    json.dumps({**BODY, "branch": "x" * 256}),
    json.dumps({**BODY, "environment": "a; rm -rf /"}),
    json.dumps({**BODY, "status": "COMPLETED", "awaits": "server"}),
    json.dumps({**BODY, "note": "x" * 10_000}),
    '{"userId": "alice", "repo": "acme/api", "branch": "\\ud800"}',
    '{"a":' * 2_000 + "1" + "}" * 2_000,
    json.dumps({**BODY, "note": "x" * 300_000}),
]


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_what_makes_no_sense_is_refused_as_the_server_refuses_it(quay: Quay, language: str) -> None:
    """The same bodies at both doors: the same status, code, sentence and faults, and nothing of it kept."""
    import aiohttp

    from bot.clock import utc_now

    _, key = await quay.store.keys.create("tests", utc_now())
    headers = {"X-API-Key": key, "Accept-Language": language, "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for body in HOSTILE:
            async with session.post(f"{quay.address}/deployments", data=body.encode()) as answer:
                theirs, status = await answer.json(), answer.status
            ours = await quay.request(http_event(body, accept_language=language))
            assert 400 <= ours.status < 500
            assert (ours.status, without_time(ours.body)) == (status, without_time(theirs))
            assert "x" * 100 not in json.dumps(ours.body)
    assert await quay.table.waiting(Waits.WORK, datetime.now(UTC) + timedelta(hours=1)) == []


def without_time(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "timestamp"}


async def test_a_body_that_is_not_base64_though_it_says_so_is_unreadable(table: DynamoAsked) -> None:
    reply = await asked(table, {**http_event("%%%"), "isBase64Encoded": True})
    assert (reply.status, reply.body["errorCode"]) == (400, "BODY_UNREADABLE")


async def test_a_form_is_no_json(table: DynamoAsked) -> None:
    event = http_event("userId=alice", content_type="application/x-www-form-urlencoded")
    assert (await asked(table, event)).status == 415


@pytest.mark.parametrize("kind", ["throttle", "fault", "reset", "cut"])
@pytest.mark.parametrize("key", ["", "k1"])
async def test_a_write_that_goes_wrong_or_whose_answer_is_lost_makes_one_deployment(
    table: DynamoAsked, emulator: Emulator, kind: str, key: str
) -> None:
    emulator.goes_wrong({"kind": kind, "service": "dynamodb", "operation": "PutItem", "times": 2})
    reply = await asked(table, http_event(BODY, **({"idempotency_key": key} if key else {})))
    assert sum(emulator.fired()) == 2
    assert (reply.status, await kept(table)) == (201, [reply.id])


async def test_a_table_out_of_reach_is_told_with_when_to_come_again(table: DynamoAsked, emulator: Emulator) -> None:
    emulator.goes_wrong({"kind": "fault", "service": "dynamodb", "times": 100})
    reply = await asked(table, http_event(BODY))
    assert (reply.status, int(reply.headers["Retry-After"]) > 0) == (503, True)


async def test_what_aws_denies_us_is_no_fault_of_whoever_asks(table: DynamoAsked, emulator: Emulator) -> None:
    emulator.goes_wrong({"kind": "deny", "service": "dynamodb"})
    reply = await asked(table, http_event(BODY))
    assert (reply.status, reply.body["errorCode"]) == (500, "UNEXPECTED_ERROR")
    assert "dynamodb" not in json.dumps(reply.body)


async def test_a_bug_is_told_by_its_class_alone(table: DynamoAsked, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(DynamoAsked, "add", broken)
    reply = await asked(table, http_event(BODY))
    assert (reply.status, reply.body["exceptionClass"]) == (500, "RuntimeError")
    assert "hunter2" not in json.dumps(reply.body)
