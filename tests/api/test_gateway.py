"""The door of the API: who comes in, what an answer looks like, and what nobody learns."""

from __future__ import annotations

import pytest

from bot.api.language import language_of
from bot.clock import utc_now
from handlers.api.limits import MOST_REMEMBERED, Buckets, Rate
from tests.api.conftest import Api

JOB = "dep_abcdefghij"


async def test_a_success_has_a_code_a_message_and_data(api: Api) -> None:
    status, body, headers = await api.ask("POST", "/api/v1/orders", json={"repo": "acme/api"})
    assert status == 201
    assert body == {"code": 201, "message": "Taken.", "data": {"repo": "acme/api"}}
    assert headers["Cache-Control"] == "no-store"


async def test_without_a_key_nobody_comes_in(api: Api) -> None:
    for headers in ({}, {"X-API-Key": "smk_00000000_x"}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}):
        status, body, answered = await api.ask("POST", "/api/v1/orders", headers=headers, json={"repo": "acme/api"})
        assert (status, body["error"], body["errorCode"]) == (401, "Unauthorized", "KEY_NEEDED")
        assert answered["WWW-Authenticate"].startswith("Bearer")


async def test_a_key_is_taken_as_a_bearer_token_too(api: Api) -> None:
    status, _, _ = await api.ask(
        "POST", "/api/v1/orders", headers={"Authorization": f"bearer {api.key}"}, json={"repo": "a"}
    )
    assert status == 201


async def test_a_revoked_key_opens_nothing(api: Api) -> None:
    record = (await api.opened.store.keys.all())[0]
    await api.opened.store.keys.revoke(record.id, utc_now())
    assert (await api.ask("POST", "/api/v1/orders", json={"repo": "a"}))[0] == 401


async def test_whoever_has_no_key_does_not_learn_which_paths_there_are(api: Api) -> None:
    known = await api.ask("GET", "/api/v1/fail/bug", headers={})
    unknown = await api.ask("GET", "/api/v1/nothing", headers={})
    assert known[0] == unknown[0] == 401


async def test_a_jobs_link_reads_that_job_and_no_other(api: Api) -> None:
    query = api.links.job(JOB).partition("?")[2]
    assert (await api.ask("GET", f"/api/v1/job/{JOB}/result?{query}", headers={}))[0] == 200
    assert (await api.ask("GET", f"/api/v1/job/dep_zzzzzzzzzz/result?{query}", headers={}))[0] == 401
    assert (await api.ask("POST", f"/api/v1/job/{JOB}/result?{query}", headers={}))[0] == 401


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [("refused", 403, "PERMISSION_NEEDED"), ("busy", 503, "STORE_BUSY"), ("github", 502, "GITHUB_INVALID")],
)
async def test_each_kind_of_error_has_its_status_and_code(api: Api, how: str, status: int, code: str) -> None:
    answered, body, headers = await api.ask("GET", f"/api/v1/fail/{how}")
    assert (answered, body["status"], body["errorCode"]) == (status, status, code)
    assert body["message"]
    assert body["timestamp"].endswith("Z")
    assert headers.get("Retry-After") == ("3" if how == "busy" else None)


async def test_a_bug_names_its_class_and_leaks_nothing(api: Api) -> None:
    status, body, _ = await api.ask("GET", "/api/v1/fail/bug")
    assert (status, body["errorCode"], body["exceptionClass"]) == (500, "UNEXPECTED_ERROR", "RuntimeError")
    assert "hunter2" not in str(body)
    assert "Traceback" not in str(body)


async def test_each_field_of_a_body_has_its_own_fault(api: Api) -> None:
    body = {"port": 0, "kind": "vm", "app": {}, "secret": "hunter2"}
    status, answer, _ = await api.ask("POST", "/api/v1/orders", json=body)
    assert (status, answer["errorCode"]) == (422, "INVALID_BODY")
    faults = {fault["field"]: fault["fault"] for fault in answer["fields"]}
    assert faults == {
        "app.path": "is needed",
        "kind": "must be one of docker, ecs",
        "port": "must be 1 or more",
        "repo": "is needed",
        "secret": "is not known; known here: repo, port, kind, app",
    }
    assert "hunter2" not in str(answer)


@pytest.mark.parametrize(
    ("raw", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "BODY_UNREADABLE"),
        (b'{"repo": "\xff"}', "application/json", 400, "BODY_UNREADABLE"),
        (b"[" * 5000 + b"]" * 5000, "application/json", 400, "BODY_UNREADABLE"),
        (b"[]", "application/json", 422, "INVALID_BODY"),
        (b'"repo"', "application/json", 422, "INVALID_BODY"),
        (b"repo=x", "application/x-www-form-urlencoded", 415, "BODY_NOT_JSON"),
        (b'{"repo": "' + b"a" * 300_000 + b'"}', "application/json", 413, "BODY_TOO_LARGE"),
        (b'{"repo": "' + b"A" * 99 + b'"}', "application/json", 422, "INVALID_BODY"),
    ],
)
async def test_no_body_breaks_the_door(api: Api, raw: bytes, kind: str, status: int, code: str) -> None:
    headers = {"X-API-Key": api.key, "Content-Type": kind}
    answered, body, _ = await api.ask("POST", "/api/v1/orders", headers=headers, data=raw)
    assert (answered, body["errorCode"]) == (status, code)


async def test_a_body_with_a_thousand_faults_is_answered_shortly(api: Api) -> None:
    status, body, _ = await api.ask("POST", "/api/v1/orders", json={f"key{n}": n for n in range(1000)})
    assert status == 422
    assert len(body["fields"]) == 20


async def test_unknown_paths_and_methods_are_said_in_the_same_shape(api: Api) -> None:
    status, body, _ = await api.ask("GET", "/api/v1/nothing")
    assert (status, body["errorCode"]) == (404, "PATH_UNKNOWN")
    status, body, _ = await api.ask("DELETE", "/api/v1/orders")
    assert (status, body["errorCode"]) == (405, "METHOD_UNKNOWN")
    assert "POST" in body["message"]


async def test_the_reader_chooses_the_language(api: Api) -> None:
    headers = {"X-API-Key": api.key, "Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}
    status, body, answered = await api.ask("POST", "/api/v1/orders", headers=headers, json={})
    assert status == 422
    assert answered["Content-Language"] == "ko"
    assert body["fields"] == [{"field": "repo", "fault": "필수 항목입니다"}]


@pytest.mark.parametrize(
    ("given", "spoken"),
    [
        (None, "en"),
        ("ko", "ko"),
        ("fr, ko;q=0.5", "ko"),
        ("en;q=0.2, ko;q=0.9", "ko"),
        ("ko;q=0", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("ko;q=nonsense, " * 5, "en"),
    ],
)
def test_the_first_choice_that_is_spoken_here_counts(given: str | None, spoken: str) -> None:
    assert language_of(given, "en") == spoken


async def test_a_key_that_asks_too_often_is_told_when_to_come_again(api: Api) -> None:
    answers = [await api.ask("POST", "/api/v1/orders", json={"repo": "a"}) for _ in range(9)]
    assert [status for status, _, _ in answers] == [201] * 8 + [429]
    assert [headers["RateLimit-Remaining"] for _, _, headers in answers] == [
        "7",
        "6",
        "5",
        "4",
        "3",
        "2",
        "1",
        "0",
        "0",
    ]
    assert answers[-1][1]["errorCode"] == "RATE_LIMITED"
    assert 0 < int(answers[-1][2]["Retry-After"]) <= 450
    assert int(answers[-1][2]["X-RateLimit-Limit"]) == 8


async def test_an_address_that_guesses_keys_is_stopped(api: Api) -> None:
    statuses = [(await api.ask("GET", "/api/v1/nothing", headers={"X-API-Key": f"smk_{n}"}))[0] for n in range(14)]
    assert statuses == [401] * 12 + [429] * 2


async def test_what_is_not_the_api_is_none_of_the_doors_business(api: Api) -> None:
    async with api.session.get(api.base + "/nowhere") as reply:
        assert reply.status == 404
        assert "RateLimit-Limit" not in reply.headers


def test_a_bucket_leaks_evenly_and_forgets_nobody_who_is_busy() -> None:
    now = [0.0]
    buckets = Buckets(Rate(2, 10.0), lambda: now[0])
    assert [buckets.take("a").allowed for _ in range(3)] == [True, True, False]
    assert buckets.take("b").allowed
    now[0] = 5.0
    assert [buckets.take("a").allowed for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert buckets.take("a").remaining == 1


def test_so_many_names_are_remembered_and_no_more() -> None:
    buckets = Buckets(Rate(1, 10.0), lambda: 0.0)
    assert buckets.take("the first").allowed
    for number in range(MOST_REMEMBERED - 1):
        buckets.take(str(number))
    assert not buckets.take("the first").allowed
    buckets.take("one more")
    assert buckets.take("the first").allowed
