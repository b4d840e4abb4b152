"""The table of every REST operation this GitHub serves."""

from bot.sandbox.github.rest import apps, checks, deployments, gitdata, people, repositories, talk
from bot.sandbox.github.rest.call import Handler

HANDLERS: dict[str, Handler] = {
    **apps.HANDLERS,
    **people.HANDLERS,
    **repositories.HANDLERS,
    **gitdata.HANDLERS,
    **talk.HANDLERS,
    **checks.HANDLERS,
    **deployments.HANDLERS,
}
