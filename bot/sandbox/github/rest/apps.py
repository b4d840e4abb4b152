"""Operations of the app itself: installations, their tokens, and the deliveries of its webhook."""

from typing import Any

from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.model import Installation, iso
from bot.sandbox.github.refusals import GitHubError, not_found
from bot.sandbox.github.rest.call import Call, Handler, Reply
from bot.sandbox.github.shapes import accounts

Json = dict[str, Any]


async def get_app(call: Call) -> Reply:
    """The app that signed the JWT."""
    count = len(call.hub.world.installations)
    return Reply(accounts.app(call.base, call.hub.world.app) | {"installations_count": count})


async def get_app_by_slug(call: Call) -> Reply:
    """The app by its name in URLs."""
    if call.path["app_slug"] != call.hub.world.app.slug:
        raise not_found()
    return Reply(accounts.app(call.base, call.hub.world.app))


async def list_installations(call: Call) -> Reply:
    """Every installation."""
    return call.listed(list(call.hub.world.installations.values()), lambda one: _shape(call, one))


async def get_installation(call: Call) -> Reply:
    """One installation."""
    return Reply(_shape(call, _installation(call)))


async def get_repository_installation(call: Call) -> Reply:
    """The installation that covers a repository."""
    found = call.hub.world.installation_on(call.repository)
    if found is None:
        raise not_found()
    return Reply(_shape(call, found))


async def get_account_installation(call: Call) -> Reply:
    """The installation on an organization or a user."""
    name = call.path.get("org") or call.path["username"]
    matching = (one for one in call.hub.world.installations.values() if one.account.login.lower() == name.lower())
    found = next(matching, None)
    if found is None:
        raise not_found()
    return Reply(_shape(call, found))


async def create_token(call: Call) -> Reply:
    """A new installation token, narrowed to the repositories and permissions asked for."""
    installation = _installation(call)
    if installation.suspended_at:
        raise GitHubError(403, "This installation has been suspended")
    identity, expires_at = call.hub.tokens.mint(installation, call.body)
    said: Json = {"token": identity.token, "expires_at": iso(expires_at), "permissions": identity.permissions}
    if identity.repository_ids is None:
        return Reply(said | {"repository_selection": _shape(call, installation)["repository_selection"]}, 201)
    chosen = [one for one in call.hub.world.covered(installation) if one.id in identity.repository_ids]
    shapes = [accounts.repository(call.base, one) for one in chosen]
    return Reply(said | {"repository_selection": "selected", "repositories": shapes}, 201)


async def revoke_token(call: Call) -> Reply:
    """Give the asking token back."""
    call.hub.tokens.revoke(call.identity.token)
    return Reply(status=204)


async def list_repositories(call: Call) -> Reply:
    """The repositories the asking token reaches."""
    reached = [one for one in call.hub.world.repositories.values() if call.identity.covers(one)]
    chosen = "selected" if call.identity.repository_ids is not None else "all"
    return call.counted(
        "repositories", reached, lambda one: accounts.repository(call.base, one), repository_selection=chosen
    )


async def get_hook_config(call: Call) -> Reply:
    """Where the app's webhook leads."""
    return Reply({"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": call.hub.hooks.url or ""})


async def list_deliveries(call: Call) -> Reply:
    """Deliveries, newest first, paged by cursor: the id the next page begins with."""
    newest = list(reversed(call.hub.hooks.deliveries))
    if wanted := call.query.get("status"):
        newest = [one for one in newest if one.succeeded == (wanted == "success") and one.done.is_set()]
    if cursor := call.query.get("cursor"):
        newest = [one for one in newest if one.id <= _cursor(cursor)]
    size = max(1, min(call.query.get("per_page", 30), 100))
    cursor = f"v1_{newest[size].id}" if len(newest) > size else None
    return Reply([_delivery(one) for one in newest[:size]], cursor=cursor)


async def get_delivery(call: Call) -> Reply:
    """One delivery with what was sent and answered."""
    one = _find_delivery(call)
    request = {"headers": one.request_headers, "payload": one.payload}
    response = {"headers": one.response_headers, "payload": one.response_body}
    more = {"url": call.hub.hooks.url or "", "request": request, "response": response}
    return Reply(_delivery(one) | more)


async def redeliver(call: Call) -> Reply:
    """Send one again, under the same guid."""
    call.hub.hooks.redeliver(_find_delivery(call).id)
    return Reply({}, 202)


async def create_from_manifest(call: Call) -> Reply:
    """The last step of making an app from a manifest: all its secrets, once."""
    app = call.hub.world.app
    if call.path["code"] not in call.hub.manifest_codes:
        raise not_found()
    call.hub.manifest_codes.discard(call.path["code"])
    known = {"client_id": app.client_id, "client_secret": app.client_secret, "pem": app.private_key_pem}
    return Reply(accounts.app(call.base, app) | known | {"webhook_secret": app.webhook_secret}, 201)


def _installation(call: Call) -> Installation:
    found = call.hub.world.installations.get(call.path["installation_id"])
    if found is None:
        raise not_found()
    return found


def _shape(call: Call, one: Installation) -> Json:
    return accounts.installation(call.base, one, call.hub.world.app)


def _cursor(text: str) -> int:
    try:
        return int(text.removeprefix("v1_"))
    except ValueError as error:
        raise GitHubError(400, "Invalid cursor") from error


def _find_delivery(call: Call) -> Delivery:
    try:
        return call.hub.hooks.find(call.path["delivery_id"])
    except Impossible as error:
        raise not_found() from error


def _delivery(one: Delivery) -> Json:
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": iso(one.delivered_at),
        "redelivery": one.redelivery,
        "duration": one.duration_s,
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.message.installation_id,
        "repository_id": one.message.repository_id,
        "throttled_at": None,
    }


HANDLERS: dict[str, Handler] = {
    "apps/get-authenticated": get_app,
    "apps/get-by-slug": get_app_by_slug,
    "apps/list-installations": list_installations,
    "apps/get-installation": get_installation,
    "apps/get-repo-installation": get_repository_installation,
    "apps/get-org-installation": get_account_installation,
    "apps/get-user-installation": get_account_installation,
    "apps/create-installation-access-token": create_token,
    "apps/revoke-installation-access-token": revoke_token,
    "apps/list-repos-accessible-to-installation": list_repositories,
    "apps/get-webhook-config-for-app": get_hook_config,
    "apps/list-webhook-deliveries": list_deliveries,
    "apps/get-webhook-delivery": get_delivery,
    "apps/redeliver-webhook-delivery": redeliver,
    "apps/create-from-manifest": create_from_manifest,
}
