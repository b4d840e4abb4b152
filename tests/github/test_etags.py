"""What was answered before is kept within bounds."""

from __future__ import annotations

import pytest

from bot.github.client.etags import Answer, Etags

BASE = "https://api.github.com/repos/acme/api"


def answer(etag: str) -> Answer:
    return etag, None, {}, None


def test_the_least_recently_used_answer_goes_first() -> None:
    etags = Etags(size=2)
    kept = etags.scoped("42")
    kept[f"{BASE}/pulls/1"] = answer("1")
    kept[f"{BASE}/pulls/2"] = answer("2")
    assert kept[f"{BASE}/pulls/1"] == answer("1")
    kept[f"{BASE}/pulls/3"] = answer("3")
    assert list(kept) == [f"{BASE}/pulls/1", f"{BASE}/pulls/3"]
    assert len(etags) == 2


@pytest.mark.parametrize(
    "url",
    [f"{BASE}/pulls", f"{BASE}/pulls?state=open", f"{BASE}/branches/main", f"{BASE}/contents/.shipmate.yml?ref=main"],
)
def test_what_is_read_often_is_kept(url: str) -> None:
    kept = Etags().scoped("42")
    kept[url] = answer("1")
    assert url in kept


@pytest.mark.parametrize(
    "url",
    [f"{BASE}/collaborators/pulls/permission", "https://api.github.com/app", f"{BASE}/git/trees/{'a' * 40}", BASE],
)
def test_a_permission_and_what_is_large_are_not_kept(url: str) -> None:
    kept = Etags().scoped("42")
    kept[url] = answer("1")
    assert url not in kept


def test_an_installation_sees_only_its_own() -> None:
    etags = Etags()
    ours, theirs = etags.scoped("42"), etags.scoped("43")
    ours[f"{BASE}/pulls/1"] = answer("1")
    assert f"{BASE}/pulls/1" not in theirs
    del ours[f"{BASE}/pulls/1"]
    assert len(ours) == len(theirs) == 0
