"""What the app is told, how it is signed, and that each delivery is tried exactly once."""

import asyncio

import pytest
from aiohttp import web

from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.hooks import sign
from bot.sandbox.github.simulator import GitHubSandbox
from tests.sandbox.github.world import AppClient, Receiver


def test_the_signature_is_the_one_github_documents() -> None:
    signed = sign("It's a Secret to Everybody", b"Hello, World!")
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed["X-Hub-Signature-256"] == f"sha256={digest}"


async def test_a_push_to_a_new_branch_tells_of_the_branch_the_push_and_a_suite(
    github: GitHubSandbox, receiver: Receiver
) -> None:
    pushed = await github.push("acme/api", branch="feature", files={"new.txt": "1\n", "README.md": None}, by="alice")
    await github.settle()
    assert sorted(receiver.events) == ["check_suite.requested", "create", "push"]
    body = next(body for headers, body in receiver.received if headers["X-GitHub-Event"] == "push")
    assert (body["ref"], body["after"], body["created"]) == ("refs/heads/feature", pushed.sha, True)
    assert (body["head_commit"]["added"], body["head_commit"]["removed"]) == (["new.txt"], ["README.md"])
    assert (body["sender"]["login"], body["installation"]["id"]) == ("alice", github.installation("acme").id)


async def test_every_delivery_carries_githubs_headers(github: GitHubSandbox, receiver: Receiver) -> None:
    await github.ping()
    await github.settle()
    headers = receiver.received[0][0]
    assert headers["X-GitHub-Event"] == "ping"
    assert headers["X-GitHub-Hook-Installation-Target-Type"] == "integration"
    assert headers["X-GitHub-Hook-Installation-Target-ID"] == str(github.app_id)
    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert headers["X-Hub-Signature"].startswith("sha1=")


async def test_the_life_of_a_pull_request_is_told(github: GitHubSandbox, receiver: Receiver) -> None:
    await github.push("acme/api", branch="feature", files={"new.txt": "1\n"})
    pull = await github.open_pull("acme/api", head="feature", by="alice")
    await github.push("acme/api", branch="feature", files={"new.txt": "2\n"})
    await github.close_pull("acme/api", pull.number)
    await github.reopen_pull("acme/api", pull.number)
    merged = await github.merge_pull("acme/api", pull.number, by="alice")
    await github.settle()
    told = [one.action for one in github.deliveries if one.event == "pull_request"]
    assert told == ["opened", "synchronize", "closed", "reopened", "closed"]
    assert not [one for one in receiver.events if "WRONG" in one]
    last = next(one for one in reversed(github.deliveries) if one.event == "pull_request")
    assert (last.payload["pull_request"]["merged"], last.payload["pull_request"]["merged_by"]["login"]) == (
        True,
        "alice",
    )
    assert await github.head("acme/api") == merged.sha


async def test_a_pull_request_from_a_fork_names_the_fork(github: GitHubSandbox, receiver: Receiver) -> None:
    await github.fork("acme/api", "mallory/api")
    await github.push("mallory/api", branch="evil", files={"evil.txt": "1\n"}, by="mallory")
    pull = await github.open_pull("acme/api", head="evil", by="mallory", from_fork="mallory/api")
    await github.push("mallory/api", branch="evil", files={"evil.txt": "2\n"}, by="mallory")
    await github.settle()
    assert [one for one in receiver.events if one != "check_suite.requested"] == [
        "pull_request.opened",
        "pull_request.synchronize",
    ]
    opened = receiver.received[0][1]["pull_request"]
    assert (opened["head"]["repo"]["full_name"], opened["base"]["repo"]["full_name"]) == ("mallory/api", "acme/api")
    assert pull.head_sha == opened["head"]["sha"]


async def test_comments_are_told_made_changed_and_taken_away(github: GitHubSandbox, receiver: Receiver) -> None:
    number = await github.open_issue("acme/api")
    said = await github.comment("acme/api", number, "/deploy", by="alice")
    await github.edit_comment("acme/api", said.id, "/rollback", by="alice")
    await github.delete_comment("acme/api", said.id, by="alice")
    await github.settle()
    assert sorted(receiver.events) == ["issue_comment.created", "issue_comment.deleted", "issue_comment.edited"]


async def test_tags_and_deleted_branches_are_told(github: GitHubSandbox, receiver: Receiver) -> None:
    await github.push("acme/api", branch="gone", files={"a": "b"})
    await github.tag("acme/api", "v1.0")
    await github.push("acme/api", branch="gone", delete=True)
    await github.settle()
    assert sorted(receiver.events) == ["check_suite.requested", "create", "create", "delete", "push", "push", "push"]
    assert [one.payload["deleted"] for one in github.deliveries if one.event == "push"] == [False, False, True]


async def test_a_forced_push_says_so(github: GitHubSandbox, receiver: Receiver) -> None:
    first = await github.head("acme/api")
    await github.push("acme/api", files={"a": "1"})
    await github.force_push("acme/api", "main", first)
    await github.settle()
    assert [one.payload["forced"] for one in github.deliveries if one.event == "push"] == [False, True]


async def test_installations_are_told_narrowed_suspended_and_removed(github: GitHubSandbox, receiver: Receiver) -> None:
    await github.create_repo("acme/web", files={"a": "b"})
    await github.select_repositories("acme", ["acme/api"])
    await github.select_repositories("acme", None)
    await github.suspend("acme")
    await github.suspend("acme", on=False)
    await github.uninstall("acme")
    await github.install("acme")
    await github.settle()
    assert sorted(receiver.events) == [
        "installation.created",
        "installation.deleted",
        "installation.suspend",
        "installation.unsuspend",
        "installation_repositories.added",
        "installation_repositories.removed",
    ]


async def test_deployments_and_their_statuses_are_told(
    github: GitHubSandbox, app: AppClient, receiver: Receiver
) -> None:
    token = await app.token()
    body = {"ref": "main", "auto_merge": False, "required_contexts": []}
    made = (await app.call("POST", "/repos/acme/api/deployments", token=token, json=body)).json
    path = f"/repos/acme/api/deployments/{made['id']}/statuses"
    await app.call("POST", path, token=token, json={"state": "in_progress", "log_url": "http://127.0.0.1/jobs/1"})
    await github.settle()
    assert sorted(receiver.events) == ["deployment.created", "deployment_status.created"]


async def test_an_app_is_not_told_what_it_did_not_subscribe_to(github: GitHubSandbox, receiver: Receiver) -> None:
    github.installation("acme").events.remove("push")
    await github.push("acme/api")
    await github.settle()
    assert receiver.events == ["check_suite.requested"]


async def test_a_failed_delivery_is_recorded_and_never_tried_again(github: GitHubSandbox, receiver: Receiver) -> None:
    receiver.status = 503
    await github.ping()
    await github.settle()
    assert len(receiver.received) == 1
    assert [(one.status, one.status_code) for one in github.deliveries] == [("Invalid HTTP Response: 503", 503)]


async def test_a_server_that_is_down_is_recorded_too(github: GitHubSandbox) -> None:
    github.webhook_url = "http://127.0.0.1:1/webhook/github"
    await github.ping()
    await github.settle()
    assert github.deliveries[0].status == "failed to connect to host"
    assert not github.deliveries[0].succeeded


async def test_an_app_that_does_not_answer_in_time_is_given_up(github: GitHubSandbox) -> None:
    given_up = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        await given_up.wait()
        return web.Response()

    slow = web.Application()
    slow.add_routes([web.post("/", never)])
    runner = web.AppRunner(slow, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    github.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    github.hub.hooks.timeout_s = 0.1
    await github.ping()
    await github.settle()
    assert github.deliveries[0].status == "timed out"
    given_up.set()
    await runner.cleanup()


async def test_a_redelivery_keeps_the_guid(github: GitHubSandbox, receiver: Receiver) -> None:
    first = await github.ping()
    await github.redeliver(first.id, times=2)
    await github.settle()
    guids = {headers["X-GitHub-Delivery"] for headers, _ in receiver.received}
    assert (len(receiver.received), guids) == (3, {first.guid})
    assert [one.redelivery for one in github.deliveries] == [False, True, True]


async def test_an_unknown_delivery_can_not_be_sent_again(github: GitHubSandbox) -> None:
    with pytest.raises(Impossible, match="no delivery 7"):
        await github.redeliver(7)


async def test_the_app_reads_its_deliveries_by_cursor_and_asks_for_one_again(
    github: GitHubSandbox, app: AppClient, receiver: Receiver
) -> None:
    token = app.app_jwt()
    for _ in range(5):
        await github.ping()
    await github.settle()
    first = await app.call("GET", "/app/hook/deliveries?per_page=2", token=token)
    ids = [one["id"] for one in first.json]
    while '"next"' in first.headers.get("Link", ""):
        path = first.headers["Link"].split(";")[0].strip("<>").removeprefix(github.url)
        first = await app.call("GET", path, token=token)
        ids += [one["id"] for one in first.json]
    assert ids == [one.id for one in reversed(github.deliveries)]
    one = await app.call("GET", f"/app/hook/deliveries/{ids[0]}", token=token)
    assert one.json["request"]["payload"]["zen"]
    assert (await app.call("POST", f"/app/hook/deliveries/{ids[0]}/attempts", token=token)).status == 202
    await github.settle()
    assert len(receiver.received) == 6


async def test_webhooks_can_be_dropped_doubled_held_back_and_late(github: GitHubSandbox, receiver: Receiver) -> None:
    number = await github.open_issue("acme/api")
    github.faults.add("drop", on="webhook", path="issue_comment")
    await github.comment("acme/api", number, "lost")
    github.faults.add("duplicate", on="webhook", path="issue_comment", times=2)
    await github.comment("acme/api", number, "thrice")
    await github.settle()
    assert [body["comment"]["body"] for _, body in receiver.received] == ["thrice"] * 3
    github.faults.add("delay", on="webhook", path="issue_comment", seconds=0.1)
    await github.comment("acme/api", number, "late")
    await github.comment("acme/api", number, "prompt")
    await github.settle()
    github.faults.add("reorder", on="webhook", path="issue_comment")
    held = await github.comment("acme/api", number, "second")
    assert held.delivery is not None
    assert not held.delivery.done.is_set()
    await github.comment("acme/api", number, "first")
    await github.settle()
    bodies = [body["comment"]["body"] for _, body in receiver.received]
    assert bodies[3:5] == ["prompt", "late"]
    assert sorted(bodies[5:]) == ["first", "second"]


async def test_releases_and_repositories_that_change_are_told(github: GitHubSandbox, receiver: Receiver) -> None:
    await github.tag("acme/api", "v1.0")
    await github.publish_release("acme/api", "v1.0")
    await github.rename_repo("acme/api", "service")
    assert github.repository("acme/api").full_name == "acme/service"
    await github.delete_repo("acme/service")
    await github.settle()
    assert sorted(receiver.events)[-3:] == ["release.published", "repository.deleted", "repository.renamed"]
    with pytest.raises(Impossible, match="no repository"):
        github.repository("acme/service")


async def test_a_pull_request_outlives_its_fork(github: GitHubSandbox) -> None:
    await github.fork("acme/api", "mallory/api")
    await github.push("mallory/api", branch="patch", files={"a": "b"}, by="mallory")
    pull = await github.open_pull("acme/api", head="patch", by="mallory", from_fork="mallory/api")
    await github.delete_repo("mallory/api", by="mallory")
    closed = await github.close_pull("acme/api", pull.number)
    assert closed is not None
    assert (closed.action, closed.payload["pull_request"]["head"]["repo"]) == ("closed", None)


async def test_a_pull_request_ends_with_its_branch(github: GitHubSandbox) -> None:
    await github.push("acme/api", branch="feature", files={"a": "b"})
    pull = await github.open_pull("acme/api", head="feature")
    pushed = await github.push("acme/api", branch="feature", delete=True)
    assert [one.action for one in pushed.deliveries if one.event == "pull_request"] == ["closed"]
    assert github.issue("acme/api", pull.number).state == "closed"


async def test_a_push_that_brings_a_pull_request_in_merges_it(github: GitHubSandbox) -> None:
    await github.push("acme/api", branch="feature", files={"a": "b"})
    pull = await github.open_pull("acme/api", head="feature")
    await github.force_push("acme/api", "main", pull.head_sha, by="bob")
    closed = next(one for one in reversed(github.deliveries) if one.event == "pull_request")
    assert (closed.payload["pull_request"]["merged"], closed.payload["sender"]["login"]) == (True, "bob")


async def test_a_branch_has_one_open_pull_request_onto_another(github: GitHubSandbox) -> None:
    await github.push("acme/api", branch="feature", files={"a": "b"})
    await github.open_pull("acme/api", head="feature")
    with pytest.raises(Impossible, match="already exists for acme:feature: #1"):
        await github.open_pull("acme/api", head="feature")


@pytest.mark.parametrize("name", ["a b", "a\nb", "a..b", "/a", "a/", "a\0", "a:b"])
async def test_a_branch_can_not_have_a_name_git_forbids(github: GitHubSandbox, name: str) -> None:
    with pytest.raises(Impossible, match="can't be the name of a branch"):
        await github.push("acme/api", branch=name, files={"a": "b"})
