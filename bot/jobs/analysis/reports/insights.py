"""Tells what a maintainer asks next: how old the lines are, on how few people they rest, and how many came new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.jobs.analysis.blame.history import History
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.people.persons import persons
from bot.jobs.analysis.reports.series import DAY_S, year_of
from bot.jobs.analysis.reports.shares import share


@dataclass(frozen=True, slots=True)
class LinesOfYear:
    """How many of the lines that are there now were written in a year, and their share of all."""

    year: int
    lines: int
    share: float


@dataclass(frozen=True, slots=True)
class BusFactor:
    """The fewest people who own more than half of the lines that people own: whose leaving would hurt.

    `lines` are theirs together, `share` is of all people's lines; bots count on neither side.
    """

    authors: tuple[Author, ...] = ()
    lines: int = 0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class PeopleOfYear:
    """How many people committed in a year (merges aside), and for how many of them it was the first time."""

    year: int
    authors: int
    newcomers: int


@dataclass(frozen=True, slots=True)
class Insights:
    """All of it, of the whole history and all counted files, years in order."""

    age: Sequence[LinesOfYear] = ()
    bus_factor: BusFactor = field(default_factory=BusFactor)
    newcomers: Sequence[PeopleOfYear] = ()

    def to_json(self) -> dict[str, Any]:
        """As published: the keys `busFactor`, `age` and `newcomers` of a report."""
        few = self.bus_factor
        return {
            "busFactor": {
                "authors": len(few.authors),
                "names": [str(author) for author in few.authors],
                "lines": few.lines,
                "share": few.share,
            },
            "age": [{"year": one.year, "lines": one.lines, "share": one.share} for one in self.age],
            "newcomers": [
                {"year": one.year, "authors": one.authors, "newcomers": one.newcomers} for one in self.newcomers
            ],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Insights:
        """What `to_json` told within a report; one that was kept before there were insights has none."""
        if "busFactor" not in told:
            return cls()
        few = told["busFactor"]
        return cls(
            [LinesOfYear(**one) for one in told["age"]],
            BusFactor(tuple(map(_author, few["names"])), few["lines"], few["share"]),
            [PeopleOfYear(**one) for one in told["newcomers"]],
        )


def gain_insights(
    history: History, authors: Sequence[Author], owned: Iterable[Mapping[int, int]], lines: Mapping[Author, int]
) -> Insights:
    """Look at what a run knows already. `authors` are those of the identities, `owned` each counted file's lines by
    commit number, `lines` the sums by author."""
    return Insights(lines_by_year(history, owned), find_bus_factor(lines), people_by_year(history, authors))


def lines_by_year(history: History, owned: Iterable[Mapping[int, int]]) -> list[LinesOfYear]:
    """Lines by the year of the commit that git blame names, by the author's clock in UTC."""
    by_commit: dict[int, int] = {}
    for file in owned:
        for commit, count in file.items():
            by_commit[commit] = by_commit.get(commit, 0) + count
    years: Counter[int] = Counter()
    for commit, count in by_commit.items():
        years[year_of(history.time[commit] // DAY_S)] += count
    total = years.total()
    return [LinesOfYear(year, years[year], share(years[year], total)) for year in sorted(years)]


def find_bus_factor(lines: Mapping[Author, int]) -> BusFactor:
    """Those with the most lines first, then by name, until they have more than half.

    A person's lines are those of all their addresses; they are called as where they have most.
    """
    owned = {author: count for author, count in lines.items() if count and not author.is_bot}
    ranked = sorted(owned, key=lambda author: (-owned[author], author))
    people = {same[0]: sum(owned[author] for author in same) for same in persons(ranked)}
    total, held = sum(people.values()), 0
    few: list[Author] = []
    for author in sorted(people, key=lambda author: (-people[author], author)):
        few.append(author)
        held += people[author]
        if 2 * held > total:
            break
    return BusFactor(tuple(few), held, share(held, total))


def people_by_year(history: History, authors: Sequence[Author]) -> list[PeopleOfYear]:
    """People by year; one who commits under several names or addresses counts once."""
    columns = zip(history.time, history.author, history.merge, strict=True)
    is_person = [not author.is_bot for author in authors]
    seen = {(time // DAY_S, identity) for time, identity, merge in columns if not merge and is_person[identity]}
    person = {author: same[0] for same in persons(authors) for author in same}
    active = {(year_of(day), person[authors[identity]]) for day, identity in seen}
    first: dict[Author, int] = {}
    for year, author in active:
        first[author] = min(year, first.get(author, year))
    people, newcomers = Counter(year for year, _ in active), Counter(first.values())
    return [PeopleOfYear(year, people[year], newcomers[year]) for year in sorted(people)]


def _author(told: str) -> Author:
    """An author by how it is written, `Name <address>`: git lets no angle bracket into either."""
    name, _, email = told.rpartition(" <")
    return Author(name, email.removesuffix(">"))
