"""Methods about who is who: auth.test, users.*, team.info, bots.info."""

from typing import Any

from bot.sandbox.slack.desk import Call
from bot.sandbox.slack.methods.pages import page
from bot.sandbox.slack.refusals import SlackError
from bot.sandbox.slack.shapes import bot_json, user_json
from bot.sandbox.slack.workspace import User

Json = dict[str, Any]


def auth_test(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/auth.test"""
    workspace = call.workspace
    team = {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.name,
        "team_id": workspace.team_id,
        "is_enterprise_install": False,
    }
    if call.grant.kind == "app":
        return {"app_id": workspace.app_id, "app_name": "Shipmate"}
    bot = workspace.users[workspace.bot_user]
    return {**team, "user": bot.name, "user_id": bot.id, "bot_id": workspace.bot_id}


def user_info(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.info"""
    return {"user": _shown(call, call.workspace.user(call.args["user"]))}


def lookup_by_email(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.lookupByEmail: active people only."""
    for user in call.workspace.users.values():
        if user.email and user.email.lower() == call.args["email"].lower() and not user.deleted:
            return {"user": _shown(call, user)}
    raise SlackError("users_not_found")


def list_users(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/users.list"""
    shown, metadata = page(call, list(call.workspace.users.values()))
    return {"members": [_shown(call, user) for user in shown], "response_metadata": metadata}


def _shown(call: Call, user: User) -> Json:
    """A user as this token may see them: the address needs users:read.email, the locale is given when asked for."""
    shape = user_json(call.workspace, user)
    if "users:read.email" not in call.grant.scopes:
        shape["profile"].pop("email", None)
    if call.args.get("include_locale"):
        shape["locale"] = user.locale
    return shape


def team_info(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/team.info"""
    workspace = call.workspace
    if call.args.get("team", workspace.team_id) != workspace.team_id:
        raise SlackError("team_not_found")
    team = {"id": workspace.team_id, "name": workspace.name, "domain": workspace.domain, "email_domain": "acme.test"}
    return {"team": {**team, "icon": {"image_default": True}}}


def bot_info(call: Call) -> Json:
    """https://docs.slack.dev/reference/methods/bots.info"""
    if call.args.get("bot", call.workspace.bot_id) != call.workspace.bot_id:
        raise SlackError("bot_not_found")
    return {"bot": bot_json(call.workspace)}
