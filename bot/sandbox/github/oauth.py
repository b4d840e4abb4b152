"""The OAuth web flow for people: approve, then change the code into a token.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

import base64
import hashlib
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from bot.sandbox.github.hub import Grant, Hub

CODE_LIFE_S = 600


class OAuth:
    """Approves in the name of whom the control API chose, without showing a page."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[web.RouteDef]:
        """The two addresses of the flow."""
        return [
            web.get("/login/oauth/authorize", self.authorize),
            web.post("/login/oauth/access_token", self.exchange),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        """Send the browser back with a code, or with `access_denied` when nobody approves."""
        query = request.query
        if query.get("client_id") != self._hub.world.app.client_id:
            raise web.HTTPNotFound(text="Not Found")
        target = query.get("redirect_uri", "")
        if urlsplit(target).scheme not in ("http", "https"):
            raise web.HTTPBadRequest(text="The redirect_uri is not associated with this application.")
        if self._hub.oauth_as is None:
            said = {"error": "access_denied", "error_description": "The user has denied your application access."}
        else:
            said = {"code": self._grant(target, query.get("code_challenge"))}
        if "state" in query:
            said["state"] = query["state"]
        raise web.HTTPFound(_with_query(target, said))

    def _grant(self, target: str, challenge: str | None) -> str:
        code, person = secrets.token_hex(10), self._hub.world.account(self._hub.oauth_as or "")
        self._hub.grants[code] = Grant(person, target, challenge, self._hub.world.now() + CODE_LIFE_S)
        return code

    async def exchange(self, request: web.Request) -> web.Response:
        """Change a code into a token, once; mistakes are answered with 200 and an `error`, as GitHub does."""
        given = await _fields(request)
        said = self._token(given)
        if "json" in request.headers.get("Accept", ""):
            return web.json_response(said)
        return web.Response(text=urlencode(said), content_type="application/x-www-form-urlencoded")

    def _token(self, given: dict[str, str]) -> dict[str, str]:
        app = self._hub.world.app
        known = (app.client_id, app.client_secret)
        if (given.get("client_id"), given.get("client_secret")) != known:
            return _mistake("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
        grant = self._hub.grants.pop(given.get("code", ""), None)
        if grant is None or grant.expires_at <= self._hub.world.now() or not _verified(grant, given):
            return _mistake("bad_verification_code", "The code passed is incorrect or expired.")
        if given.get("redirect_uri", grant.redirect_uri) != grant.redirect_uri:
            text = "The redirect_uri MUST match the registered callback URL for this application."
            return _mistake("redirect_uri_mismatch", text)
        return {"access_token": self._hub.tokens.for_user(grant.user, "ghu_"), "token_type": "bearer", "scope": ""}


async def _fields(request: web.Request) -> dict[str, str]:
    """What was given as JSON, as a form or in the query."""
    if request.content_type == "application/json":
        body = await request.json()
        return {str(name): str(value) for name, value in body.items()} if isinstance(body, dict) else {}
    form = await request.post()
    return {**request.query, **{name: value for name, value in form.items() if isinstance(value, str)}}


def _mistake(code: str, text: str) -> dict[str, str]:
    return {"error": code, "error_description": text}


def _verified(grant: Grant, given: dict[str, str]) -> bool:
    """Whether the verifier fits the challenge, where one was set."""
    if grant.challenge is None:
        return True
    digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == grant.challenge


def _with_query(url: str, more: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query), *more.items()])
    return urlunsplit(parts._replace(query=query))
