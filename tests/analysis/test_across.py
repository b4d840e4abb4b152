"""What a release shipped, and what several repositories come to together."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

from bot.jobs.analysis.faces.portfolio_page import render_portfolio
from bot.jobs.analysis.faces.shell import Access, run_analyze
from bot.jobs.analysis.faces.table import show_portfolio
from bot.jobs.analysis.reports.portfolio import add_up
from bot.jobs.analysis.repositories.naming import names_of
from bot.jobs.analysis.runs.shipped import shipped_between
from bot.jobs.analysis.summary import of_portfolio, of_report
from tests.analysis.histories import BEN, History, git
from tests.analysis.running import analysed


def test_a_release_shipped_what_came_since_the_one_before(history: History) -> None:
    history.commit({"a.py": b"1\n"})
    before = history.commit({"a.py": b"1\n2\n"})
    history.commit({"a.py": b"1\n2\n3\n", "b.js": b"1\n2\n3\n"}, author=BEN)
    history.commit({"b.js": b"1\n"}, author=BEN)
    shipped = shipped_between(history.write(), f"c{before}", "HEAD")
    assert [(row.author.name, row.commits, row.added, row.deleted) for row in shipped.authors] == [("Ben", 2, 4, 2)]
    assert [(row.name, row.added, row.deleted) for row in shipped.languages] == [("JavaScript", 3, 2), ("Python", 1, 0)]


def test_a_first_release_shipped_everything(history: History) -> None:
    history.commit({"a.py": b"1\n"})
    history.commit({"a.py": b"1\n2\n"}, author=BEN)
    shipped = shipped_between(history.write(), None, "HEAD")
    assert [row.author.name for row in shipped.authors] == ["Ann", "Ben"]


def test_the_same_release_again_shipped_nothing(history: History) -> None:
    history.commit({"a.py": b"1\n"})
    shipped = shipped_between(history.write(), "HEAD", "HEAD")
    assert (shipped.authors, shipped.languages) == ((), ())


def test_a_person_is_added_up_over_repositories(tmp_path: Path) -> None:
    one, two = History(tmp_path / "one"), History(tmp_path / "two")
    one.commit({"a.py": b"1\n2\n"})
    one.commit({"b.py": b"1\n"}, author=BEN)
    two.commit({"a.js": b"1\n2\n3\n"}, author=b"Ann Smith <ANN@example.org>")
    summary = add_up([analysed(one.write()), analysed(two.write())])
    ann, ben = summary.people
    assert (ann.author.name, ann.lines, ann.commits, round(ann.share, 2)) == ("Ann Smith", 5, 2, 0.83)
    assert (ann.repositories, ann.languages) == ({"two": 3, "one": 2}, {"JavaScript": 3, "Python": 2})
    assert (ben.lines, ben.repositories) == (1, {"one": 1})
    assert (summary.files, summary.lines, summary.languages) == (3, 6, {"JavaScript": 3, "Python": 3})
    assert summary.to_json()["repositories"] == ["one", "two"]


def test_who_has_another_address_in_each_repository_is_one_person(tmp_path: Path) -> None:
    one, two = History(tmp_path / "one"), History(tmp_path / "two")
    one.commit({"a.py": b"1\n2\n"})
    two.commit({"b.py": b"1\n"}, author=b"Ann <ann@work.example.org>")
    two.commit({"c.py": b"1\n"}, author=b"Ann S. <a@home.example.org>")
    two.commit({"d.py": b"1\n"}, author=BEN)
    reports = [analysed(one.write()), analysed(two.write())]
    known = [replace(report, logins={"ann@example.org": "ann-s", "a@home.example.org": "ANN-S"}) for report in reports]
    assert [(str(person.author), person.lines) for person in add_up(known).people] == [
        ("Ann <ann@example.org>", 4),
        ("Ben <ben@example.org>", 1),
    ]


def test_what_faces_show_at_once_has_each_person_once(history: History) -> None:
    history.commit({"a.py": b"1\n2\n"})
    history.commit({"b.py": b"1\n"}, author=b"Ann <ann@work.example.org>")
    history.commit({"c.py": b"1\n"}, author=BEN)
    told = of_report(replace(analysed(history.write()), logins={"ann@work.example.org": "ann-s"}), "en")
    assert [(one["name"], one["login"], one["lines"], one["commits"]) for one in told["authors"]] == [
        ("Ann", "ann-s", 3, 2),
        ("Ben", None, 1, 1),
    ]
    assert (told["authorCount"], told["addresses"], told["busFactor"]) == (2, 3, 1)


def test_the_code_of_several_repositories_is_told_apart_too(tmp_path: Path) -> None:
    reports = []
    for name in ("one", "two"):
        history = History(tmp_path / name)
        history.commit({"a.py": b"1\n", "data.json": b"[\n]\n" * 5})
        reports.append(analysed(history.write()))
    told = of_portfolio(add_up(reports), "en")
    assert [one["name"] for one in told["languages"]] == ["JSON", "Python"]
    assert told["code"] == [{"name": "Python", "lines": 2, "share": 1.0}]
    shown = io.StringIO()
    show_portfolio(add_up(reports), shown)
    for face in (shown.getvalue(), render_portfolio(add_up(reports))):
        assert "Without data and prose" in face
        assert "Python 100.0%." in face


def test_several_repositories_are_told_with_their_lines_and_languages(tmp_path: Path) -> None:
    reports = []
    for name, lines in (("one", 3), ("two", 1)):
        history = History(tmp_path / name)
        history.commit({"a.py": b"1\n" * lines}, author=b"%s <%s@example.org>" % (name.encode(), name.encode()))
        reports.append(analysed(history.write()))
    shown = io.StringIO()
    show_portfolio(add_up(reports), shown)
    rows = [line.split() for line in shown.getvalue().splitlines()]
    assert [row[:3] for row in rows if row[:1] == ["one"]] == [["one", "3", "75.0%"]] * 2
    assert ["Python", "4", "100.0%", "█" * 20] in rows


def test_the_shell_adds_several_repositories_up(tmp_path: Path) -> None:
    places = []
    for name in ("one", "two"):
        history = History(tmp_path / f"{name}.git")
        history.commit({"a.py": b"a\nb\n"})
        places.append(str(history.write()))
    out, err, sheet = io.StringIO(), io.StringIO(), tmp_path / "all.csv"
    assert run_analyze(*places, out=out, err=err, as_json=True, csv_path=sheet) == 0
    told = json.loads(out.getvalue())
    assert (told["lines"], len(told["reports"])) == (4, 2)
    assert [row["repository"] for row in csv.DictReader(io.StringIO(sheet.read_text()))] == ["one", "two"]
    assert run_analyze(*places, out=(shown := io.StringIO()), err=err) == 0
    assert "2 repositories: 4 lines" in shown.getvalue()
    assert run_analyze(*places, out=out, err=err, html_path=tmp_path / "page.html") == 0
    page = (tmp_path / "page.html").read_text()
    assert "2 repositories: who wrote what" in page
    assert "one 2, two 2" in page


def test_repositories_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one" / "repo"), str(tmp_path / "two" / "repo")
    assert names_of([one, two, one]) == {one: "one/repo", two: "two/repo"}
    assert names_of([one, str(tmp_path / "two")]) == {one: "repo", str(tmp_path / "two"): "two"}
    ours, theirs = "https://u:secret@a.example/acme/api", "https://b.example/acme/api.git"
    assert names_of([ours, theirs]) == {ours: "https://a.example/acme/api", theirs: "https://b.example/acme/api.git"}


def test_a_token_goes_to_its_own_server_alone() -> None:
    access = Access("https://github.com", "secret")
    assert access.token_for("https://github.com/acme/api.git") == "secret"
    for url in ("https://github.com.evil.org/a/b", "http://github.com/a/b", "git@github.com:a/b", "https://evil.org/a"):
        assert access.token_for(url) is None
    assert "secret" not in repr(access)


def test_one_of_several_repositories_that_is_none_costs_the_others_nothing(tmp_path: Path) -> None:
    history, out, err = History(tmp_path / "one.git"), io.StringIO(), io.StringIO()
    history.commit({"a.py": b"a\nb\n"})
    places = [str(tmp_path / "nothing"), str(history.write())]
    assert run_analyze(*places, out=out, err=err, as_json=True) == 1
    told = json.loads(out.getvalue())
    assert (told["lines"], [one["repository"] for one in told["skipped"]]) == (2, ["nothing"])
    assert err.getvalue().startswith("nothing: ")


def test_where_all_of_several_fail_each_is_told_why(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    places, err = [str(tmp_path / "nothing"), str(tmp_path / "empty.git")], io.StringIO()
    assert run_analyze(*places, out=io.StringIO(), err=err) == 2
    assert [line.partition(":")[0] for line in err.getvalue().splitlines()] == ["nothing", "empty"]
