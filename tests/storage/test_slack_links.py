"""People in Slack and their GitHub accounts: one link each, made by a ticket that is good once."""

from __future__ import annotations

import asyncio

import pytest

from bot.model import Repository
from bot.store.answers import Answer, SlackPlace
from bot.store.slack import LinkTicket, SlackLink, SlackUser
from bot.store.store import Store
from tests.storage.sample import NOW, after

ALICE = SlackUser("T0ACME", "U0ALICE")
BORA = SlackUser("T0ACME", "U0BORA")
TICKET = LinkTicket(ALICE, "alice", "acme", "C0DEPLOYS")
LINK = SlackLink(ALICE, 7, "alice-gh")
TOLD = Answer("link", Repository(0, ""), 0, None, "Linked.", slack=SlackPlace("C0DEPLOYS", "U0ALICE"))


@pytest.fixture
async def offered(store: Store) -> str:
    await store.slack_links.offer("a secret", TICKET, after(600))
    return "a secret"


async def test_a_ticket_links_its_own_person_and_the_answer_is_kept(store: Store, offered: str) -> None:
    assert await store.slack_links.ticket(offered, NOW) == TICKET
    assert await store.slack_links.redeem(offered, LINK, TOLD, NOW)
    assert await store.slack_links.of(ALICE) == LINK
    assert [answer for _, answer, _ in await store.answers.due(NOW)] == [TOLD]


async def test_a_ticket_is_good_once_however_many_come_with_it(store: Store, offered: str) -> None:
    redeemed = await asyncio.gather(*(store.slack_links.redeem(offered, LINK, TOLD, NOW) for _ in range(5)))
    assert sorted(redeemed) == [False] * 4 + [True]


async def test_an_expired_ticket_links_nobody(store: Store, offered: str) -> None:
    assert await store.slack_links.ticket(offered, after(600)) is None
    assert not await store.slack_links.redeem(offered, LINK, TOLD, after(600))
    assert await store.slack_links.of(ALICE) is None


async def test_a_ticket_of_one_person_cannot_link_another(store: Store, offered: str) -> None:
    assert not await store.slack_links.redeem(offered, SlackLink(BORA, 8, "bora"), TOLD, NOW)
    assert await store.slack_links.of(BORA) is None
    assert await store.slack_links.ticket(offered, NOW) == TICKET


async def test_who_links_anew_is_linked_to_the_newer_account(store: Store, offered: str) -> None:
    await store.slack_links.redeem(offered, LINK, TOLD, NOW)
    await store.slack_links.offer("another", TICKET, after(600))
    await store.slack_links.redeem("another", SlackLink(ALICE, 9, "alice-2"), TOLD, NOW)
    assert await store.slack_links.of(ALICE) == SlackLink(ALICE, 9, "alice-2")


async def test_unlinking_ends_the_link_and_the_tickets_not_used_yet(store: Store, offered: str) -> None:
    await store.slack_links.redeem(offered, LINK, TOLD, NOW)
    await store.slack_links.offer("another", TICKET, after(600))
    assert await store.slack_links.unlink(ALICE)
    assert await store.slack_links.of(ALICE) is None
    assert await store.slack_links.ticket("another", NOW) is None
    assert not await store.slack_links.unlink(ALICE)


async def test_tickets_that_have_expired_are_forgotten_though_nobody_links(store: Store, offered: str) -> None:
    await store.slack_links.offer("a later one", TICKET, after(1200))
    assert await store.slack_links.prune(after(600)) == 1
    assert await store.slack_links.ticket(offered, NOW) is None
    assert await store.slack_links.ticket("a later one", NOW) == TICKET
    assert await store.slack_links.prune(after(600)) == 0
