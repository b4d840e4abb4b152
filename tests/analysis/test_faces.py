"""The shell, the JSON, the spreadsheet and the page say the same thing, and carry names unharmed and harmless."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from bot.jobs.analysis.faces.area import Band, Words, round_step, stacked_area
from bot.jobs.analysis.faces.bars import bar
from bot.jobs.analysis.faces.names import Names
from bot.jobs.analysis.faces.page import render_page
from bot.jobs.analysis.faces.shell import Access, run_analyze
from bot.jobs.analysis.faces.treemap import Box, Group, Tile, squarify, treemap
from bot.jobs.analysis.people.identities import Author
from bot.jobs.analysis.reports.insights import Insights
from bot.jobs.analysis.reports.ranges import Range
from bot.jobs.analysis.reports.stored import narrowed
from bot.jobs.analysis.reports.timeline import lines_alive
from bot.jobs.analysis.repositories.naming import name_of
from bot.wording.analysis_english import SENTENCES
from tests.analysis.histories import ANN, BEN, Fuzzer, History, git
from tests.analysis.running import analysed

ROOT = Path(__file__).parents[2]
DAY_S, START = 86_400, 1_600_000_000
NASTY = b'"onload=alert(1) & co <nasty@example.org>'


def shell(target: str, **asked: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `shipmate analyze`."""
    out, err = io.StringIO(), io.StringIO()
    code = run_analyze(target, out=out, err=err, **asked)  # type: ignore[arg-type]
    return code, out.getvalue(), err.getvalue()


def test_json_alone_is_on_the_output_and_has_every_key(history: History) -> None:
    history.commit({"a.py": b"1\n2\n", "b.js": b"1\n"})
    code, out, err = shell(str(history.write()), as_json=True)
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert list(told) == [
        *("repository", "ref", "head", "generatedAt", "exact", "files", "lines", "authors", "languages"),
        *("frameworks", "timeline", "ownership", "excluded", "warnings", "busFactor", "age", "newcomers"),
    ]
    assert list(told["authors"][0]) == [
        *("name", "email", "lines", "share", "files", "commits", "added", "deleted", "firstCommit", "lastCommit"),
        *("languages", "extensions"),
    ]
    assert list(told["timeline"]) == ["week", "month"]
    assert list(told["timeline"]["week"][0]) == ["start", "author", "language", "commits", "added", "deleted"]
    assert list(told["ownership"][0]) == ["path", "lines", "topAuthor", "share"]
    assert (told["repository"], told["ref"], told["exact"]) == ("repository", "HEAD", True)


def test_per_file_lines_come_when_asked_for(history: History) -> None:
    history.commit({"a.py": b"1\n2\n"})
    history.commit({"a.py": b"1\n2\n3\n"}, author=BEN)
    _, out, _ = shell(str(history.write()), as_json=True, per_file=True)
    assert json.loads(out)["perFile"] == {"a.py": {"Ann <ann@example.org>": 2, "Ben <ben@example.org>": 1}}


def test_the_table_shows_authors_and_languages(history: History) -> None:
    history.commit({"a.py": b"1\n2\n3\n", "package-lock.json": b"{}\n"})
    history.commit({"b.js": b"1\n"}, author=BEN)
    code, out, _ = shell(str(history.write()))
    assert code == 0
    assert "4 lines in 2 files, exactly as git blame says" in out
    for text in ("Ann", "75.0%", "Python", "JavaScript", "1 file left out", "Bus factor 1:", "Written in"):
        assert text in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_only_what_all_files_would_count_is_said_to_be_left_out(history: History) -> None:
    history.commit({"a.py": b"1\n", "go.sum": b"x\n", "vendor/b.py": b"1\n", "vendor/c.py": b"1\n"})
    _, out, _ = shell(str(history.write()))
    assert "3 files left out (2 vendored, 1 generated); --all-files counts them." in out


@pytest.mark.parametrize("how", ["--json", "--csv=people.csv"])
def test_an_output_that_knows_only_ascii_is_given_every_name(history: History, tmp_path: Path, how: str) -> None:
    history.commit({"a.py": b"1\n"}, author="Zoë 김 <zoe@example.org>".encode())
    asked = [sys.executable, "-m", "bot", "analyze", str(history.write()), how]
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, check=True)
    assert "Zoë 김" in ran.stdout.decode("utf-8")


@pytest.mark.parametrize("columns", [50, 64, 72])
def test_a_small_terminal_shows_fewer_numbers_and_no_half_of_any(
    history: History, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    history.commit({"a.py": b"a\n" * 123_456, "b.js": b"a\n" * 99_999})
    _, out, _ = shell(str(history.write()), all_files=True)
    assert "…" not in out
    assert all(len(line) <= columns for line in out.splitlines())
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert rows["Ann"].split()[1:3] == ["223,455", "100.0%"]
    assert rows["Python"].count("█") > rows["JavaScript"].count("█") > 0


def test_a_folder_whose_name_is_no_utf8_has_a_report_in_json_too(history: History, tmp_path: Path) -> None:
    history.commit({"a.py": b"1\n"})
    folder = history.write().rename(tmp_path / os.fsdecode(b"caf\xe9"))
    code, out, _ = shell(str(folder), as_json=True)
    assert (code, json.loads(out)["repository"]) == (0, "caf\ufffd")


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_a_narrow_terminal_cuts_names_and_never_a_number(
    history: History, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    history.commit({"a.py": b"a\n" * 123_456}, author=b"A very long name that no terminal has room for <a@b.example>")
    history.commit({"a.py": b"a\n" * 123_456, "b.rst": b"b\n" * 65_432}, author=BEN)
    _, out, _ = shell(str(history.write()), all_files=True)
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert all(number in rows["A"] for number in ("123,456", "65.4%", "+123,456", "-0"))
    assert "65,432" in rows["Ben"]
    assert all(len(line) <= columns for line in out.splitlines())


def test_people_of_one_name_are_told_apart(history: History) -> None:
    history.commit({"a.py": b"1\n2\n"})
    history.commit({"b.py": b"1\n"}, author=b"Ann <other@example.org>")
    history.commit({"c.py": b"1\n"}, author=BEN)
    repository = history.write()
    _, out, _ = shell(str(repository))
    for face in (out, render_page(analysed(repository)).replace("&lt;", "<").replace("&gt;", ">")):
        assert "Ann <ann@example.org>" in face
        assert "Ann <other@example.org>" in face
        assert "1 name stands with several addresses" in face
    assert Names([Author("Ann", "a")]).of(Author("Ann", "b")) == "Ann <b>"
    assert Names([Author("", "a")]).of(Author("", "a")) == "a"


def test_a_name_nobody_has_is_said_to_be_nobodys(history: History) -> None:
    history.commit({"a.py": b"1\n"})
    code, out, _ = shell(str(history.write()), authors=("nobody",))
    assert (code, "Nobody there is called that" in out) == (0, True)


def test_co_authors_show_when_asked_for(history: History) -> None:
    history.commit({"a.py": b"1\n"}, message=b"pair\n\nCo-authored-by: Cid <cid@example.org>\n")
    _, out, _ = shell(str(history.write()), co_authors=True)
    assert "Cid <cid@example.org>" in out


def test_a_url_is_cloned_analysed_and_forgotten(history: History) -> None:
    history.commit({"a.py": b"1\n"})
    repository = history.write()
    code, out, _ = shell(f"file://{repository}", as_json=True)
    told = json.loads(out)
    assert (code, told["ref"], told["lines"]) == (0, "HEAD", 1)
    assert told["head"] == git(repository, "rev-parse", "HEAD").decode().strip()


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("https://github.com/acme/api.git", "acme/api"),
        ("https://user:pw@github.com/acme/api/", "acme/api"),
        ("git@github.com:acme/api.git", "acme/api"),
    ],
)
def test_a_url_names_its_repository(target: str, name: str) -> None:
    assert name_of(target) == name


@pytest.mark.parametrize("place", ["", "src/deep", ".git", ".git/hooks"])
def test_a_folder_inside_of_a_repository_gives_it_no_other_name(tmp_path: Path, place: str) -> None:
    git(tmp_path, "init", "--quiet", "api")
    (tmp_path / "api" / "src" / "deep").mkdir(parents=True)
    assert name_of(str(tmp_path / "api" / place)) == "api"


def test_a_bare_repository_is_called_by_its_folder(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "api.git")
    assert (name_of(f"{tmp_path}/api.git"), name_of(f"{tmp_path}/api.git/refs")) == ("api", "api")


@pytest.mark.parametrize("target", ["https://[bad/x", "ssh://host:port/x"])
def test_an_address_that_is_none_is_refused_in_a_sentence(target: str) -> None:
    code, out, err = shell(target, access=Access("https://github.com", "a token"))
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_a_file_that_cannot_be_written_is_told_before_the_work(history: History, tmp_path: Path) -> None:
    history.commit({"a.py": b"1\n"})
    place = tmp_path / "no" / "such" / "folder.csv"
    told = f"{place} cannot be written: its folder is not there, or not yours to write in.\n"
    assert shell(str(history.write()), csv_path=place) == (2, "", told)


def test_a_file_that_turns_out_to_be_a_folder_fails_with_one(history: History, tmp_path: Path) -> None:
    history.commit({"a.py": b"1\n"})
    code, _, err = shell(str(history.write()), html_path=tmp_path)
    assert (code, err) == (1, f"The report could not be written: Is a directory: {tmp_path}.\n")


def test_an_output_that_is_full_is_told_in_a_sentence(history: History) -> None:
    history.commit({"a.py": b"1\n"})
    asked = [sys.executable, "-m", "bot", "analyze", str(history.write()), "--json"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(asked, cwd=ROOT, env=env, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"The report could not be written: No space left on device.\n")


def test_the_spreadsheet_has_a_row_for_each_author_and_runs_no_formula(history: History, tmp_path: Path) -> None:
    history.commit({"a.py": b"1\n2\n"}, author=b"=cmd() <evil@example.org>")
    history.commit({"b.py": b"1\n"}, author=b'Quote", Comma <q@example.org>')
    shell(str(history.write()), csv_path=tmp_path / "authors.csv")
    with (tmp_path / "authors.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["lines"], row["languages"], row["extensions"]) for row in rows] == [
        ("'=cmd()", "2", "Python 2", ".py 1"),
        ('Quote", Comma', "1", "Python 1", ".py 1"),
    ]


class Reader(HTMLParser):
    """Collects what a page loads and runs, and whether its elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        self.scripts += tag == "script"
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element closed at once."""

    def handle_endtag(self, tag: str) -> None:
        """The last one opened is closed first."""
        assert self.open.pop() == tag


def read(page: str) -> Reader:
    """The page as a parser sees it."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_needs_nothing_else_and_runs_nothing(history: History, tmp_path: Path) -> None:
    Fuzzer(5).fill(history, 40)
    history.commit({"<script>alert(1)</script>.py": b"1\n" * 500}, author=NASTY)
    shell(str(history.write()), html_path=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    reader = read(page)
    assert (reader.scripts, reader.loaded) == (0, [])
    assert "&quot;onload=alert(1) &amp; co" in page
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page


def test_every_picture_has_its_numbers_as_a_table(history: History) -> None:
    history.commit({"src/a.py": b"1\n2\n3\n", "docs/a.md": b"1\n"})
    page = render_page(analysed(history.write()))
    assert page.count("<figure>") == page.count("<summary>As a table</summary>") == 2
    assert '<th scope="row">src</th><td class="number">3</td><td>Ann</td><td class="number">100.0%</td>' in page
    assert page.count("<tbody>") == 6  # these two, authors (all of them once more), years, languages


def test_the_shells_page_of_the_whole_history_draws_who_committed_when(history: History, tmp_path: Path) -> None:
    history.commit({"a.py": b"1\n"}, author=ANN)
    repository, page = str(history.write()), tmp_path / "page.html"
    shell(repository, html_path=page)
    assert "Commits over time" in page.read_text("utf-8")
    shell(repository, html_path=page, since="2001-01-01")
    assert "Commits over time" not in page.read_text("utf-8")


def test_commits_over_time_are_those_of_git_by_author_and_year(history: History) -> None:
    Fuzzer(8, step_s=40 * DAY_S).fill(history, 40)
    repository = history.write()
    shown = section_of(render_page(analysed(repository, days=True)), "Commits over time")
    assert "<svg viewBox" in shown
    years = Counter(git(repository, "log", "--no-merges", "--format=%ad", "--date=format:%Y").decode().split())
    rows = [list(map(int, re.findall(r">([0-9]+)</t[hd]>", row))) for row in re.findall(r"<tr>.*?</tr>", shown)[1:]]
    assert {str(year): sum(counts) for year, *counts in rows} == years


def test_a_clock_gone_wrong_by_thousands_of_years_makes_no_endless_page(history: History) -> None:
    for number, time in enumerate((30 * DAY_S, START, 253_402_300_000)):
        history.commit({"a.txt": b"%d\n" % number}, time=time)
    page = render_page(analysed(history.write(), days=True))
    assert len(page) < 50_000
    shown = section_of(page, "Commits over time")
    assert re.findall(r'<th scope="row">([0-9]+)</th>', shown) == ["9999", "2020", "1970"]


def test_the_shells_page_has_commits_over_time_of_the_people_it_lists(history: History, tmp_path: Path) -> None:
    for author in (ANN, BEN):
        history.commit({"a.txt": author + b"\n"}, author=author)
    shell(str(history.write()), html_path=tmp_path / "page.html", authors=("Ben",))
    shown = section_of((tmp_path / "page.html").read_text("utf-8"), "Commits over time")
    assert ">Ben</li>" in shown
    assert "Ann" not in shown


def test_commits_over_time_are_of_the_chosen_people_and_dates(history: History) -> None:
    for number, author in enumerate((ANN, BEN, ANN, BEN)):
        history.commit({"a.txt": b"%d\n" % number}, author=author, time=START + number * 365 * DAY_S)
    report = analysed(history.write(), days=True)
    chosen = narrowed(report, Range(since=date(2021, 1, 1)), ["Ben"])
    shown = section_of(render_page(chosen), "Commits over time")
    assert re.findall(r'<th scope="row">([0-9]+)</th><td class="number">([0-9]+)</td>', shown) == [
        *(("2023", "1"), ("2022", "0"), ("2021", "1"))
    ]
    assert "Ann" not in shown


def section_of(page: str, heading: str) -> str:
    """One section of a page."""
    return page.split(f"<h2>{heading}</h2>")[1].split("</section>")[0]


def test_a_report_kept_before_there_were_insights_has_a_page_without_them(history: History) -> None:
    history.commit({"a.py": b"1\n"})
    report = analysed(history.write())
    assert "Bus factor" in render_page(report)
    page = render_page(dataclasses.replace(report, insights=Insights()))
    read(page)
    assert "Bus factor" not in page
    assert "Year by year" not in page


def test_the_page_speaks_korean(history: History) -> None:
    history.commit({"src/a.py": b"1\n2\n3\n", "package-lock.json": b"{}\n", "x.unheardof": b"1\n"})
    report = analysed(history.write(), all_files=False, co_authors=True, days=True)
    page = render_page(report, "ko")
    read(page)
    assert '<html lang="ko">' in page
    words = {key: sentence for key, sentence in SENTENCES.items() if key.startswith("contributions.")}
    shown = [key for key, sentence in words.items() if len(sentence) > 8 and sentence in page]
    assert shown == []


def test_what_linguist_has_no_name_for_is_no_language_called_other(history: History) -> None:
    history.commit({"x.unheardof": b"1\n"})
    repository = history.write()
    _, out, _ = shell(str(repository))
    for face in (out, render_page(analysed(repository))):
        assert "no known language" in face
        assert "Other" not in face


def test_code_is_told_apart_from_data_and_prose(history: History) -> None:
    code = {"a.py": b"1\n" * 3, "b.vue": b"<p>\n", "c.unheardof": b"1\n"}
    history.commit({**code, "data.json": b"[\n]\n" * 50, "README.md": b"# a\n"})
    repository = history.write()
    _, out, _ = shell(str(repository))
    for face in (out, render_page(analysed(repository))):
        assert "Without data and prose" in face
        assert "Python 75.0%, Vue 25.0%." in face


@pytest.mark.parametrize("files", [{"a.py": b"1\n"}, {"README.md": b"# a\n"}], ids=["code alone", "prose alone"])
def test_nothing_is_told_apart_where_there_is_one_kind(history: History, files: dict[str, bytes]) -> None:
    history.commit(files)
    repository = history.write()
    _, out, _ = shell(str(repository))
    for face in (out, render_page(analysed(repository))):
        assert "Without data" not in face


def test_frameworks_are_told_with_their_folder_but_for_the_top_level(history: History) -> None:
    flask = b"flask\n"
    history.commit({"requirements.txt": flask, "app.py": b"1\n", "web/requirements.txt": flask, "web/app.py": b"1\n"})
    repository = history.write()
    _, out, _ = shell(str(repository))
    assert "Framework: flask (" in out
    assert "Framework: flask in web (" in out
    page = section_of(render_page(analysed(repository, frameworks=True)), "Frameworks")
    assert "<td>(top level)</td>" in page


def test_an_empty_report_makes_a_page_too(history: History) -> None:
    history.commit({})
    read(render_page(analysed(history.write())))


def test_languages_over_time_end_at_what_is_there(history: History) -> None:
    history.commit({"a.py": b"1\n2\n3\n"}, time=1_700_000_000)
    history.commit({"a.py": b"1\n", "b.js": b"1\n"}, time=1_705_000_000)
    report = analysed(history.write())
    points = sorted({row.start for row in report.month})
    alive = lines_alive(points, report.month)
    assert {name: values[points[-1]] for name, values in alive.items()} == {"Python": 1, "JavaScript": 1}


def test_a_treemap_fills_its_room_without_overlap() -> None:
    sizes = [50, 30, 10, 5, 4, 1]
    boxes = squarify(sizes, Box(0, 0, 200, 100))
    assert [round(box.width * box.height) for box in boxes] == [size * 200 for size in sizes]
    for number, box in enumerate(boxes):
        assert 0 <= box.x <= box.x + box.width <= 200.001
        assert 0 <= box.y <= box.y + box.height <= 100.001
        for other in boxes[number + 1 :]:
            apart = box.x + box.width <= other.x + 0.001 or other.x + other.width <= box.x + 0.001
            assert apart or box.y + box.height <= other.y + 0.001 or other.y + other.height <= box.y + 0.001


def test_a_folders_name_is_cut_where_it_does_not_fit() -> None:
    groups = [Group(f"{letter * 30}/src", "", [Tile(size, 0, "")]) for letter, size in (("a", 90), ("b", 6), ("c", 4))]
    shown = re.findall(r'width="([0-9.]+)" height="[0-9.]+"><text [^>]*>([^<]*)<', treemap(groups, ""))
    assert [label[-1:] for _, label in shown] == ["c", "…", "…"]
    assert all(len(label) * 7 <= float(width) for width, label in shown)


@pytest.mark.parametrize("months", [1, 4, 14, 24, 60, 100, 140, 196, 400])
def test_names_of_times_never_touch(months: int) -> None:
    starts = [date(1995 + number // 12, number % 12 + 1, 1) for number in range(months)]
    words = Words("", str, lambda name, lines: name)
    drawn = stacked_area(starts, [Band("C", range(1, months + 1), 0)], words)
    named = re.findall(r'<text( class="label")? x="([\d.]+)" y="280">([\d-]+)</text>', drawn)
    spans = [(float(x) - (20 * len(name) if at_the_edge else 0), 20 * len(name)) for at_the_edge, x, name in named]
    assert {len(name) for _, _, name in named} == {len("1995-01") if months <= 24 else len("1995")}
    assert all(before + width <= after for (before, width), (after, _) in pairwise(spans))


@pytest.mark.parametrize(("top", "step"), [(1, 1), (4, 1), (5, 2), (19, 5), (37_070, 10_000), (619_319, 200_000)])
def test_a_scale_has_few_round_steps(top: int, step: int) -> None:
    assert round_step(top) == step


@pytest.mark.parametrize(("share", "drawn"), [(0, ""), (0.5, "█" * 10), (1, "█" * 20), (0.55, "█" * 11), (2, "█" * 20)])
def test_bars_are_as_long_as_their_share(share: float, drawn: str) -> None:
    assert bar(share) == drawn


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return True


def test_a_terminal_sees_a_bar_that_goes_away(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    history.commit({"a.py": b"1\n"})
    out, err = io.StringIO(), Terminal()
    assert run_analyze(str(history.write()), as_json=True, out=out, err=err) == 0
    assert "reporting" in err.getvalue()
    assert err.getvalue().rstrip().endswith("\x1b[2K")
    assert json.loads(out.getvalue())["lines"] == 1
