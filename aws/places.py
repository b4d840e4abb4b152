"""Keeps which installation an account of GitHub has in a table of DynamoDB, under its login and under its number."""

from __future__ import annotations

from aws.clients import AwsClients
from aws.items import from_item, to_item
from bot.asked import Place


class DynamoPlaces:
    """A `bot.asked.PlaceTable`. A login may be all digits, so both kinds of key say which they are."""

    def __init__(self, clients: AwsClients, table: str) -> None:
        self._clients, self.name = clients, table

    async def find(self, user: str | int) -> Place | None:
        reply = await self._clients.call(
            "dynamodb", "GetItem", TableName=self.name, Key=to_item({"userId": _key(user)}), ConsistentRead=True
        )
        return _place(from_item(reply["Item"])) if reply.get("Item") else None

    async def put(self, place: Place) -> None:
        for key in _keys(place):
            item = {
                "userId": key,
                "installationId": place.installation_id,
                "login": place.login,
                "accountId": place.account_id,
                "suspended": place.suspended,
            }
            await self._clients.call("dynamodb", "PutItem", TableName=self.name, Item=to_item(item))

    async def remove(self, place: Place) -> None:
        for key in _keys(place):
            await self._clients.call("dynamodb", "DeleteItem", TableName=self.name, Key=to_item({"userId": key}))

    async def all(self) -> list[Place]:
        """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html"""
        found: dict[Place, None] = {}
        after: dict[str, object] = {}
        while True:
            reply = await self._clients.call("dynamodb", "Scan", TableName=self.name, ConsistentRead=True, **after)
            found |= {_place(from_item(item)): None for item in reply.get("Items", [])}
            if not reply.get("LastEvaluatedKey"):
                return list(found)
            after = {"ExclusiveStartKey": reply["LastEvaluatedKey"]}


def _keys(place: Place) -> tuple[str, str]:
    return _key(place.login), _key(place.account_id)


def _key(user: str | int) -> str:
    return f"id#{user}" if isinstance(user, int) else f"login#{user.lower()}"


def _place(known: dict[str, object]) -> Place:
    return Place(
        int(str(known["installationId"])), str(known["login"]), int(str(known["accountId"])), bool(known["suspended"])
    )
