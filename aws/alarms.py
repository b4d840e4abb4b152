"""Looks at the alarms that guard a service before a rollout: one that fires already would switch the guarding off."""

from __future__ import annotations

from aws.clients import AwsClients
from bot.errors import Permanent


async def require_silent(clients: AwsClients, names: tuple[str, ...]) -> None:
    """Raises Permanent("alarm_missing", names) or Permanent("alarm_ringing", names).

    ECS does not watch an alarm that is in ALARM when a deployment begins:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
    """
    if not names:
        return
    reply = await clients.call("cloudwatch", "DescribeAlarms", AlarmNames=list(names))
    found = [*reply.get("MetricAlarms", []), *reply.get("CompositeAlarms", [])]
    states = {str(alarm["AlarmName"]): str(alarm["StateValue"]) for alarm in found}
    missing = [name for name in names if name not in states]
    if missing:
        raise Permanent("alarm_missing", names=missing)
    ringing = [name for name in names if states[name] == "ALARM"]
    if ringing:
        raise Permanent("alarm_ringing", names=ringing)
