"""Whatever GitHub does, a call ends within bounds: with its answer, or with an error that says what to do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from bot.errors import Permanent, ShipmateError, Transient
from bot.github.api import GitHub, open_github
from bot.github.client.client import Client
from bot.github.client.failures import NotFound
from bot.github.client.wire import API_VERSION
from bot.github.permissions import REPORT
from bot.masking import Masker
from bot.model import Repository
from tests.github.answering import CUT, HANG, Answer, AnsweringGitHub, Asked
from tests.github.conftest import INSTALLATION, PATIENCE, REPOSITORY

OK = Answer(200, {"id": 7})
CREATED = Answer(201, {"id": 8})
NO_JSON = Answer(200, raw="<html>One moment, please.</html>")
BROKEN = Answer(502, {"message": "Server Error"})
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


def number(data: Any) -> int:
    return int(data["id"])


async def read(client: Client) -> int:
    return await client.call("GET /repos/{owner}/{repo}", number)


async def write(client: Client) -> int:
    return await client.call("POST /repos/{owner}/{repo}/deployments", number, body={"ref": "main"})


@pytest.fixture
async def hasty(answering: AnsweringGitHub, pem: str) -> AsyncIterator[Client]:
    """A client that takes silence for a fault soon."""
    patience = replace(PATIENCE, timeout_s=1.0)
    async with open_github("123", pem, Masker().register, api_url=answering.url, patience=patience) as github:
        await github.token(INSTALLATION, REPOSITORY.id, REPORT)
        yield github.repository(INSTALLATION, REPOSITORY, REPORT)


async def test_a_request_says_who_asks_and_which_version_of_the_api(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [OK]
    assert await read(client) == 7
    [asked] = answering.asked
    assert asked.path == "/repos/acme/api"
    assert asked.headers["X-GitHub-Api-Version"] == API_VERSION
    assert asked.headers["User-Agent"] == "shipmate"
    assert asked.headers["Accept"] == "application/vnd.github+json"


@pytest.mark.parametrize("fault", [BROKEN, Answer(500), CUT, NO_JSON], ids=["502", "500", "cut", "no JSON"])
async def test_a_read_is_tried_again_after_a_passing_fault(
    answering: AnsweringGitHub, client: Client, fault: Answer
) -> None:
    answering.answers = [fault, fault, OK]
    assert await read(client) == 7


async def test_a_read_ends_after_so_many_tries(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [BROKEN] * 10
    with pytest.raises(Transient, match="github_unavailable") as failed:
        await read(client)
    assert len(answering.asked) == PATIENCE.tries
    assert failed.value.facts["maybe_done"] is False


async def test_a_hang_ends_and_is_tried_again(answering: AnsweringGitHub, hasty: Client) -> None:
    answering.answers = [HANG, OK]
    assert await read(hasty) == 7


@pytest.mark.parametrize("fault", [BROKEN, CUT, HANG])
async def test_a_write_whose_reply_was_lost_is_not_blindly_repeated(
    answering: AnsweringGitHub, hasty: Client, fault: Answer
) -> None:
    answering.answers = [fault, CREATED]
    with pytest.raises(Transient) as failed:
        await write(hasty)
    assert failed.value.facts["maybe_done"] is True
    assert len(answering.asked) == 1


async def test_a_write_that_never_left_is_known_not_to_be_done(pem: str) -> None:
    async with open_github("123", pem, Masker().register, api_url="http://127.0.0.1:1", patience=PATIENCE) as github:
        with pytest.raises(Transient, match="github_unreachable") as failed:
            await github.app.call("POST /app/hook/deliveries/{delivery_id}/attempts", number, delivery_id=1)
    assert failed.value.facts["maybe_done"] is False


async def test_after_a_lost_reply_it_looks_and_finds_what_was_done(answering: AnsweringGitHub, client: Client) -> None:
    async def find() -> int | None:
        return await client.call(
            "GET /repos/{owner}/{repo}/deployments", lambda found: found[0]["id"] if found else None
        )

    answering.answers = [Answer(200, []), CUT, Answer(200, [{"id": 8}])]
    assert await client.once(find, lambda: write(client)) == 8
    assert [asked.method for asked in answering.asked] == ["GET", "POST", "GET"]


async def test_after_a_lost_reply_it_creates_again_what_was_not_done(
    answering: AnsweringGitHub, client: Client
) -> None:
    async def find() -> int | None:
        return await client.call(
            "GET /repos/{owner}/{repo}/deployments", lambda found: found[0]["id"] if found else None
        )

    answering.answers = [CUT, Answer(200, []), CREATED]
    assert await client.once(find, lambda: write(client), look_first=False) == 8
    assert [asked.method for asked in answering.asked] == ["POST", "GET", "POST"]


async def test_creating_again_is_bounded_too(answering: AnsweringGitHub, client: Client) -> None:
    async def find() -> int | None:
        return None

    answering.answers = [CUT] * 10
    with pytest.raises(Transient, match="github_unreachable"):
        await client.once(find, lambda: write(client))
    assert len(answering.asked) == PATIENCE.tries


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "github_forbidden", Permanent),
        (404, "github_not_found", NotFound),
        (409, "github_conflict", Permanent),
        (410, "github_not_found", NotFound),
        (418, "github_refused", Permanent),
        (422, "github_invalid", Permanent),
    ],
)
async def test_a_refusal_is_told_once_with_what_github_said(
    answering: AnsweringGitHub, client: Client, status: int, code: str, kind: type[ShipmateError]
) -> None:
    said = {"message": "No.", "documentation_url": "https://docs.github.com/rest", "errors": [{"field": "ref"}]}
    answering.answers = [Answer(status, said)]
    with pytest.raises(kind, match=code) as refused:
        await write(client)
    assert refused.value.facts == {
        "operation": "POST /repos/acme/api/deployments",
        "status": status,
        "message": "No.",
        "documentation_url": "https://docs.github.com/rest",
        "errors": '[{"field": "ref"}]',
    }
    assert len(answering.asked) == 1


@pytest.mark.parametrize("body", [None, [], {"message": None}, {"message": {"a": 1}}])
async def test_a_refusal_without_words_is_told_as_well(answering: AnsweringGitHub, client: Client, body: Any) -> None:
    answering.answers = [Answer(404, body)]
    with pytest.raises(NotFound):
        await read(client)


def limited(wait_s: int, *, status: int = 403, primary: bool = True) -> Answer:
    if primary:
        reset = {
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(time.time()) + wait_s),
        }
        return Answer(status, {"message": "API rate limit exceeded for installation ID 42."}, reset)
    return Answer(status, {"message": SECONDARY}, {"Retry-After": str(wait_s)})


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("primary", [True, False], ids=["primary", "secondary"])
async def test_a_short_limit_is_waited_for_even_by_a_write(
    answering: AnsweringGitHub, client: Client, status: int, primary: bool
) -> None:
    answering.answers = [limited(0, status=status, primary=primary), CREATED]
    assert await write(client) == 8


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("primary", [True, False], ids=["primary", "secondary"])
async def test_a_long_limit_is_told_with_its_end(
    answering: AnsweringGitHub, client: Client, status: int, primary: bool
) -> None:
    answering.answers = [limited(600, status=status, primary=primary)]
    with pytest.raises(Transient, match="github_rate_limited") as failed:
        await write(client)
    assert failed.value.retry_after_s == pytest.approx(600, abs=5)
    assert failed.value.facts["limit"] == ("primary" if primary else "secondary")
    assert failed.value.facts["maybe_done"] is False


async def test_a_secondary_limit_without_a_time_is_a_minute(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(403, {"message": SECONDARY})]
    with pytest.raises(Transient) as failed:
        await read(client)
    assert failed.value.retry_after_s == 60


async def test_while_limited_nothing_is_sent_for_that_installation(
    answering: AnsweringGitHub, client: Client, github: GitHub
) -> None:
    answering.answers = [limited(600), OK]
    for _ in range(3):
        with pytest.raises(Transient, match="github_rate_limited"):
            await read(client)
    assert len(answering.asked) == 1
    assert await read(github.repository(INSTALLATION + 1, REPOSITORY, REPORT)) == 7


async def test_a_refusal_that_only_looks_like_a_limit_is_a_refusal(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [
        Answer(403, {"message": "Resource not accessible by integration"}, {"X-RateLimit-Remaining": "10"})
    ]
    with pytest.raises(Permanent, match="github_forbidden"):
        await read(client)


async def test_a_busy_github_is_waited_for_as_long_as_it_asks(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(503, {"message": "busy"}, {"Retry-After": "300"})]
    with pytest.raises(Transient) as failed:
        await read(client)
    assert failed.value.retry_after_s == 300


async def test_a_list_is_read_to_its_last_page(answering: AnsweringGitHub, client: Client) -> None:
    def page(asked: Asked) -> Answer:
        if "page=2" in asked.path.replace("per_page", ""):
            return Answer(200, {"total_count": 3, "check_runs": [{"id": 3}]})
        link = f'<{answering.url}/repositories/7/check-runs?per_page=100&page=2>; rel="next", <x>; rel="last"'
        return Answer(200, {"total_count": 3, "check_runs": [{"id": 1}, {"id": 2}]}, {"Link": link})

    answering.respond = page
    operation = "GET /repos/{owner}/{repo}/commits/{ref}/check-runs"
    assert await client.listed(operation, number, items="check_runs", ref="main") == [1, 2, 3]


async def test_a_list_that_leads_in_a_circle_ends(
    answering: AnsweringGitHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.github.client.client.PAGES", 3)
    link = {"Link": f'<{answering.url}/repositories/7/deployments?page=2>; rel="next"'}
    answering.respond = lambda asked: Answer(200, [{"id": 1}], link)
    with pytest.raises(Permanent, match="last page"):
        await client.listed("GET /repos/{owner}/{repo}/deployments", number)
    assert len(answering.asked) == 3


async def test_no_page_is_asked_for_that_is_not_needed(answering: AnsweringGitHub, client: Client) -> None:
    link = f'<{answering.url}/repositories/7/deployments?page=2>; rel="next"'
    answering.answers = [Answer(200, [{"id": 1}, {"id": 2}], {"Link": link})]
    assert await client.listed("GET /repos/{owner}/{repo}/deployments", number, most=1) == [1]


async def test_a_token_is_never_sent_to_another_host(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [Answer(301, {}, {"Location": "https://evil.example/"})] * 10
    with pytest.raises(Transient, match="leads away"):
        await read(client)


async def test_a_list_goes_on_at_our_own_address_whatever_host_its_next_page_names(
    answering: AnsweringGitHub, client: Client
) -> None:
    link = '<https://elsewhere.example/repositories/7/deployments?page=2>; rel="next"'
    answering.answers = [Answer(200, [{"id": 1}], {"Link": link}), Answer(200, [{"id": 2}])]
    assert await client.listed("GET /repos/{owner}/{repo}/deployments", number) == [1, 2]
    assert answering.asked[-1].path == "/repositories/7/deployments?page=2"


async def test_a_renamed_repository_is_followed(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [
        Answer(301, {"message": "Moved Permanently"}, {"Location": f"{answering.url}/repositories/7"}),
        OK,
        Answer(307, {"message": "Moved"}, {"Location": f"{answering.url}/repositories/7/deployments"}),
        CREATED,
    ]
    assert await read(client) == 7
    assert await write(client) == 8
    assert [asked.path for asked in answering.asked[1::2]] == ["/repositories/7", "/repositories/7/deployments"]
    assert answering.asked[3].body == {"ref": "main"}


@pytest.mark.parametrize("status", [301, 302])
async def test_what_changes_something_is_not_said_again_elsewhere_unless_github_says_so(
    answering: AnsweringGitHub, client: Client, status: int
) -> None:
    answering.answers = [Answer(status, {}, {"Location": f"{answering.url}/repositories/7/deployments"}), CREATED]
    with pytest.raises(Permanent, match="github_refused"):
        await write(client)
    assert len(answering.asked) == 1


async def test_a_circle_of_redirects_ends(answering: AnsweringGitHub, client: Client) -> None:
    answering.respond = lambda asked: Answer(301, {}, {"Location": answering.url + asked.path})
    with pytest.raises(Permanent, match="github_refused"):
        await read(client)


@pytest.mark.parametrize("name", ["--upload-pack=x", "a/b", "x?y#z", "100%", "한글", "{owner}"])
async def test_any_name_reaches_github_as_that_name(answering: AnsweringGitHub, client: Client, name: str) -> None:
    answering.answers = [OK]
    await client.call("GET /repos/{owner}/{repo}/branches/{branch}", number, branch=name)
    head, _, tail = answering.asked[0].path.rpartition("/")
    assert head == "/repos/acme/api/branches"
    assert unquote(tail) == name


@pytest.mark.parametrize("path", ["../../../user", "a/../b", "."])
async def test_a_path_of_dots_leads_nowhere(answering: AnsweringGitHub, client: Client, path: str) -> None:
    with pytest.raises(NotFound):
        await client.call("GET /repos/{owner}/{repo}/contents/{path}", number, path=path)
    assert answering.asked == []


async def test_an_unchanged_answer_costs_nothing(answering: AnsweringGitHub, client: Client) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(304) if asked.headers.get("If-None-Match") == 'W/"1"' else replace(OK, headers={"ETag": 'W/"1"'})

    answering.respond = answer
    for _ in range(3):
        assert await client.call("GET /repos/{owner}/{repo}/pulls/{pull_number}", number, pull_number=1) == 7
    assert ["If-None-Match" in asked.headers for asked in answering.asked] == [False, True, True]


async def test_a_changed_answer_replaces_the_kept_one(answering: AnsweringGitHub, client: Client) -> None:
    answering.answers = [
        Answer(200, {"id": 1}, {"ETag": '"1"'}),
        Answer(200, {"id": 2}, {"ETag": '"2"'}),
        Answer(304),
    ]
    operation = "GET /repos/{owner}/{repo}/branches/{branch}"
    assert [await client.call(operation, number, branch="main") for _ in range(3)] == [1, 2, 2]


async def test_a_permission_is_asked_anew_each_time(answering: AnsweringGitHub, client: Client) -> None:
    answering.respond = lambda asked: replace(OK, headers={"ETag": '"1"'})
    for _ in range(2):
        await client.call("GET /repos/{owner}/{repo}/collaborators/{username}/permission", number, username="eve")
    assert ["If-None-Match" in asked.headers for asked in answering.asked] == [False, False]


async def test_one_installation_never_gets_anothers_kept_answer(
    answering: AnsweringGitHub, client: Client, github: GitHub
) -> None:
    answering.respond = lambda asked: replace(OK, headers={"ETag": '"1"'})
    operation = "GET /repos/{owner}/{repo}/branches/{branch}"
    await client.call(operation, number, branch="main")
    await github.repository(INSTALLATION + 1, REPOSITORY, REPORT).call(operation, number, branch="main")
    assert "If-None-Match" not in answering.asked[1].headers


@pytest.mark.parametrize("body", [{"no": "id"}, [], "text", None, 3])
async def test_a_reply_of_another_shape_is_told(answering: AnsweringGitHub, client: Client, body: Any) -> None:
    answering.answers = [Answer(200, body)]
    with pytest.raises(Permanent, match="github_unexpected_reply"):
        await read(client)


async def test_two_repositories_of_one_client_do_not_mix(answering: AnsweringGitHub, github: GitHub) -> None:
    answering.answers = [OK, OK]
    for name in ("acme/api", "acme/web"):
        await read(github.repository(INSTALLATION, Repository(7, name), REPORT))
    assert [asked.path for asked in answering.asked] == ["/repos/acme/api", "/repos/acme/web"]
