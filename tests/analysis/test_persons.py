"""Who is one person: whoever shares an address, a login or a name, in any case."""

from __future__ import annotations

import pytest

from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.people.persons import persons

ANN, BEN = Author("Ann", "ann@example.org"), Author("Ben", "ben@example.org")
NOREPLY = Author("annie", "7+ann-s@users.noreply.github.com")


@pytest.mark.parametrize(
    "other",
    [Author("ANN", "ann@work"), Author("Annie", "ANN@example.org"), NOREPLY],
    ids=["one name", "one address", "one login"],
)
def test_what_has_something_in_common_is_one_person(other: Author) -> None:
    assert persons([ANN, BEN, other], {ANN.email: "Ann-S"}) == [[ANN, other], [BEN]]


def test_who_shares_something_with_two_makes_one_of_them() -> None:
    between = Author("ben", ANN.email)
    assert persons([ANN, BEN, between, ANN]) == [[ANN, BEN, between]]


def test_having_no_name_or_no_address_is_nothing_in_common() -> None:
    strangers = [Author("", "a@example.org"), Author("", "b@example.org"), Author("Ann", ""), Author("Ben", "")]
    assert persons([*strangers, Author("", "")]) == [[one] for one in [*strangers, Author("", "")]]
