"""Files, trees, branches, commits and comparisons as an app reads them."""

import asyncio
import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient

REPO = "/repos/acme/api"


async def test_a_file_comes_in_base64_or_raw(app: AppClient) -> None:
    token, path = await app.token(), f"{REPO}/contents/src/app.py"
    one = (await app.call("GET", path, token=token)).json
    assert base64.b64decode(one["content"]) == b"print('hi')\n"
    raw = await app.call("GET", path, token=token, headers={"Accept": "application/vnd.github.raw+json"})
    assert raw.raw == b"print('hi')\n"


async def test_a_folder_lists_what_it_holds(app: AppClient) -> None:
    token = await app.token()
    root = (await app.call("GET", f"{REPO}/contents/", token=token)).json
    assert [(one["path"], one["type"]) for one in root] == [("README.md", "file"), ("src", "dir")]
    below = (await app.call("GET", f"{REPO}/contents/src", token=token)).json
    assert [one["path"] for one in below] == ["src/app.py"]


async def test_what_is_not_there_is_not_found(app: AppClient) -> None:
    token = await app.token()
    assert (await app.call("GET", f"{REPO}/contents/.shipmate.yml", token=token)).message == "Not Found"
    answer = await app.call("GET", f"{REPO}/contents/README.md?ref=nowhere", token=token)
    assert answer.message == "No commit found for the ref nowhere"


@pytest.mark.parametrize("name", ["a b.txt", "ünï/cödé.txt", "-rf", 'quote".txt', "per%cent", "semi;colon"])
async def test_odd_names_are_kept(github: GitHubSandbox, app: AppClient, name: str) -> None:
    await github.push("acme/api", files={name: name})
    token = await app.token()
    one = (await app.call("GET", f"{REPO}/contents/{quote(name)}", token=token)).json
    assert base64.b64decode(one["content"]).decode() == name


async def test_links_are_followed_inside_the_repository_only(
    github: GitHubSandbox, app: AppClient, tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "real.txt").write_text("real")
    (tmp_path / "deep" / "inside").symlink_to("../real.txt")
    await github.create_repo("acme/linked", folder=tmp_path, links={"outside": "/etc/passwd"})
    token = await app.token()
    inside = (await app.call("GET", "/repos/acme/linked/contents/deep/inside", token=token)).json
    outside = (await app.call("GET", "/repos/acme/linked/contents/outside", token=token)).json
    assert (inside["type"], base64.b64decode(inside["content"])) == ("file", b"real")
    assert (outside["type"], outside["target"]) == ("symlink", "/etc/passwd")


async def test_a_recursive_tree_is_cut_at_the_limit(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    whole = (await app.call("GET", f"{REPO}/git/trees/main?recursive=1", token=token)).json
    assert [one["path"] for one in whole["tree"]] == ["README.md", "src", "src/app.py"]
    assert whole["truncated"] is False
    github.repository("acme/api").tree_limit = 2
    cut = (await app.call("GET", f"{REPO}/git/trees/main?recursive=1", token=token)).json
    assert (len(cut["tree"]), cut["truncated"]) == (2, True)
    flat = (await app.call("GET", f"{REPO}/git/trees/{whole['sha']}", token=token)).json
    assert [one["type"] for one in flat["tree"]] == ["blob", "tree"]


async def test_branches_and_refs_with_slashes_are_found(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    pushed = await github.push("acme/api", branch="feature/a/b", files={"x": "y"})
    branch = (await app.call("GET", f"{REPO}/branches/feature/a/b", token=token)).json
    ref = (await app.call("GET", f"{REPO}/git/ref/heads/feature%2Fa%2Fb", token=token)).json
    commit = (await app.call("GET", f"{REPO}/commits/feature/a/b", token=token)).json
    assert {branch["commit"]["sha"], ref["object"]["sha"], commit["sha"]} == {pushed.sha}
    listed = (await app.call("GET", f"{REPO}/branches", token=token)).json
    assert [one["name"] for one in listed] == ["feature/a/b", "main"]
    matching = (await app.call("GET", f"{REPO}/git/matching-refs/heads/feat", token=token)).json
    assert [one["ref"] for one in matching] == ["refs/heads/feature/a/b"]
    for name in ("feature", "%00", "feature/"):
        assert (await app.call("GET", f"{REPO}/git/ref/heads/{name}", token=token)).status == 404


@pytest.mark.parametrize("name", ["--upload-pack=touch", "-x", "main^", "main~1", "@{0}", "main:README.md", "a..b", ""])
async def test_a_name_that_is_no_name_of_a_commit_finds_none(github: GitHubSandbox, name: str) -> None:
    assert await github.repository("acme/api").git.resolve(name) is None


async def test_a_commit_is_found_by_branch_tag_short_and_full_sha(github: GitHubSandbox, app: AppClient) -> None:
    token, sha = await app.token(), await github.head("acme/api")
    await github.tag("acme/api", "v1")
    for name in ("main", "heads/main", "v1", "tags/v1", sha[:7], sha):
        assert (await app.call("GET", f"{REPO}/commits/{name}", token=token)).json["sha"] == sha
    accept = {"Accept": "application/vnd.github.sha"}
    assert (await app.call("GET", f"{REPO}/commits/main", token=token, headers=accept)).raw == sha.encode()
    assert (await app.call("GET", f"{REPO}/tags", token=token)).json[0]["commit"]["sha"] == sha
    assert (await app.call("GET", f"{REPO}/commits/nowhere", token=token)).status == 422


async def test_two_commits_are_compared(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    await github.push("acme/api", branch="feature", files={"a.txt": "1\n"})
    await github.push("acme/api", branch="feature", files={"a.txt": "2\n"})
    await github.push("acme/api", files={"b.txt": "1\n"})
    apart = (await app.call("GET", f"{REPO}/compare/main...feature", token=token)).json
    assert (apart["status"], apart["ahead_by"], apart["behind_by"]) == ("diverged", 2, 1)
    assert [one["filename"] for one in apart["files"]] == ["a.txt"]
    same = (await app.call("GET", f"{REPO}/compare/main...main", token=token)).json
    assert same["status"] == "identical"
    assert (await app.call("GET", f"{REPO}/compare/main...nowhere", token=token)).status == 404


async def test_commits_are_listed_newest_first_in_pages(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    shas = [(await github.push("acme/api", files={"n": str(count)})).sha for count in range(3)]
    first = await app.call("GET", f"{REPO}/commits?per_page=2", token=token)
    assert [one["sha"] for one in first.json] == [shas[2], shas[1]]
    assert 'page=2>; rel="next"' in first.headers["Link"]
    assert first.json[0]["author"]["login"] == "alice"


async def test_commits_of_one_author_are_asked_for_by_login_or_address(github: GitHubSandbox, app: AppClient) -> None:
    token = await app.token()
    theirs = await github.push("acme/api", files={"n": "1"}, by="bob")
    await github.push("acme/api", files={"n": "2"}, by="alice")
    (one,) = (await app.call("GET", f"{REPO}/commits?author=bob", token=token)).json
    assert one["sha"] == theirs.sha
    address = one["commit"]["author"]["email"]
    (same,) = (await app.call("GET", f"{REPO}/commits?author={quote(address.upper())}", token=token)).json
    assert same["sha"] == theirs.sha
    assert (await app.call("GET", f"{REPO}/commits?author=nobody@example.org", token=token)).json == []


async def test_an_unchanged_answer_is_304_and_costs_nothing(app: AppClient) -> None:
    token, path = await app.token(), f"{REPO}/branches/main"
    first = await app.call("GET", path, token=token)
    again = await app.call("GET", path, token=token, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.raw) == (304, b"")
    assert again.headers["X-RateLimit-Used"] == first.headers["X-RateLimit-Used"]
    await app.github.push("acme/api", files={"a": "b"})
    changed = await app.call("GET", path, token=token, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status == 200


async def test_a_submodule_is_told_from_a_folder(github: GitHubSandbox, app: AppClient) -> None:
    sha = await github.head("acme/api")
    modules = '[submodule "lib"]\n\tpath = vendor/lib\n\turl = https://example.com/lib.git\n'
    await github.push("acme/api", files={".gitmodules": modules}, submodules={"vendor/lib": sha})
    token = await app.token()
    one = (await app.call("GET", f"{REPO}/contents/vendor/lib", token=token)).json
    assert (one["type"], one["sha"]) == ("submodule", sha)
    assert one["submodule_git_url"] == "https://example.com/lib.git"
    tree = (await app.call("GET", f"{REPO}/git/trees/main?recursive=1", token=token)).json["tree"]
    assert [each["type"] for each in tree if each["path"] == "vendor/lib"] == ["commit"]


async def test_a_branch_named_like_an_option_is_a_branch(github: GitHubSandbox, app: AppClient) -> None:
    name = "--upload-pack=touch"
    pushed = await github.push("acme/api", branch=name, files={"a": "b"})
    pull = await github.open_pull("acme/api", head=name)
    token = await app.token()
    assert (await app.call("GET", f"{REPO}/branches/{name}", token=token)).json["commit"]["sha"] == pushed.sha
    assert (await app.call("GET", f"{REPO}/pulls/{pull.number}", token=token)).json["head"]["ref"] == name
    assert (await app.call("GET", f"{REPO}/compare/main...{name}", token=token)).json["ahead_by"] == 1
    await github.fork("acme/api", "mallory/api")
    forked = await github.open_pull("acme/api", head=name, from_fork="mallory/api", by="mallory")
    assert forked.head_sha == pushed.sha


async def test_pushes_at_the_same_time_all_stand(github: GitHubSandbox) -> None:
    await asyncio.gather(*(github.push("acme/api", files={f"file{number}": "x"}) for number in range(8)))
    entries = await github.repository("acme/api").git.tree("main")
    assert {f"file{number}" for number in range(8)} <= {one.path for one in entries}


async def test_a_tree_of_five_thousand_files_is_whole(github: GitHubSandbox, app: AppClient) -> None:
    await github.create_repo(
        "acme/big", files={f"dir{count % 50}/file{count}.txt": str(count) for count in range(5000)}
    )
    tree = (await app.call("GET", "/repos/acme/big/git/trees/main?recursive=1", token=await app.token())).json
    assert (len(tree["tree"]), tree["truncated"]) == (5050, False)
