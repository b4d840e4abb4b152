"""How a person in Slack ties their GitHub account to it: sign in there, say yes here, in one browser, once."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass

from aiohttp import web

from bot import messages
from bot.clock import Clock
from bot.errors import Refused, ShipmateError, Transient
from bot.model import Repository
from bot.slack.mrkdwn import escaped
from bot.slack.sign_in import CALLBACK_PATH, LINK_PATH, TICKET_LIFE_S, GitHubPerson, SignIn
from bot.store.answers import Answer, SlackPlace
from bot.store.slack import LinkTicket, SlackLink, SlackLinks
from bot.web import link_page

COOKIE = "shipmate_link"
CONFIRM_PATH = "/slack/link/confirm"
MOST_CHARACTERS = 200

log = logging.getLogger("shipmate.slack")

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Linking:
    """What the pages need."""

    links: SlackLinks
    sign_in: SignIn
    clock: Clock
    locale: str = "en"


LINKING: web.AppKey[Linking] = web.AppKey("slack linking", Linking)


@routes.get(LINK_PATH)
async def begin(request: web.Request) -> web.Response:
    """From the message in Slack to GitHub; the browser gets a cookie, so that no other one can go on."""
    linking, secret = request.app[LINKING], _given(request.query.get("state"))
    try:
        await _ticket(linking, secret)
    except Refused as refused:
        return _told(linking, refused)
    answer = web.Response(status=302, headers={"Location": linking.sign_in.authorize_address(secret)})
    secure = linking.sign_in.public_url.startswith("https://")
    answer.set_cookie(
        COOKIE, secret, path=LINK_PATH, max_age=TICKET_LIFE_S, httponly=True, secure=secure, samesite="Lax"
    )
    return answer


@routes.get(CALLBACK_PATH)
async def come_back(request: web.Request) -> web.Response:
    """From GitHub: show both accounts and ask. Nothing is linked yet: someone else may have made this person come."""
    linking, secret = request.app[LINKING], _given(request.query.get("state"))
    try:
        _require_same_browser(request, secret)
        ticket = await _ticket(linking, secret)
        person = await linking.sign_in.person(_given(request.query.get("code")), secret)
    except ShipmateError as error:
        return _told(linking, error)
    proof = linking.sign_in.proof(secret, person)
    fields = {"state": secret, "id": str(person.id), "login": person.login, "proof": proof}
    text = link_page.question(
        linking.locale,
        name=ticket.user_name,
        team=ticket.team_name,
        login=person.login,
        action=CONFIRM_PATH,
        fields=fields,
    )
    return _page(text)


@routes.post(CONFIRM_PATH)
async def confirm(request: web.Request) -> web.Response:
    """The person says yes: linked, once, and told in Slack."""
    linking, form = request.app[LINKING], await request.post()
    secret, number = _given(form.get("state")), _given(form.get("id"))
    try:
        _require_same_browser(request, secret)
        person = GitHubPerson(int(number) if number.isdecimal() else 0, _given(form.get("login")))
        if not linking.sign_in.holds(_given(form.get("proof")), secret, person):
            raise Refused("link_over")
        await _link(linking, secret, person)
    except ShipmateError as error:
        return _told(linking, error)
    answer = _page(link_page.notice(linking.locale, messages.say(linking.locale, "link.done")))
    answer.del_cookie(COOKIE, path=LINK_PATH)
    return answer


async def _link(linking: Linking, secret: str, person: GitHubPerson) -> None:
    ticket = await _ticket(linking, secret)
    text = messages.say(linking.locale, "slack.linked", login=escaped(person.login))
    place = SlackPlace(ticket.channel, ticket.user.user_id)
    answer = Answer(
        f"linked-{linking.sign_in.proof(secret, person)[:40]}", Repository(0, ""), 0, None, text, slack=place
    )
    link = SlackLink(ticket.user, person.id, person.login)
    if not await linking.links.redeem(secret, link, answer, linking.clock()):
        raise Refused("link_over")
    log.info("linked", extra={"slack_user": ticket.user.user_id, "github_id": person.id})


async def _ticket(linking: Linking, secret: str) -> LinkTicket:
    ticket = await linking.links.ticket(secret, linking.clock())
    if ticket is None:
        raise Refused("link_over")
    return ticket


def _require_same_browser(request: web.Request, secret: str) -> None:
    """The browser that began must be the one that goes on. Raises Refused("link_over")."""
    kept = request.cookies.get(COOKIE, "")
    if not secret or not hmac.compare_digest(kept.encode("utf-8", "backslashreplace"), secret.encode()):
        raise Refused("link_over")


def _given(value: object) -> str:
    """A field's text; empty when it is missing, too long, or more than ASCII."""
    return value if isinstance(value, str) and value.isascii() and len(value) <= MOST_CHARACTERS else ""


def _told(linking: Linking, error: ShipmateError) -> web.Response:
    code = "github_unavailable" if isinstance(error, Transient) else error.code
    log.info("a link was not made", extra={"code": error.code})
    text = messages.failure(linking.locale, code, error.facts).replace("`", "")
    return _page(link_page.notice(linking.locale, text), status=503 if isinstance(error, Transient) else 400)


def _page(text: str, status: int = 200) -> web.Response:
    headers = {
        "Content-Security-Policy": link_page.CONTENT_SECURITY_POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)
