"""The demo's act in Slack: someone ties their accounts together, types a deploy, and watches it in the thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import aiohttp

from bot.errors import ShipmateError
from bot.sandbox.sandbox import Sandbox

WHO, WHERE = "U0ALICE", "C0DEPLOYS"
ADDRESS = re.compile(r"<(https?://[^|>]+)\|")
FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')

Say = Callable[[str], None]


async def tie_accounts(sandbox: Sandbox, login: str, limit_s: float) -> None:
    """`/shipmate link`, followed in a browser of its own: GitHub asks, the page asks, the person says yes twice."""
    sandbox.github.approve_oauth_as(login)
    await sandbox.slack.say_command("/shipmate", "link", WHO, WHERE)
    address = await _whispered(sandbox, ADDRESS, limit_s)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(address) as page:
            asked = {name: unescape(value) for name, value in FIELD.findall(await page.text())}
            confirm = page.url.with_path("/slack/link/confirm").with_query(None)
        async with browser.post(confirm, data=asked) as done:
            done.raise_for_status()
    await _whispered(sandbox, re.compile(f"(`{re.escape(login)}`)"), limit_s)


async def deploy_from_slack(sandbox: Sandbox, repository: str, say: Say, limit_s: float) -> str:
    """Type `/shipmate deploy`, tell what appears in the thread; answers the message's last words."""
    before = {message["ts"] for message in sandbox.slack.messages(WHERE)}
    typed = await sandbox.slack.say_command("/shipmate", f"deploy {repository}", WHO, WHERE)
    say(f"answered after {typed.attempts[-1].ms:.0f} ms, with the command on disk")
    try:
        async with asyncio.timeout(limit_s):
            return await _watched(sandbox, before, say)
    except TimeoutError as error:
        raise ShipmateError("demo_waited_in_vain", waited_for="the thread in Slack", limit_s=limit_s) from error


async def asked(sandbox: Sandbox, text: str, limit_s: float) -> str:
    """Type `/shipmate …`; answers what is whispered back."""
    known = len(sandbox.slack.ephemeral(WHO, WHERE))
    await sandbox.slack.say_command("/shipmate", text, WHO, WHERE)
    try:
        async with asyncio.timeout(limit_s):
            while True:
                if new := sandbox.slack.ephemeral(WHO, WHERE)[known:]:
                    return str(new[0]["text"])
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise ShipmateError("demo_waited_in_vain", waited_for="words in Slack", limit_s=limit_s) from error


async def _watched(sandbox: Sandbox, before: set[str], say: Say) -> str:
    shown: set[str] = set()
    while True:
        for head in [message for message in sandbox.slack.messages(WHERE) if message["ts"] not in before]:
            for reply in sandbox.slack.thread(WHERE, head["ts"])[1:]:
                if reply["ts"] not in shown:
                    shown.add(reply["ts"])
                    _tell(reply, say)
                if reply["text"] == head["text"]:
                    return str(head["text"])
        await asyncio.sleep(0.05)


def _tell(reply: dict[str, Any], say: Say) -> None:
    for line in str(reply["text"]).splitlines():
        say(f"in the thread: {line}")


async def _whispered(sandbox: Sandbox, form: re.Pattern[str], limit_s: float) -> str:
    """The group of the newest words for this person alone that have that form, once they are there."""
    try:
        async with asyncio.timeout(limit_s):
            while True:
                for message in reversed(sandbox.slack.ephemeral(WHO, WHERE)):
                    if found := form.search(str(message["text"])):
                        return found[1]
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise ShipmateError("demo_waited_in_vain", waited_for="words in Slack", limit_s=limit_s) from error
