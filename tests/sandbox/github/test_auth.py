"""Who gets in, how far, and in which words GitHub refuses the rest."""

import re
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient


async def test_the_app_finds_itself_and_its_installation(app: AppClient) -> None:
    token = app.app_jwt()
    assert (await app.call("GET", "/app", token=token)).json["slug"] == "shipmate"
    installation = (await app.call("GET", "/repos/acme/api/installation", token=token)).json
    assert installation["account"]["login"] == "acme"
    listed = (await app.call("GET", "/app/installations", token=token)).json
    assert [one["id"] for one in listed] == [installation["id"]]
    one = await app.call("GET", f"/app/installations/{installation['id']}", token=token)
    assert one.json == installation


async def test_a_client_id_is_as_good_an_issuer_as_the_app_id(app: AppClient) -> None:
    token = app.app_jwt(iss=app.github.client_id)
    assert (await app.call("GET", "/app", token=token)).status == 200


@pytest.mark.parametrize(
    ("claims", "status", "said"),
    [
        ({"exp": 1}, 401, "must be a numeric value representing the future time"),
        ({"exp": "in 4000 s"}, 401, "('exp') is too far in the future"),
        ({"exp": None}, 401, "'Expiration time' claim"),
        ({"exp": "soon"}, 401, "'Expiration time' claim"),
        ({"iat": "in 300 s", "exp": "in 500 s"}, 401, "'Issued at' claim ('iat')"),
        ({"iat": None}, 401, "'Issued at' claim ('iat')"),
        ({"iss": "4711"}, 404, "Integration not found"),
        ({"iss": None}, 401, "Missing 'issuer' claim"),
    ],
)
async def test_a_jwt_with_wrong_claims_is_refused(
    app: AppClient, claims: dict[str, object], status: int, said: str
) -> None:
    answer = await app.call("GET", "/app", token=app.app_jwt(**{name: _moment(told) for name, told in claims.items()}))
    assert answer.status == status
    assert said in answer.message


def _moment(told: object) -> object:
    """`in 300 s` as seconds since the epoch, counted from the test and not from when tests were collected."""
    later = re.fullmatch(r"in (\d+) s", told) if isinstance(told, str) else None
    return int(time.time()) + int(later[1]) if later else told


async def test_a_jwt_signed_by_another_key_is_refused(app: AppClient) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = int(time.time())
    forged = jwt.encode({"iat": now - 60, "exp": now + 500, "iss": str(app.github.app_id)}, other, "RS256")
    assert (await app.call("GET", "/app", token=forged)).message == "A JSON web token could not be decoded"


async def test_a_jwt_signed_with_the_public_key_as_a_secret_is_refused(app: AppClient) -> None:
    now = int(time.time())
    secret = "x" * 64
    forged = jwt.encode({"iat": now - 60, "exp": now + 500, "iss": str(app.github.app_id)}, secret, "HS256")
    assert (await app.call("GET", "/app", token=forged)).status == 401


async def test_a_token_for_one_repository_does_not_reach_another(github: GitHubSandbox, app: AppClient) -> None:
    other = await github.create_repo("acme/web", files={"a": "b"}, private=True)
    token = await app.token(repository_ids=[other.id])
    assert (await app.call("GET", "/repos/acme/web", token=token)).status == 200
    assert (await app.call("GET", "/repos/acme/api", token=token)).message == "Not Found"
    reached = (await app.call("GET", "/installation/repositories", token=token)).json
    assert [one["full_name"] for one in reached["repositories"]] == ["acme/web"]


async def test_a_token_without_a_permission_is_told_which_one_it_takes(app: AppClient) -> None:
    token = await app.token(permissions={"contents": "read"})
    answer = await app.call("POST", "/repos/acme/api/check-runs", token=token, json={"name": "x", "head_sha": "y"})
    assert (answer.status, answer.message) == (403, "Resource not accessible by integration")
    assert answer.headers["X-Accepted-GitHub-Permissions"] == "checks=write"


async def test_read_permission_is_not_enough_to_write(app: AppClient) -> None:
    token = await app.token(permissions={"checks": "read", "contents": "read"})
    assert (await app.call("GET", "/repos/acme/api/commits/main/check-runs", token=token)).status == 200
    body = {"name": "x", "head_sha": await app.github.head("acme/api")}
    assert (await app.call("POST", "/repos/acme/api/check-runs", token=token, json=body)).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {"permissions": {"contents": "write"}},
        {"permissions": {"administration": "read"}},
        {"repository_ids": [1]},
        {"repositories": ["nowhere"]},
    ],
)
async def test_a_token_can_not_be_wider_than_the_installation(app: AppClient, body: dict[str, object]) -> None:
    path = f"/app/installations/{app.github.installation('acme').id}/access_tokens"
    assert (await app.call("POST", path, token=app.app_jwt(), json=body)).status == 422


async def test_an_expired_token_is_bad_credentials(github: GitHubSandbox, app: AppClient) -> None:
    github.tokens.life_s = 30
    token = await app.token()
    assert (await app.call("GET", "/repos/acme/api", token=token)).status == 200
    late = time.time() + 31
    github.hub.world.clock = lambda: late
    answer = await app.call("GET", "/repos/acme/api", token=token)
    assert (answer.status, answer.message) == (401, "Bad credentials")


async def test_a_revoked_token_is_worthless(app: AppClient) -> None:
    token = await app.token()
    assert (await app.call("DELETE", "/installation/token", token=token)).status == 204
    assert (await app.call("GET", "/repos/acme/api", token=token)).status == 401


async def test_long_tokens_work_as_short_ones_do(github: GitHubSandbox, app: AppClient) -> None:
    github.tokens.length = 400
    token = await app.token()
    assert len(token) == 400
    assert (await app.call("GET", "/repos/acme/api", token=token)).status == 200


async def test_a_private_repository_is_not_there_for_strangers(github: GitHubSandbox, app: AppClient) -> None:
    github.set_permission("acme/api", "mallory", "none")
    assert (await app.call("GET", "/repos/acme/api")).status == 404
    assert (await app.call("GET", "/repos/acme/api", token=github.user_token("mallory"))).status == 404
    assert (await app.call("GET", "/repos/acme/api", token=github.user_token("alice"))).status == 200


async def test_only_an_app_writes_check_runs(github: GitHubSandbox, app: AppClient) -> None:
    body = {"name": "x", "head_sha": await github.head("acme/api")}
    answer = await app.call("POST", "/repos/acme/api/check-runs", token=github.user_token("alice"), json=body)
    assert answer.message == "You must authenticate via a GitHub App."


async def test_a_jwt_opens_no_repository(app: AppClient) -> None:
    assert (await app.call("GET", "/repos/acme/api", token=app.app_jwt())).status == 401


async def test_a_suspended_installation_gets_nothing(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    await github.suspend("acme")
    assert (await app.call("GET", "/repos/acme/api", token=token)).message == "This installation has been suspended"


async def test_an_uninstalled_app_has_no_installation_and_no_tokens(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    await github.uninstall("acme")
    assert (await app.call("GET", "/repos/acme/api", token=token)).status == 401
    assert (await app.call("GET", "/repos/acme/api/installation", token=app.app_jwt())).status == 404


async def test_a_request_that_names_no_agent_is_forbidden(github: GitHubSandbox, app: AppClient) -> None:
    answer = await app.call("GET", "/rate_limit", skip_auto_headers=["User-Agent"], headers={"User-Agent": ""})
    assert answer.status == 403
    assert b"User-Agent header" in answer.raw


async def test_a_person_signs_in_over_oauth_once_per_code(github: GitHubSandbox, app: AppClient) -> None:
    github.approve_oauth_as("alice")
    query = {"client_id": github.client_id, "redirect_uri": "http://127.0.0.1:1/back", "state": "s1"}
    sent_back = await app.call("GET", "/login/oauth/authorize", params=query, allow_redirects=False)
    location = sent_back.headers["Location"]
    assert location.startswith("http://127.0.0.1:1/back?code=")
    assert location.endswith("&state=s1")
    code = location.split("code=")[1].split("&")[0]
    form = {"client_id": github.client_id, "client_secret": github.client_secret, "code": code}
    asked: dict[str, Any] = {"data": form, "headers": {"Accept": "application/json"}}
    token = (await app.call("POST", "/login/oauth/access_token", **asked)).json["access_token"]
    assert (await app.call("GET", "/user", token=token)).json["login"] == "alice"
    again = await app.call("POST", "/login/oauth/access_token", **asked)
    assert again.json["error"] == "bad_verification_code"


async def test_a_person_who_denies_is_sent_back_without_a_code(github: GitHubSandbox, app: AppClient) -> None:
    query = {"client_id": github.client_id, "redirect_uri": "http://127.0.0.1:1/back"}
    sent_back = await app.call("GET", "/login/oauth/authorize", params=query, allow_redirects=False)
    assert "error=access_denied" in sent_back.headers["Location"]


async def test_a_person_lists_what_is_theirs_and_what_they_were_let_into(github: GitHubSandbox, app: AppClient) -> None:
    await github.create_repo("zoe/site", files={"a": "b"}, organization=False)
    await github.create_repo("zoe/diary", files={"a": "b"}, organization=False, private=True)
    await github.create_repo("acme/secret", files={"a": "b"}, private=True)
    github.set_permission("acme/secret", "zoe", "read")
    token = github.user_token("zoe")

    async def listed(**query: str) -> list[str]:
        answer = await app.call("GET", "/user/repos", token=token, params=query)
        return [one["full_name"] for one in answer.json]

    assert await listed() == ["acme/secret", "zoe/diary", "zoe/site"]
    assert await listed(affiliation="owner") == await listed(type="owner") == ["zoe/diary", "zoe/site"]
    assert await listed(affiliation="collaborator") == ["acme/secret"]
    assert await listed(visibility="public") == ["zoe/site"]
    assert await listed(sort="created", direction="asc") == ["zoe/site", "zoe/diary", "acme/secret"]
    both = await app.call("GET", "/user/repos", token=token, params={"type": "owner", "visibility": "all"})
    assert (both.status, "you cannot specify type" in both.message) == (422, True)
    by_app = await app.call("GET", "/user/repos", token=await app.token())
    assert by_app.status == 403
