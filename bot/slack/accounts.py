"""Who a person in Slack is at GitHub: what they can say about it, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot import messages
from bot.clock import Clock
from bot.errors import Refused
from bot.slack.inbound.interactions import Speaker
from bot.slack.inbound.requests import SlackSaid
from bot.slack.mrkdwn import escaped
from bot.slack.sign_in import TICKET_LIFE_S, SignIn
from bot.store.slack import LinkTicket, SlackLink, SlackLinks, SlackUser


@dataclass(frozen=True, slots=True)
class Accounts:
    """The links, and how people prove theirs. Without `sign_in` nobody can be linked here."""

    links: SlackLinks
    sign_in: SignIn | None
    clock: Clock
    locale: str = "en"

    async def of(self, speaker: Speaker) -> SlackLink:
        """Raises Refused("slack_not_linked")."""
        link = await self.links.of(speaker.user)
        if link is None:
            raise Refused("slack_not_linked")
        return link

    async def answer(self, word: str, said: SlackSaid, delivery_guid: str) -> str:
        """The answer to `link`, `unlink` or `whoami`. Repeatable. Raises Refused("link_unavailable")."""
        if word == "link":
            return await self._offer(said, delivery_guid)
        if word == "unlink":
            gone = await self.links.unlink(said.speaker.user)
            return messages.say(self.locale, "slack.unlinked" if gone else "slack.not_linked")
        return await self._who(said.speaker.user)

    async def _who(self, user: SlackUser) -> str:
        link = await self.links.of(user)
        if link is None:
            return messages.say(self.locale, "slack.not_linked")
        return messages.say(self.locale, "slack.whoami", login=escaped(link.github_login), id=link.github_id)

    async def _offer(self, said: SlackSaid, delivery_guid: str) -> str:
        if self.sign_in is None:
            raise Refused("link_unavailable")
        secret = self.sign_in.secret_for(delivery_guid)
        speaker = said.speaker
        ticket = LinkTicket(speaker.user, speaker.name, speaker.team_name, said.where.channel)
        await self.links.offer(secret, ticket, self.clock() + timedelta(seconds=TICKET_LIFE_S))
        address = self.sign_in.link_address(secret)
        return messages.say(self.locale, "slack.link", address=address, minutes=TICKET_LIFE_S // 60)
