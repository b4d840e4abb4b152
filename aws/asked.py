"""Keeps deployments that were asked for in a table of DynamoDB; of two sides that change one, the second is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aws.clients import AwsClients
from aws.errors import AwsRefusal
from aws.items import Item, from_item, to_item
from bot.asked import Asked, Found, Step, Waits
from bot.errors import Transient
from bot.model import JobState, Repository

INDEX = "awaits-createdAt"
KEPT = timedelta(days=90)
"""How long one is kept after its last change; the server keeps its job for good."""
_CONDITION = "ConditionalCheckFailedException"


class DynamoAsked:
    """A `bot.asked.AskedTable`. A write whose answer was lost is looked for before anyone is told it was not made."""

    def __init__(self, clients: AwsClients, table: str) -> None:
        self._clients, self.name = clients, table

    async def add(self, asked: Asked) -> Asked:
        """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html"""
        if await self._put(asked, "attribute_not_exists(deploymentId)", {}):
            return asked
        return await self._there(asked.id)

    async def get(self, deployment_id: str) -> Asked | None:
        reply = await self._clients.call(
            "dynamodb",
            "GetItem",
            TableName=self.name,
            Key=to_item({"deploymentId": deployment_id}),
            ConsistentRead=True,
        )
        return read(reply["Item"]) if reply.get("Item") else None

    async def change(self, before: Asked, after: Asked) -> Asked | None:
        kept = replace(after, revision=before.revision + 1)
        if await self._put(kept, "revision = :known", {":known": before.revision}):
            return kept
        return kept if await self.get(kept.id) == kept else None

    async def waiting(self, on: Waits, until: datetime, limit: int = 50) -> list[str]:
        """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html"""
        reply = await self._clients.call(
            "dynamodb",
            "Query",
            TableName=self.name,
            IndexName=INDEX,
            KeyConditionExpression="awaits = :side AND createdAt <= :until",
            ExpressionAttributeValues=to_item({":side": on.value, ":until": _when(until)}),
            Limit=limit,
        )
        return [str(from_item(item)["deploymentId"]) for item in reply.get("Items", [])]

    async def _put(self, asked: Asked, condition: str, values: Mapping[str, Any]) -> bool:
        """Whether the condition held. The whole item is written, so that repeating it changes nothing."""
        named: dict[str, Any] = {"ExpressionAttributeValues": to_item(values)} if values else {}
        try:
            await self._clients.call(
                "dynamodb",
                "PutItem",
                TableName=self.name,
                Item=to_item(written(asked)),
                ConditionExpression=condition,
                **named,
            )
        except AwsRefusal as refusal:
            if refusal.aws_code != _CONDITION:
                raise
            return False
        return True

    async def _there(self, deployment_id: str) -> Asked:
        there = await self.get(deployment_id)
        if there is None:
            raise Transient("aws_unavailable", operation="dynamodb.GetItem", message="the item did not show")
        return there


def written(asked: Asked) -> dict[str, Any]:
    """The attributes of its item; those that callers read have the names the API gives them."""
    return {
        "deploymentId": asked.id,
        "userId": asked.user,
        "repo": asked.repo,
        "branch": asked.branch,
        "environment": asked.environment,
        "status": asked.state.value,
        "steps": [{"status": step.state.value, "at": _when(step.at)} for step in asked.steps],
        "createdAt": _when(asked.created_at),
        "awaits": asked.waits.value if asked.waits else None,
        "asker": asked.asker,
        "language": asked.language,
        "revision": asked.revision,
        "buildId": asked.build_id,
        "outcome": dict(asked.outcome),
        "expiresAt": int((asked.moved_at + KEPT).timestamp()),
        **(_about(asked.found) if asked.found else {}),
    }


def _about(found: Found) -> dict[str, Any]:
    return {
        "repository": found.repository.full_name,
        "repositoryId": found.repository.id,
        "installationId": found.installation_id,
        "login": found.login,
        "sha": found.sha,
        "deployedTo": found.environment,
    }


def read(item: Item) -> Asked:
    """What an item says. Raises KeyError, TypeError or ValueError for one that is not ours."""
    known = from_item(item)
    return Asked(
        id=str(known["deploymentId"]),
        user=known["userId"],
        repo=str(known["repo"]),
        branch=str(known["branch"]),
        steps=tuple(Step(JobState(one["status"]), datetime.fromisoformat(one["at"])) for one in known["steps"]),
        environment=known.get("environment"),
        asker=str(known.get("asker", "")),
        language=str(known.get("language", "en")),
        waits=Waits(known["awaits"]) if "awaits" in known else None,
        revision=int(known["revision"]),
        found=_found(known),
        build_id=known.get("buildId"),
        outcome=known.get("outcome") or {},
    )


def _found(known: Mapping[str, Any]) -> Found | None:
    if "sha" not in known:
        return None
    repository = Repository(int(known["repositoryId"]), str(known["repository"]))
    return Found(
        repository, int(known["installationId"]), str(known["login"]), str(known["sha"]), str(known["deployedTo"])
    )


def _when(moment: datetime) -> str:
    """ISO 8601 in UTC, always to the microsecond, so that the order of texts is the order of times."""
    return moment.isoformat(timespec="microseconds")
