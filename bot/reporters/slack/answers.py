"""Says an answer in Slack: to one person by Slack's own way to answer, else in the channel."""

from __future__ import annotations

import logging

from bot.slack.api.client import Saying, SlackClient
from bot.slack.api.replies import SlackRefused
from bot.slack.mrkdwn import cut
from bot.slack.words import spoken
from bot.store.answers import Answer, SlackPlace

TEXT_CHARACTERS = 8_000
FOR_GOOD = frozenset(
    {"channel_not_found", "is_archived", "user_not_in_channel", "not_in_channel", "no_text", "thread_not_found"}
)
"""Refusals that no later try of the same words changes."""

log = logging.getLogger("shipmate.answers")


async def say_in_slack(
    slack: SlackClient | None, place: SlackPlace, answer: Answer, *, look_first: bool = False
) -> None:
    """Say it, or note in the log that nobody can be told. Raises Transient, or SlackRefused where trying helps."""
    if slack is None:
        return log.warning("an answer for Slack is not said: the Slack face is off", extra={"answer": answer.key})
    try:
        if not look_first or not await _is_said(slack, place, answer.key):
            await _say(slack, place, cut(spoken(answer.body), TEXT_CHARACTERS), answer.key)
    except SlackRefused as refused:
        if refused.reason not in FOR_GOOD:
            raise
        log.warning("an answer cannot be said in Slack", extra={"answer": answer.key, "reason": refused.reason})
    return None


async def _is_said(slack: SlackClient, place: SlackPlace, key: str) -> bool:
    """Whether an earlier try was heard, though its reply was lost. What one person alone sees cannot be looked up."""
    if place.user is not None:
        return False
    try:
        return await slack.find(place.channel, key, 0.0, place.thread) is not None
    except SlackRefused as refused:
        log.info("what was said in Slack cannot be looked up", extra={"reason": refused.reason})
        return False


async def _say(slack: SlackClient, place: SlackPlace, text: str, key: str) -> None:
    if place.user is None:
        await slack.post(place.channel, Saying(text, key=key), place.thread)
    elif place.response_url is None or not await _answered(slack, place.response_url, text):
        await slack.whisper(place.channel, place.user, text, place.thread)


async def _answered(slack: SlackClient, response_url: str, text: str) -> bool:
    """Whether Slack took the answer; the address is good five times in half an hour."""
    try:
        await slack.answer(response_url, text)
    except SlackRefused as refused:
        log.info("a response URL is over; the answer goes another way", extra={"reason": refused.reason})
        return False
    return True
