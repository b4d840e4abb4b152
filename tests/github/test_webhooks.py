"""Every delivery becomes one typed fact, or is ignored for a reason, or cannot be read: nothing else."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import Unreadable
from bot.github.hooks import events
from bot.github.hooks.events import Ignored, WebhookEvent
from bot.github.hooks.webhooks import KNOWN_EVENTS, parse

DATA = Path(__file__).parent / "data"
EXAMPLES: list[dict[str, Any]] = json.loads(gzip.decompress((DATA / "webhooks_examples.json.gz").read_bytes()))
ACTS_ON_NOTHING = {
    "check_run": {"created", "completed"},
    "check_suite": {"requested", "completed"},
    "pull_request": {
        *("assigned", "unassigned", "labeled", "unlabeled", "locked", "unlocked", "merged"),
        *("review_requested", "review_request_removed", "auto_merge_enabled", "auto_merge_disabled"),
        *("enqueued", "dequeued"),
    },
}


def example(event: str, **wanted: Any) -> dict[str, Any]:
    """A payload of the event whose fields are as wanted, to change at will."""
    for one in EXAMPLES:
        if one["event"] == event and all(one["payload"].get(key) == value for key, value in wanted.items()):
            return copy.deepcopy(one["payload"])
    raise LookupError(event, wanted)


def read(event: str, payload: Any) -> WebhookEvent | Ignored:
    return parse(event, json.dumps(payload).encode())


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: f"{one['event']}-{one['payload'].get('action', '')}")
def test_every_payload_github_publishes_is_read(one: dict[str, Any]) -> None:
    event, payload = one["event"], one["payload"]
    fact = read(event, payload)
    unused = event not in KNOWN_EVENTS or payload.get("action") in ACTS_ON_NOTHING.get(event, ())
    assert isinstance(fact, Ignored if unused else get_args(WebhookEvent))
    if isinstance(fact, Ignored):
        assert fact.sentence.endswith(".")


def test_every_event_that_is_known_has_a_published_payload() -> None:
    without_example = {"installation_target"}
    assert {one["event"] for one in EXAMPLES} >= KNOWN_EVENTS - without_example


def test_a_push_tells_branch_commits_and_who() -> None:
    push = read("push", example("push", ref="refs/heads/master"))
    assert isinstance(push, events.Push)
    assert (push.branch, push.tag, push.created, push.deleted) == ("master", None, True, False)
    assert push.after == "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
    assert push.repository.full_name == "Codertocat/Hello-World"
    assert push.pusher == "Codertocat"
    assert push.head_message == "Initial commit"


def test_a_deleted_tag_is_no_branch() -> None:
    push = read("push", example("push", deleted=True))
    assert isinstance(push, events.Push)
    assert (push.branch, push.tag, push.deleted, push.head_message) == (None, "simple-tag", True, "")


def test_a_branch_named_like_an_option_keeps_its_name() -> None:
    payload = example("push", ref="refs/heads/master")
    payload["ref"] = "refs/heads/--upload-pack=touch"
    push = read("push", payload)
    assert isinstance(push, events.Push)
    assert push.branch == "--upload-pack=touch"


def test_a_push_by_a_deploy_key_has_no_sender() -> None:
    payload = example("push", ref="refs/heads/master")
    del payload["sender"]
    push = read("push", payload)
    assert isinstance(push, events.Push)
    assert push.sender is None


def test_a_pull_request_of_a_deleted_fork_counts_as_a_fork() -> None:
    payload = example("pull_request", action="opened")
    payload["pull_request"]["head"]["repo"] = None
    changed = read("pull_request", payload)
    assert isinstance(changed, events.PullRequestChanged)
    assert changed.pull.head_repository is None
    assert changed.pull.from_fork


def test_a_pull_request_from_the_same_repository_is_no_fork() -> None:
    changed = read("pull_request", example("pull_request", action="synchronize"))
    assert isinstance(changed, events.PullRequestChanged)
    assert not changed.pull.from_fork
    assert (changed.pull.number, changed.pull.base_ref) == (2, "master")


def test_a_pull_request_sent_to_another_branch_says_so() -> None:
    payload = example("pull_request", action="opened")
    payload |= {"action": "edited", "changes": {"base": {"ref": {"from": "old"}}}}
    changed = read("pull_request", payload)
    assert isinstance(changed, events.PullRequestChanged)
    assert changed.base_changed


def test_a_comment_tells_whether_it_stands_on_a_pull_request() -> None:
    payload = example("issue_comment", action="created")
    payload["issue"].pop("pull_request", None)
    on_issue = read("issue_comment", payload)
    payload["issue"]["pull_request"] = {"url": "https://api.github.com/repos/o/r/pulls/1"}
    on_pull = read("issue_comment", payload)
    assert isinstance(on_issue, events.IssueComment)
    assert isinstance(on_pull, events.IssueComment)
    assert (on_issue.is_pull, on_pull.is_pull) == (False, True)


def test_a_comment_by_a_bot_is_known_as_one() -> None:
    payload = example("issue_comment", action="created")
    payload["sender"] |= {"login": "dependabot[bot]", "type": "Bot"}
    comment = read("issue_comment", payload)
    assert isinstance(comment, events.IssueComment)
    assert comment.sender.is_bot


def test_a_click_tells_the_button_and_the_job() -> None:
    payload = example("check_run", action="requested_action")
    payload["check_run"]["external_id"] = "dep_0123456789"
    asked = read("check_run", payload)
    assert isinstance(asked, events.CheckRunAsked)
    assert asked.identifier == "lgtm|26764"
    assert asked.external_id == "dep_0123456789"
    assert asked.pull_numbers == (26764,)
    assert asked.installation_id is not None


def test_a_click_on_no_button_cannot_be_read() -> None:
    payload = example("check_run", action="requested_action")
    del payload["requested_action"]
    with pytest.raises(Unreadable, match="requested_action"):
        read("check_run", payload)


def test_a_renamed_repository_tells_its_old_name() -> None:
    changed = read("repository", example("repository", action="renamed"))
    assert isinstance(changed, events.RepositoryChanged)
    assert changed.previous_name == "Hello-World"


def test_a_renamed_account_tells_both_logins() -> None:
    payload = {
        "action": "renamed",
        "account": {"id": 7, "login": "new"},
        "changes": {"login": {"from": "old"}},
        "installation": {"id": 3, "node_id": "x"},
        "target_type": "Organization",
    }
    assert read("installation_target", payload) == events.AccountRenamed(3, 7, "new", "old")


def test_repositories_added_to_an_installation_are_told() -> None:
    changed = read("installation_repositories", example("installation_repositories", action="added"))
    assert isinstance(changed, events.InstalledRepositoriesChanged)
    assert changed.added
    assert not changed.removed


def key(event: str, payload: dict[str, Any]) -> str | None:
    fact = read(event, payload)
    assert not isinstance(fact, Ignored)
    return fact.semantic_key


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ("push", {"ref": "refs/heads/master"}),
        ("pull_request", {"action": "synchronize"}),
        ("issue_comment", {"action": "created"}),
        ("issue_comment", {"action": "edited"}),
        ("create", {}),
        ("delete", {}),
        ("repository", {"action": "edited"}),
    ],
)
def test_the_repository_hook_and_the_app_hook_tell_of_one_act_with_one_key(event: str, wanted: dict[str, str]) -> None:
    payload = example(event, **wanted)
    by_app = {**payload, "installation": {"id": 9, "node_id": "x"}}
    by_repository = {name: value for name, value in payload.items() if name != "installation"}
    assert key(event, by_app) == key(event, by_repository) is not None


def test_the_same_commits_pushed_back_and_forth_are_new_pushes() -> None:
    first = example("push", ref="refs/heads/master")
    again = copy.deepcopy(first)
    again["repository"]["pushed_at"] += 60
    assert key("push", first) != key("push", again)


def test_a_pull_request_reopened_twice_is_told_twice() -> None:
    first = example("pull_request", action="reopened")
    again = copy.deepcopy(first)
    again["pull_request"]["updated_at"] = "2031-01-01T00:00:00Z"
    assert key("pull_request", first) != key("pull_request", again)


def test_a_comment_edited_twice_is_told_twice_and_created_once() -> None:
    created, edited = example("issue_comment", action="created"), example("issue_comment", action="edited")
    later = {"updated_at": "2031-01-01T00:00:00Z"}
    created_later = {**created, "comment": {**created["comment"], **later}}
    edited_later = {**edited, "comment": {**edited["comment"], **later}}
    assert key("issue_comment", edited) != key("issue_comment", edited_later)
    assert key("issue_comment", created) == key("issue_comment", created_later)


def test_a_double_click_is_one_ask() -> None:
    click = example("check_run", action="requested_action")
    assert key("check_run", click) == key("check_run", copy.deepcopy(click)) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"check_run": {"output": {"title": "Not now: production is locked", "summary": "…"}}},
        {"check_run": {"conclusion": "failure", "completed_at": "2031-01-01T00:00:00Z"}},
        {"sender": {"id": 4711, "login": "someone-else"}},
        {"requested_action": {"identifier": "another"}},
    ],
    ids=["what it says changed", "it ended", "another person", "another button"],
)
def test_a_click_is_a_new_ask_once_something_changed(change: dict[str, dict[str, Any]]) -> None:
    first = example("check_run", action="requested_action")
    again = copy.deepcopy(first)
    for name, fields in change.items():
        again[name] |= fields
    assert key("check_run", first) != key("check_run", again)


def test_an_event_nobody_subscribed_to_is_ignored_with_a_reason() -> None:
    assert parse("star", b"{}") == Ignored("event_not_used", "Shipmate does nothing on star events.")


def test_an_action_without_meaning_is_ignored_with_a_reason() -> None:
    ignored = read("pull_request", example("pull_request", action="labeled"))
    assert ignored == Ignored("action_not_used", "Shipmate does nothing on pull_request labeled.")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body_not_json"),
        (b"{", "body_not_json"),
        (b"payload=%7B%7D", "body_not_json"),
        (b'{"ref": "\xff"}', "body_not_json"),
        (b'{"ref": "\\ud800"}', "body_not_json"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "body_not_json"),
        (b"[" * 100_000, "body_not_json"),
        (b"[]", "body_not_object"),
        (b"null", "body_not_object"),
        (b'"push"', "body_not_object"),
        (b"{}", "field_unusable"),
    ],
    ids=[
        "empty",
        "cut",
        "form",
        "not UTF-8",
        "half a character",
        "nested",
        "nested and cut",
        "list",
        "null",
        "string",
        "nothing in it",
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable, match=code):
        parse("push", body)


def test_a_hook_that_sends_forms_is_told_what_to_change() -> None:
    with pytest.raises(Unreadable, match="application/json"):
        parse("push", b"payload=%7B%7D")


def test_an_unusable_field_is_named_with_its_path() -> None:
    payload = example("pull_request", action="opened")
    payload["pull_request"]["head"]["sha"] = "main"
    with pytest.raises(Unreadable) as refused:
        read("pull_request", payload)
    assert refused.value.facts["field"] == "pull_request.head.sha"


@pytest.mark.parametrize("name", ["../etc", "a/b/c", "a/..", "a b/c", "a/b\n", ""])
def test_a_repository_with_an_impossible_name_is_refused(name: str) -> None:
    payload = example("push", ref="refs/heads/master")
    payload["repository"]["full_name"] = name
    with pytest.raises(Unreadable, match=r"repository\.full_name"):
        read("push", payload)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A published payload with one to three of its values, anywhere in it, replaced or taken away."""
    one = draw(st.sampled_from(EXAMPLES))
    payload = copy.deepcopy(one["payload"])
    for _ in range(draw(st.integers(1, 3))):
        _damage(draw, payload)
    return one["event"], json.dumps(payload).encode("utf-8", "surrogatepass")


def _damage(draw: st.DrawFn, payload: dict[str, Any]) -> None:
    holder: Any = payload
    while True:
        name = draw(st.sampled_from(sorted(holder)))
        inner = holder[name]
        if not isinstance(inner, dict) or not inner or draw(st.booleans()):
            break
        holder = inner
    if draw(st.booleans()):
        holder[name] = draw(anything)
    else:
        del holder[name]
        holder["…"] = None


def _only_what_is_promised(event: str, body: bytes) -> None:
    try:
        fact = parse(event, body)
    except Unreadable:
        return
    assert type(fact) in {Ignored, *get_args(WebhookEvent)}
    if not isinstance(fact, Ignored):
        assert fact.semantic_key is None or fact.semantic_key.encode()


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_a_damaged_payload_is_a_fact_ignored_or_unreadable(delivery: tuple[str, bytes]) -> None:
    _only_what_is_promised(*delivery)


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(KNOWN_EVENTS)) | st.text(max_size=20),
    st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()),
)
def test_any_bytes_are_a_fact_ignored_or_unreadable(event: str, body: bytes) -> None:
    _only_what_is_promised(event, body)
