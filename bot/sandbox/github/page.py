"""The simulated GitHub in a browser: conversations as their readers see them, and a box to say something."""

from collections.abc import Callable, Sequence
from html import escape
from importlib import resources
from typing import Any, NoReturn
from urllib.parse import urlencode

from aiohttp import web
from markdown_it import MarkdownIt

from bot.sandbox.github import readouts
from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.simulator import GitHubSandbox

Json = dict[str, Any]
PATH = "/_control/page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src http: https: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a comment holds can run nothing: the only script is the page's own file."""
API_ROOTS = "api|app|apps|installation|login|orgs|repos|repositories|search|teams|user|users|_control"
"""What an address begins with that is no account's: GitHub has none of these names."""
REPOSITORY = f"/{{owner:(?!(?:{API_ROOTS})/)[^/]+}}/{{repo}}"
EMOJI = {"eyes": "👀", "rocket": "🚀", "confused": "😕", "+1": "👍"}
MARKDOWN = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])


class Page:
    """The page of one simulated GitHub."""

    def __init__(self, github: GitHubSandbox) -> None:
        self._github = github

    def routes(self) -> list[web.RouteDef]:
        """The page, its script, and what it shows at the moment, which the script asks for again and again.

        GitHub's own addresses of a repository, a conversation and a commit lead there.
        """
        return [
            web.get(PATH, _file("page.html", "text/html")),
            web.get(f"{PATH}.js", _file("page.js", "text/javascript")),
            web.get(f"{PATH}/shown", self._shown),
            web.get(REPOSITORY, _onward),
            web.get(f"{REPOSITORY}/{{kind:pull|issues}}/{{number:[0-9]+}}", _onward),
            web.get(f"{REPOSITORY}/commit/{{sha:[0-9a-f]+}}", _onward),
        ]

    async def _shown(self, request: web.Request) -> web.Response:
        """The repository and the conversation, or the commit, that the query names, else the first ones."""
        try:
            repositories = (await readouts.state(self._github))["repositories"]
        except Impossible as error:
            raise web.HTTPNotFound(text=str(error)) from error
        name, number = request.query.get("repo"), request.query.get("number", "")
        chosen = next((one for one in repositories if one["name"] == name), next(iter(repositories), None))
        body = shown(repositories, chosen, int(number) if number.isdigit() else None, request.query.get("sha"))
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": POLICY})


def shown(repositories: Sequence[Json], chosen: Json | None, number: int | None, sha: str | None = None) -> str:
    """Where one can go, then one conversation with the checks of its commit, or those of `sha`, and all deployments."""
    if chosen is None:
        return "<p>There is no repository yet.</p>"
    issues = {one["number"]: one for one in chosen["issues"]}
    issue = None if sha else issues.get(number or 0) or next(iter(issues.values()), None)
    talk = _conversation(chosen, issue) if issue else "<p>Nobody has opened a pull request or an issue here yet.</p>"
    if sha:
        talk = f"<h2>Commit <code>{escape(sha)}</code></h2>"
    meant = sha or (issue.get("head_sha") if issue else None)
    checks = [one for one in chosen["checks"] if meant is None or one["sha"].startswith(meant)]
    number_shown = issue["number"] if issue else ""
    return (
        f'<div id="chosen" data-repo="{escape(chosen["name"])}" data-number="{number_shown}"></div>'
        f"<nav>{_links(repositories, chosen)}</nav><h1>{escape(chosen['name'])}</h1>{talk}"
        f"{_checks(checks)}{_deployments(chosen['deployments'])}"
    )


async def _onward(request: web.Request) -> NoReturn:
    """From an address of GitHub's to the page about the same."""
    named = request.match_info
    about = {name: named[name] for name in ("number", "sha") if name in named}
    query = urlencode({"repo": f"{named['owner']}/{named['repo']}", **about})
    raise web.HTTPFound(f"{PATH}?{query}")


def _links(repositories: Sequence[Json], chosen: Json) -> str:
    repos = [_link(one["name"], one["name"]) for one in repositories]
    talks = [_link(f"#{one['number']} {one['title']}", chosen["name"], one["number"]) for one in chosen["issues"]]
    return " · ".join([*repos, *talks])


def _link(text: str, repo: str, number: int | None = None) -> str:
    query = urlencode({"repo": repo, **({"number": number} if number else {})})
    return f'<a href="{PATH}?{escape(query)}">{escape(text)}</a>'


def _conversation(repository: Json, issue: Json) -> str:
    comments = [_comment(one) for one in repository["comments"] if one["on"] == issue["number"]]
    facts = [escape(issue["state"]), f"by {escape(issue['by'])}"]
    if "head" in issue:
        facts.append(f"<code>{escape(issue['head'])}</code> at <code>{issue['head_sha'][:7]}</code>")
    title = f"<h2>#{issue['number']} {escape(issue['title'])}</h2>"
    return f"{title}<p>{' · '.join(facts)}</p>{''.join(comments)}"


def _comment(one: Json) -> str:
    reactions = " ".join(EMOJI.get(each.partition(" ")[0], each) for each in one["reactions"])
    body = MARKDOWN.render(one["body"])
    return f"<article><header><b>{escape(one['by'])}</b> {escape(reactions)}</header>{body}</article>"


def _checks(checks: Sequence[Json]) -> str:
    return "<h2>Checks</h2>" + "".join(_check(one) for one in reversed(checks)) if checks else ""


def _check(one: Json) -> str:
    buttons = "".join(
        f'<button data-check="{one["id"]}" data-identifier="{escape(button["identifier"])}" '
        f'title="{escape(button["description"])}">{escape(button["label"])}</button>'
        for button in one["buttons"]
    )
    again = f'<button data-check="{one["id"]}">Re-run</button>' if one["state"] not in {"queued", "in_progress"} else ""
    head = f"{one['name']} · {one['title'] or ''} · {one['state']} · {one['sha'][:7]}"
    text = MARKDOWN.render(f"{one['summary'] or ''}\n\n{one['text'] or ''}")
    return f"<details><summary>{escape(head)}</summary>{text}</details><p>{buttons}{again}</p>"


def _deployments(deployments: Sequence[Json]) -> str:
    if not deployments:
        return ""
    rows = "".join(_deployment(one) for one in reversed(deployments))
    return f"<h2>Deployments</h2><table><tr><th>Environment<th>State<th>Commit<th>Address</tr>{rows}</table>"


def _deployment(one: Json) -> str:
    url = next((each["environment_url"] for each in reversed(one["statuses"]) if each["environment_url"]), "") or ""
    cells = (escape(one["environment"]), escape(one["state"] or ""), f"<code>{one['sha'][:7]}</code>")
    return f'<tr><td>{"<td>".join(cells)}<td><a href="{escape(url)}">{escape(url)}</a></tr>'


def _file(name: str, kind: str) -> Callable[[web.Request], Any]:
    async def serve(_: web.Request) -> web.Response:
        text = resources.files("bot.sandbox.github").joinpath(name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind, headers={"Content-Security-Policy": POLICY})

    return serve
