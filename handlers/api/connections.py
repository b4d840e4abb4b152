"""`/api/v1/connect/…` and `/api/v1/connections`: ways in that a program lends, lists and takes back."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot import messages
from bot.api.forms import NAME
from bot.connections import BORROWER, CONNECTION_NAME, AwsOffer, ConnectionDesk, GitHubOffer, Hand, Terms
from bot.desk.reach import require_seen
from bot.errors import Refused
from bot.store.connections import AwsConnection
from handlers.api.bodies import read_body
from handlers.api.envelope import success
from handlers.api.gateway import CALLER, LANGUAGE
from handlers.api.reach import limits_of, seen_by

DESK: web.AppKey[ConnectionDesk] = web.AppKey("connection desk")

routes = web.RouteTableDef()

_SECRET = {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": r"^[\x21-\x7e]+$"}
GITHUB_BODY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["owner", "repo", "branch", "token"],
    "properties": {
        "owner": NAME,
        "repo": NAME,
        "branch": {"type": "string", "minLength": 1, "maxLength": 255},
        "token": _SECRET,
    },
}
AWS_BODY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["region"],
    "if": {"required": ["roleArn"]},
    "then": {"not": {"anyOf": [{"required": ["accessKeyId"]}, {"required": ["secretAccessKey"]}]}},
    "else": {"required": ["accessKeyId", "secretAccessKey"]},
    "properties": {
        "region": {"type": "string", "pattern": "^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$"},
        "accessKeyId": {"type": "string", "pattern": "^[A-Z0-9]{16,128}$"},
        "secretAccessKey": _SECRET,
        "sessionToken": _SECRET,
        "roleArn": {"type": "string", "pattern": r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}$"},
        "externalId": {"type": "string", "pattern": r"^[\w+=,.@:/-]{2,1224}$"},
        "name": {"type": "string", "pattern": CONNECTION_NAME.pattern.replace(r"\A", "^").replace(r"\Z", "$")},
        "lentTo": {
            "type": "array",
            "maxItems": 100,
            "uniqueItems": True,
            "items": {"type": "string", "pattern": BORROWER.pattern.replace(r"\A", "^").replace(r"\Z", "$")},
        },
        "replace": {"type": "boolean"},
    },
}


@routes.post("/api/v1/connect/github")
async def connect_github(request: web.Request) -> web.Response:
    """Try a token for a repository and branch, and keep it sealed."""
    body = await read_body(request, GITHUB_BODY)
    require_seen(seen_by(request), [f"{body['owner']}/{body['repo']}"])
    offer = GitHubOffer(body["owner"], body["repo"], body["branch"], body["token"])
    made = await request.app[DESK].add_github(offer, _hand(request))
    return success({"githubConnectionId": made.id}, messages.say(request[LANGUAGE], "connection.github_made"))


@routes.post("/api/v1/connect/aws")
async def connect_aws(request: web.Request) -> web.Response:
    """Ask STS whose the keys or the role are, and keep them sealed. Not with a key that is limited to repositories."""
    if limits_of(request):
        raise Refused("key_limited")
    body = await read_body(request, AWS_BODY)
    offer = AwsOffer(
        body["region"],
        body.get("accessKeyId"),
        body.get("secretAccessKey"),
        body.get("sessionToken"),
        body.get("roleArn"),
        body.get("externalId"),
    )
    terms = Terms(body.get("name"), tuple(body.get("lentTo", ())), body.get("replace", False))
    made = await request.app[DESK].add_aws(offer, _hand(request), terms)
    data = {"awsConnectionId": made.id, "accountId": made.account_id}
    return success(data, messages.say(request[LANGUAGE], "connection.aws_made", account=made.account_id))


@routes.get("/api/v1/connections")
async def list_connections(request: web.Request) -> web.Response:
    """All connections, without any secret; with a key that is limited, those to the repositories it sees."""
    kept, sees = request.app[DESK].kept, seen_by(request)
    data = {
        "github": [
            {"connectionId": one.id, "owner": one.owner, "repo": one.repo, "branch": one.branch}
            for one in await kept.github()
            if sees(f"{one.owner}/{one.repo}")
        ],
        "aws": [] if limits_of(request) else [_shown(one) for one in await kept.aws()],
    }
    return success(data, messages.say(request[LANGUAGE], "connection.listed"))


@routes.delete("/api/v1/connections/{id}")
async def forget_connection(request: web.Request) -> web.Response:
    """Forget one, and what it came in with. Raises Refused("connection_unknown")."""
    connection_id = request.match_info["id"]
    if limits_of(request):
        await _require_own(request, connection_id)
    await request.app[DESK].remove(connection_id, _hand(request))
    return success({"connectionId": connection_id}, messages.say(request[LANGUAGE], "connection.forgotten"))


async def _require_own(request: web.Request, connection_id: str) -> None:
    """Raises Refused("connection_unknown") for all but those to repositories that the limited key sees."""
    one, sees = await request.app[DESK].kept.one_github(connection_id), seen_by(request)
    if one is None or not sees(f"{one.owner}/{one.repo}"):
        raise Refused("connection_unknown", connection=connection_id[:40])


def _hand(request: web.Request) -> Hand:
    """Who it is, as the trail names them: by the key's name."""
    key = request[CALLER]
    assert key is not None, "only a job's own pages open without a key"
    return Hand(key.name, "api")


def _shown(one: AwsConnection) -> dict[str, Any]:
    """A name, and to whom it is lent, only where there are such."""
    known: dict[str, Any] = {"connectionId": one.id, "region": one.region, "accountId": one.account_id}
    if one.name is not None:
        known["name"] = one.name
    if one.lent_to:
        known["lentTo"] = [borrower.name for borrower in one.lent_to]
    return known
