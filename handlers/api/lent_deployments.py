"""`POST /api/v1/deploy`: deploy a branch through connections that were lent, to GitHub and to AWS."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot import messages
from bot.api.forms import BRANCH, NAME, NAMED_ENVIRONMENT
from bot.desk.given import Given
from bot.desk.lent_programs import LentAsk, LentProgramDesk
from handlers.api.bodies import read_body
from handlers.api.envelope import success
from handlers.api.gateway import CALLER, LANGUAGE
from handlers.api.reach import limits_of, seen_by

DESK: web.AppKey[LentProgramDesk] = web.AppKey("lent program desk")

routes = web.RouteTableDef()

_ID = {"type": "string", "minLength": 1, "maxLength": 100}
_OF_ECS = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,255}$"}
ELSEWHERE = ["docker", "process"]
"""Targets that no account at AWS is needed for."""
ASK: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["owner", "repo", "branch"],
    "if": {"required": ["gitHubConnectionId"]},
    "else": {"required": ["githubConnectionId"]},
    "allOf": [
        {
            "if": {"properties": {"target": {"enum": ELSEWHERE}}, "required": ["target"]},
            "else": {"required": ["awsConnectionId"]},
        }
    ],
    "properties": {
        "githubConnectionId": _ID,
        "gitHubConnectionId": _ID,
        "awsConnectionId": _ID,
        "owner": NAME,
        "repo": NAME,
        "branch": BRANCH,
        "ecsServiceName": _OF_ECS,
        "ecsClusterName": _OF_ECS,
        "ecsTaskFamily": _OF_ECS,
        "containerPort": {"type": "integer", "minimum": 1, "maximum": 65535},
        "desiredCount": {"type": "integer", "minimum": 1, "maximum": 1000},
        "environment": NAMED_ENVIRONMENT,
        "target": {"enum": ["ecs", *ELSEWHERE]},
    },
}
"""`gitHubConnectionId` is the older spelling."""
_SETTINGS = {
    "ecsServiceName": "service",
    "ecsClusterName": "cluster",
    "ecsTaskFamily": "family",
    "desiredCount": "desired_count",
}
"""Fields that say what a key of the settings' `ecs` would."""


@routes.post("/api/v1/deploy")
async def deploy(request: web.Request) -> web.Response:
    """Take a deployment on; it goes on in the background, and `events` and `result` of its id tell of it.

    With an `Idempotency-Key` the same asking means the same deployment, however often it comes.
    """
    body = await read_body(request, ASK)
    job = await request.app[DESK].deploy(_asked(request, body), seen_by(request))
    message = messages.say(request[LANGUAGE], "api.deployment_taken")
    return success({"deploymentId": job.id, "message": message}, message)


def _asked(request: web.Request, body: dict[str, Any]) -> LentAsk:
    target = body.get("target", "ecs")
    given = Given(
        aws=body.get("awsConnectionId") if target == "ecs" else None,
        only_if_lent=bool(limits_of(request)),
        target=target,
        port=body.get("containerPort"),
        ecs={setting: body[name] for name, setting in _SETTINGS.items() if name in body},
    )
    github = body.get("githubConnectionId") or body["gitHubConnectionId"]
    repository, key = f"{body['owner']}/{body['repo']}", request[CALLER]
    assert key is not None, "only a job's own pages open without a key"
    given_once = request.headers.get("Idempotency-Key")
    once = f"{key.id} {given_once}" if given_once else None
    return LentAsk(github, repository, body["branch"], key.name, body.get("environment"), given, once)
