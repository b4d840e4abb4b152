"""Takes messages off an SQS queue once what they asked for is done."""

from __future__ import annotations

from aws.clients import AwsClients


async def take_off(clients: AwsClients, queue_url: str, receipt: str) -> None:
    """Delete the message that was received with that handle. Repeatable, also for one that is gone.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
    """
    await clients.call("sqs", "DeleteMessage", QueueUrl=queue_url, ReceiptHandle=receipt)
