"""A table's stream and what Lambda does with it: filters, batches, checkpoints, tries, halves, records put aside."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from aws.clients import AwsClients
from tests.aws.infra.template import properties

if TYPE_CHECKING:
    from moto.events.models import EventPattern

Record = dict[str, Any]
Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
TRIES = 6
"""The first, and five more."""


@dataclass
class Pump:
    """Hands a handler what the stream has, as an event source mapping does.

    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """

    clients: AwsClients
    table: str
    arrange: Callable[[list[Record]], list[Record]] = lambda records: records
    """What becomes of a batch on its way: some come twice, or in another order."""
    aside: list[Record] = field(default_factory=list)
    """What the failure queue was told of."""
    _read: dict[str, str] = field(default_factory=dict)

    async def run(self, handler: Handler) -> None:
        """Everything that is new, to its end."""
        for shard, records in (await self.new()).items():
            self._read[shard] = records[-1]["dynamodb"]["SequenceNumber"]
            await self.deliver(self.arrange(records), handler)

    async def deliver(self, records: list[Record], handler: Handler, tries: int = TRIES) -> None:
        """A batch: from the first that failed on it comes again; a handler that breaks gets it in halves."""
        while records and tries:
            tries -= 1
            try:
                reply = await handler({"Records": records})
            except Exception:  # noqa: BLE001 - whatever a handler raises, the batch comes again
                if len(records) > 1:
                    middle = len(records) // 2
                    await self.deliver(records[:middle], handler, tries)
                    await self.deliver(records[middle:], handler, tries)
                    return
                continue
            failed = {one["itemIdentifier"] for one in reply["batchItemFailures"]}
            numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
            first = next((place for place, number in enumerate(numbers) if number in failed), len(records))
            records = records[first:]
        if records:
            self.aside.append(records[0])
            await self.deliver(records[1:], handler)

    async def new(self) -> dict[str, list[Record]]:
        """Records that were not read before and that the template lets through, by shard."""
        found = {}
        for stream in (await self._streams("ListStreams", TableName=self.table))["Streams"]:
            arn = stream["StreamArn"]
            for shard in (await self._streams("DescribeStream", StreamArn=arn))["StreamDescription"]["Shards"]:
                if records := await self._in(arn, shard["ShardId"]):
                    found[shard["ShardId"]] = records
        return found

    async def _in(self, arn: str, shard: str) -> list[Record]:
        begin: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard in self._read:
            begin = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._read[shard]}
        at = (await self._streams("GetShardIterator", StreamArn=arn, ShardId=shard, **begin))["ShardIterator"]
        return [one for one in (await self._streams("GetRecords", ShardIterator=at))["Records"] if wanted(one)]

    async def _streams(self, operation: str, **asked: Any) -> dict[str, Any]:
        return await self.clients.call("dynamodbstreams", operation, **asked)


def wanted(record: Record) -> bool:
    """Whether a filter of the template's lets it through.

    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
    """
    told = json.loads(json.dumps(record, default=str))
    return any(pattern.matches_event(told) for pattern in _patterns())


@cache
def _patterns() -> list[EventPattern]:
    from moto.events.models import EventPattern  # with the first test that asks: each worker collects this

    filters = properties("DeploymentsToWork")["FilterCriteria"]["Filters"]
    return [EventPattern.load(one["Pattern"]) for one in filters]


def doubled(records: list[Record]) -> list[Record]:
    """Each record twice, one after the other."""
    return [record for one in records for record in (one, one)]


def reversed_order(records: list[Record]) -> list[Record]:
    """The newest first."""
    return records[::-1]
