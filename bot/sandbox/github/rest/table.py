"""The table of every REST operation this GitHub serves."""

from bot.sandbox.github.rest import apps, gitdata, people, repositories, talk, work
from bot.sandbox.github.rest.call import Handler

HANDLERS: dict[str, Handler] = {
    **apps.HANDLERS,
    **people.HANDLERS,
    **repositories.HANDLERS,
    **gitdata.HANDLERS,
    **talk.HANDLERS,
    **work.HANDLERS,
}
