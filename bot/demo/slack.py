"""The demo's acts in Slack: someone ties their accounts together, types a deploy, watches its thread, looks round."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import Any

import aiohttp

from bot.demo.stage import ANSWER_LIMIT_S, JOB_LIMIT_S, LOOK_S, PERSON, Stage, found, within

WHO, WHERE = "U0ALICE", "C0DEPLOYS"
ADDRESS = re.compile(r"<(https?://[^|>]+)\|")
FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')
VIEWS = ("lock {} production --reason a look round", "locks {}", "unlock {} production", "releases {}")
"""A lock, and the ready-made views of locks and releases."""


async def deployed_from_slack(stage: Stage, repository: str) -> None:
    """The same from the other face: accounts tied together, a command typed, the thread watched to its end."""
    stage.say("Slack", "links_accounts", person=PERSON)
    await _tie_accounts(stage)
    said = await _deploy(stage, repository)
    good = said.startswith("🚀")
    stage.say("Slack", "message_says", "green" if good else "red", line=said)
    if not good:
        stage.shown.wrong.append(stage.words("slack_says", line=said))
    for words in VIEWS:
        await _look(stage, words.format(repository))


async def _tie_accounts(stage: Stage) -> None:
    """`/shipmate link`, followed in a browser of its own: GitHub asks, the page asks, the person says yes twice."""
    stage.sandbox.github.approve_oauth_as(PERSON)
    await stage.sandbox.slack.say_command("/shipmate", "link", WHO, WHERE)
    address = await _whispered(stage, ADDRESS)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(address) as page:
            asked = {name: unescape(value) for name, value in FIELD.findall(await page.text())}
            confirm = page.url.with_path("/slack/link/confirm").with_query(None)
        async with browser.post(confirm, data=asked) as done:
            done.raise_for_status()
    await _whispered(stage, re.compile(f"(`{re.escape(PERSON)}`)"))


async def _deploy(stage: Stage, repository: str) -> str:
    """Type `/shipmate deploy`, tell what appears in the thread; answers the message's last words."""
    command = f"deploy {repository}"
    stage.say("Slack", "types", "bold", person=PERSON, command=command)
    before = {message["ts"] for message in stage.sandbox.slack.messages(WHERE)}
    typed = await stage.sandbox.slack.say_command("/shipmate", command, WHO, WHERE)
    stage.say("Slack", "answered", ms=typed.attempts[-1].ms)
    async with within(JOB_LIMIT_S, stage.words("wait.thread")):
        return await _watched(stage, before)


async def _look(stage: Stage, text: str) -> None:
    """Type `/shipmate …`; tell what is whispered back."""
    stage.say("Slack", "types_here", "bold", person=PERSON, command=text)
    known = len(stage.sandbox.slack.ephemeral(WHO, WHERE))
    await stage.sandbox.slack.say_command("/shipmate", text, WHO, WHERE)
    new = await found(
        lambda: stage.sandbox.slack.ephemeral(WHO, WHERE)[known:] or None, ANSWER_LIMIT_S, stage.words("wait.words")
    )
    for line in filter(None, str(new[0]["text"]).splitlines()):
        stage.say("Slack", "whispered", person=PERSON, line=line)
        if "/overview?" in line and (link := ADDRESS.search(line)):
            stage.shown.links.append((stage.words("label.overview", repository=text.split()[1]), link[1]))


async def _watched(stage: Stage, before: set[str]) -> str:
    """The words of a new message, once its thread ends with them."""
    slack, shown = stage.sandbox.slack, set[str]()
    while True:
        for head in [message for message in slack.messages(WHERE) if message["ts"] not in before]:
            for reply in slack.thread(WHERE, head["ts"])[1:]:
                if reply["ts"] not in shown:
                    shown.add(reply["ts"])
                    _tell(stage, reply)
                if reply["text"] == head["text"]:
                    return str(head["text"])
        await asyncio.sleep(LOOK_S)


def _tell(stage: Stage, reply: dict[str, Any]) -> None:
    for line in str(reply["text"]).splitlines():
        stage.say("Slack", "in_thread", line=line)


async def _whispered(stage: Stage, form: re.Pattern[str]) -> str:
    """The group of the newest words for this person alone that have that form, once they are there."""

    def look() -> str | None:
        texts = (str(message["text"]) for message in reversed(stage.sandbox.slack.ephemeral(WHO, WHERE)))
        return next((match[1] for text in texts if (match := form.search(text))), None)

    return await found(look, ANSWER_LIMIT_S, stage.words("wait.words"))
