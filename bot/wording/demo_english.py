"""The sentences in English of the demo: what its people do, what is seen, and where to look round."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "demo.no_engine": "No Docker engine answers, so this builds and runs local processes, for trying out only.",
    "demo.install_engine": "For the real thing install and start Docker: https://docs.docker.com/engine/install/",
    "demo.engine": "Docker engine {version} answers.",
    "demo.own_base": "No base image can be pulled; making one from this machine's own Python {version} (docker import).",
    "demo.pushes": "{person} pushes to main",
    "demo.check_run": "check run “{name}” on {sha}",
    "demo.comments": "{person} comments {command} on #{number}; someone uses the service all the while",
    "demo.requests": "requests meanwhile: {answered}, failed: {failed}",
    "demo.requests_failed": "{failed} of {asked} requests failed during the switch",
    "demo.serves": "{url} serves: {line}",
    "demo.serves_nothing": "{url} serves nothing",
    "demo.serves_other": "{url} does not serve version {version}",
    "demo.reactions": "reactions on {command}: {reactions}",
    "demo.comment": "comment by {person}: {line}",
    "demo.links_accounts": "{person} types /shipmate link, signs in at GitHub and says yes",
    "demo.types": "{person} types /shipmate {command} in #deploys",
    "demo.types_here": "{person} types /shipmate {command}",
    "demo.answered": "answered after {ms:.0f} ms, with the command on disk",
    "demo.message_says": "the message now says: {line}",
    "demo.slack_says": "Slack says: {line}",
    "demo.whispered": "to {person} alone: {line}",
    "demo.in_thread": "in the thread: {line}",
    "demo.wait.check_run": "the check run of {repository}",
    "demo.wait.reaction": "the reaction on the comment",
    "demo.wait.thread": "the thread in Slack",
    "demo.wait.words": "words in Slack",
    "demo.label.serves": "{repository} serves   {url}",
    "demo.label.log": "{repository} {sha} log",
    "demo.label.overview": "{repository} overview",
    "demo.label.github": "GitHub (simulated)       {url}",
    "demo.label.slack": "Slack (simulated)        {url}",
    "demo.label.server": "server                   {url}   log {log}",
    "demo.wrong": "wrong: {what}",
    "demo.right": "Everything went as it should.",
    "demo.stays": "Still up; look around. Ctrl-C ends it.",
    "demo.try": (
        "In a browser, at GitHub (simulated), say on the pull request: /status, /why, /rollback, /lock production, "
        "/deplyo …\nand at Slack (simulated): /shipmate deploy {repository}. As bob, who may only read, see what is refused, "
        "and how."
    ),
    "demo.stopped": "The demo cannot go on: {reason}",
}
