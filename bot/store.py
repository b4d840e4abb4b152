"""What is remembered, as protocols that a store satisfies, and the records they exchange."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.approvals import Approval, Approve, EndHeld, Trust
from bot.audit import AuditEntry, AuditRecord, Head, Verdict
from bot.locks import Lock
from bot.model import Delivery, Event, Job, JobKind, JobRequest, JobState, NewEvent, Release, Repository, Stage
from bot.previews import preview_environment


@dataclass(frozen=True, slots=True)
class SlackPlace:
    """Where in Slack an answer is said."""

    channel: str
    user: str | None = None
    """Only this person sees it; None: everyone in the channel."""
    thread: str | None = None
    """Under this message, by its ts."""
    response_url: str | None = None
    """Slack's own way to answer one command or click: half an hour, five times."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is no job's report (a refusal, a status, help). Delivered once; `key` makes it findable."""

    key: str
    repository: Repository
    installation_id: int
    number: int | None
    """Pull request or issue; None where there is none, as for a push."""
    body: str
    """Markdown; empty: only the reaction."""
    comment_id: int | None = None
    reaction: str | None = None
    """`eyes`, `rocket`, `confused`, `+1` on the asking comment."""
    check_sha: str | None = None
    """Also shown as a check run of this commit, when set."""
    check_name: str | None = None
    """The check run's name; None: that of a deployment to production."""
    check_conclusion: str = "action_required"
    slack: SlackPlace | None = None
    """Said there, in Slack's markup, and nowhere at GitHub, when set."""


@dataclass(frozen=True, slots=True)
class HeadMove:
    """The head of a pull request as a delivery told it. `received_seq` is the delivery's order of receipt."""

    repository_id: int
    number: int
    sha: str
    received_at: datetime
    received_seq: int


@dataclass(frozen=True, slots=True)
class OpenPreview:
    """A preview is wanted until `ends_at`. Refused("too_many_previews") where a repository has `most` already."""

    repository: Repository
    installation_id: int
    number: int
    ends_at: datetime
    most: int


@dataclass(frozen=True, slots=True)
class ExtendPreview:
    """A preview that is open ends then."""

    repository_id: int
    number: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class EndPreview:
    """A preview is not wanted any more, and why."""

    repository_id: int
    number: int
    why: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class TakeLock:
    """A lock is claimed, in place of those of others that were seen and may be taken over; their holders are told.

    Refused("environment_locked") when it is another's by then.
    """

    lock: Lock
    over: tuple[Lock, ...] = ()
    notices: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseLocks:
    """These very locks end; whoever else held one is told. Refused("not_locked") when one is over by then."""

    locks: tuple[Lock, ...]
    notices: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class ShowAgain:
    """The check run of a job is shown as it is once more: GitHub opened it again."""

    job_id: str


Change = (
    TakeLock
    | ReleaseLocks
    | HeadMove
    | Approve
    | Trust
    | EndHeld
    | OpenPreview
    | ExtendPreview
    | EndPreview
    | ShowAgain
)
"""What a decision changes beside jobs and answers."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """All that one delivery led to, written in one transaction."""

    outcome: str
    """`acted`, `ignored`, `refused` or `failed`."""
    reason: str
    semantic_key: str | None = None
    jobs: tuple[JobRequest, ...] = ()
    cancels: tuple[tuple[str, str], ...] = ()
    """(job id, login of who asked)."""
    answers: tuple[Answer, ...] = ()
    changes: tuple[Change, ...] = ()
    audit: tuple[AuditEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """`acted` is False when the semantic key had been acted on before: then nothing but the outcome was written."""

    acted: bool
    jobs: tuple[Job, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery as `shipmate deliveries` lists it."""

    seq: int
    guid: str
    event: str
    received_at: datetime
    outcome: str | None
    reason: str | None
    attempts: int


class Deliveries(Protocol):
    """Webhooks, recorded once."""

    async def record(self, guid: str, event: str, body: bytes, received_at: datetime) -> bool:
        """On disk when it returns. False when this guid was recorded before. Raises Transient when it cannot."""

    async def claim(self, worker: str, now: datetime, lease_s: float, limit: int) -> list[Delivery]:
        """Lease the oldest unsettled deliveries that are due, in order of receipt."""

    async def settle(self, seq: int, settlement: Settlement, now: datetime) -> Settled:
        """Write all of it, or nothing when the delivery is settled already or its semantic key was acted on before
        (outcome `duplicate`). Raises Refused("queue_full", limit=…), then nothing was written."""

    async def retry_at(self, seq: int, at: datetime, reason: str) -> None:
        """End the lease; due again at `at`."""

    async def acted_on(self, semantic_key: str) -> bool: ...

    async def recent(self, limit: int, before_seq: int | None = None) -> list[DeliveryRow]: ...

    async def find(self, guid: str) -> Delivery | None: ...

    async def replay(self, guid: str, now: datetime) -> bool:
        """Make a settled delivery due again, forgetting its semantic key and answers. False when it is not kept."""

    async def unknown(self, guids: Sequence[str]) -> list[str]:
        """Those of the guids that were never recorded here."""

    async def latest_head(self, repository_id: int, number: int) -> HeadMove | None: ...

    async def prune(self, before: datetime) -> int:
        """Forget the bodies of settled deliveries received before; their ids stay known. Answers how many."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a heartbeat learns."""

    lease_until: datetime
    cancel_asked_by: str | None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None means any."""

    repository: str | None = None
    environment: str | None = None
    kind: JobKind | None = None
    states: tuple[JobState, ...] = ()
    pull_number: int | None = None
    sha: str | None = None
    before: str | None = None
    """Cursor: list jobs created before this job id."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class NewRelease:
    """What `finish` records when an image went live."""

    repository_id: int
    environment: str
    job_id: str
    sha: str
    image: str
    instance_id: str
    spec: Mapping[str, Any]


class Jobs(Protocol):
    """Durable jobs, their leases and their events. Writes under an old fence raise LeaseLost."""

    async def create(self, request: JobRequest, now: datetime, audit: Sequence[AuditEntry] = ()) -> Job:
        """The audit trail is told `audit`, or else that it was asked for, in the same transaction.

        Raises Refused("queue_full", limit=…) when more wait than allowed.
        """

    async def get(self, job_id: str) -> Job | None: ...

    async def find(self, which: JobFilter) -> list[Job]:
        """Newest first."""

    async def claim(self, worker: str, now: datetime, lease_s: float, only: str | None = None) -> Job | None:
        """Lease the oldest runnable job whose lane is idle, or just `only`; a lapsed lease can be claimed again."""

    async def heartbeat(self, job_id: str, fence: int, now: datetime, lease_s: float) -> Pulse: ...

    async def lease_owners(self) -> list[str]:
        """The workers that hold a lease on an unfinished job or delivery."""

    async def lapse(self, worker: str) -> int:
        """End every lease of a worker known to be dead, so that its jobs and deliveries resume at once; answers how
        many jobs."""

    async def give_back(self, job_id: str, fence: int) -> None:
        """End the lease now, so that another worker resumes at once. Repeatable."""

    async def advance(
        self, job_id: str, fence: int, state: JobState, stage: Stage | None, events: Sequence[NewEvent], now: datetime
    ) -> list[Event]:
        """Move on and record the events, in one transaction. Raises ValueError when the state may not follow."""

    async def append(self, job_id: str, fence: int, events: Sequence[NewEvent], now: datetime) -> list[Event]: ...

    async def keep_facts(self, job_id: str, fence: int, stage: Stage, facts: Mapping[str, Any]) -> None:
        """Remember what a stage found or is about to change, for a resume."""

    async def facts(self, job_id: str) -> dict[Stage, dict[str, Any]]: ...

    async def finish(
        self,
        job_id: str,
        fence: int,
        state: JobState,
        events: Sequence[NewEvent],
        now: datetime,
        *,
        result: Mapping[str, Any],
        error_code: str | None = None,
        error_message: str | None = None,
        release: NewRelease | None = None,
        activate: int | None = None,
    ) -> None:
        """The end: state, events, result, and the release that is live now, in one transaction. Idle lane after it.

        `release` records a new release and makes it the active one; `activate` makes an old release (its id) active.
        """

    async def ask_cancel(self, job_id: str, by: str, now: datetime) -> Job | None:
        """A waiting job ends at once; a running one learns it by its heartbeat. None when unknown."""

    async def events(self, job_id: str, after: int = 0, limit: int = 1000) -> list[Event]: ...

    async def story(self, job_id: str) -> list[Event]:
        """Every event but the log's, oldest first."""

    async def log_tail(self, job_id: str, lines: int, stage: Stage | None = None) -> list[str]:
        """The last lines of the log, or of what one stage wrote of it."""

    async def last_seq(self, job_id: str) -> int: ...

    async def unfinished_in(self, repository_id: int, environment: str) -> list[str]:
        """Ids of the jobs of an environment that have not ended."""

    async def held(self) -> list[Job]:
        """Jobs that wait for approvals or checks, outside of their lanes, oldest first."""

    async def checks_passed(self, job_id: str, now: datetime) -> bool:
        """A held job waits for checks no more; it may run unless approvals are missing. False when it did not wait."""

    async def turn_came(self, job_id: str, now: datetime) -> bool:
        """The job it came after is completed; it may run unless more is missing. False when it came after none."""

    async def end_held(self, end: EndHeld, now: datetime) -> bool:
        """End a job that is still held. False when it is not."""

    async def line(self, lane: str, limit: int = 500) -> list[Job]:
        """The first that stand in a lane, in the order they run; held jobs do not stand there."""

    async def lane_seconds(self, lane: str, limit: int = 20) -> list[float]:
        """How long the last jobs of a lane took from their start to their end, in seconds, newest first."""

    async def ahead_in_lane(self, job: Job) -> int:
        """How many unfinished jobs stand before it in its lane."""


class Approvals(Protocol):
    """Who approved which job, and which commits of forks are trusted."""

    async def given(self, job_id: str) -> list[Approval]:
        """Oldest first; whether they are of the job's commit is the reader's to compare."""

    async def trusted_pull(self, repository_id: int, sha: str) -> int | None:
        """The fork's pull request of which a maintainer approved this very commit; None: nobody did."""


KEPT_RELEASES = 5
"""How many releases of an environment can be gone back to."""


class Releases(Protocol):
    """What went live."""

    async def active(self, repository_id: int, environment: str) -> Release | None: ...

    async def recent(self, repository_id: int, environment: str, limit: int = 20) -> list[Release]:
        """Newest first."""

    async def all_active(self) -> list[Release]: ...

    async def of_commit(self, repository_id: int, sha: str) -> list[Release]:
        """Releases of a commit in any environment, newest first."""

    async def with_image(self, image: str) -> list[Release]:
        """Releases that have this very image, newest first."""

    async def is_kept(self, release_id: int) -> bool:
        """Whether it serves, or is one of the last of its environment, which can be gone back to."""

    async def environments(self, repository_id: int) -> list[str]: ...

    async def retire(self, repository_id: int, environment: str) -> None:
        """Nothing serves there any more. Repeatable."""


@dataclass(frozen=True, slots=True)
class Report:
    """How far one face has told one job. `state` is the face's own (ids at GitHub, what was sent last), plain JSON."""

    job: Job
    face: str
    told_seq: int
    last_seq: int
    state: Mapping[str, Any]
    attempts: int


class Reports(Protocol):
    """Each face's cursor over each job's events."""

    async def behind(self, face: str, now: datetime, limit: int = 50) -> list[Report]:
        """Jobs with events this face has not told and that are due."""

    async def told(self, face: str, job_id: str, seq: int, state: Mapping[str, Any]) -> None:
        """Told up to `seq`; clears the attempts."""

    async def keep_state(self, face: str, job_id: str, state: Mapping[str, Any]) -> None:
        """Keep ids at once, without moving the cursor."""

    async def postpone(self, face: str, job_id: str, until: datetime, reason: str) -> None: ...

    async def state(self, face: str, job_id: str) -> Mapping[str, Any] | None: ...

    async def rewind(self, face: str, job_id: str) -> None:
        """Tell the job again from its latest state (the reconciler found the face to disagree)."""


class Answers(Protocol):
    """Replies that are no job's report, waiting to be sent."""

    async def due(self, now: datetime, limit: int = 50) -> list[tuple[int, Answer, int]]:
        """(row id, answer, attempts), oldest first."""

    async def sent(self, row_id: int, note: str) -> None: ...

    async def postpone(self, row_id: int, until: datetime, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key for programs, without the key itself."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeys(Protocol):
    """Keys for programs, hashed at rest."""

    async def create(self, name: str, now: datetime) -> tuple[ApiKey, str]:
        """The key's record and the key itself, which is shown this once."""

    async def all(self) -> list[ApiKey]: ...

    async def revoke(self, key_id: str, now: datetime) -> bool: ...

    async def verify(self, key: str, now: datetime) -> ApiKey | None:
        """The live key's record, else None; constant time over the hash."""


@dataclass(frozen=True, slots=True)
class SlackUser:
    """A person in a Slack workspace, by the ids that survive a new name."""

    team_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class SlackLink:
    """The GitHub account of a person in Slack, proven by signing in there. The login is as it was then."""

    user: SlackUser
    github_id: int
    github_login: str


@dataclass(frozen=True, slots=True)
class LinkTicket:
    """Leave to link one person, given to them alone. The names are what the page shows, the channel where to tell."""

    user: SlackUser
    user_name: str
    team_name: str
    channel: str


class SlackLinks(Protocol):
    """Who is who: people in Slack and their GitHub accounts."""

    async def of(self, user: SlackUser) -> SlackLink | None: ...

    async def people(self, github_id: int) -> list[SlackUser]:
        """Who in Slack is linked to this account."""

    async def unlink(self, user: SlackUser) -> bool:
        """False when there was no link. Tickets not used yet end too."""

    async def offer(self, secret: str, ticket: LinkTicket, expires_at: datetime) -> None:
        """Keep a ticket under the hash of its secret. Repeatable."""

    async def ticket(self, secret: str, now: datetime) -> LinkTicket | None:
        """The ticket while it is neither used nor expired."""

    async def redeem(self, secret: str, link: SlackLink, answer: Answer, now: datetime) -> bool:
        """Use the ticket up, keep the link in place of an earlier one, and have the answer said. False when it is over
        or another person's: then nothing is written."""


class Noise(enum.StrEnum):
    """How much a channel in Slack is told of jobs that were not asked for in it."""

    ALL = "all"
    """Each from its start, as those that were asked for there."""
    ENDS = "ends"
    """When it has ended, or waits for somebody's approval."""
    FAILURES = "failures"
    """When it has ended badly, or waits for somebody's approval."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ChannelBinding:
    """What a channel in Slack is about: said there, a command means this repository, and this environment if any."""

    repository: Repository
    environment: str | None = None
    noise: Noise = Noise.ENDS


@dataclass(frozen=True, slots=True)
class BoundChannel:
    """A channel that is told of a repository's jobs, those that were asked for since."""

    channel: str
    binding: ChannelBinding
    since: datetime


class SlackChannels(Protocol):
    """What channels in Slack are about."""

    async def of(self, channel: str) -> ChannelBinding | None: ...

    async def bind(self, channel: str, binding: ChannelBinding, now: datetime) -> None:
        """In place of an earlier binding. Repeatable."""

    async def unbind(self, channel: str) -> bool:
        """False when there was none."""

    async def about(self, repository_id: int) -> list[BoundChannel]:
        """The channels that are told of this repository's jobs, each as loud as it was set."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A pull request's preview. `ending` says why it ends: `stopped`, `expired`, `closed` or `gone`; None: it is open.

    `down`: nothing of it is left.
    """

    repository: Repository
    installation_id: int
    number: int
    ends_at: datetime
    ending: str | None = None
    ended_by: str | None = None
    down: bool = False

    @property
    def environment(self) -> str:
        return preview_environment(self.number)


class Previews(Protocol):
    """The previews of pull requests, and those that were stopped while the pull request is open."""

    async def of(self, repository_id: int, number: int) -> Preview | None: ...

    async def all_open(self) -> list[Preview]: ...

    async def ending(self) -> list[Preview]:
        """Those that end and are not down yet."""

    async def end(self, end: EndPreview, answer: Answer | None, now: datetime) -> bool:
        """End one that is open, and say so where there is something to say. False when it was not open."""

    async def is_down(self, preview: Preview) -> None:
        """Nothing is left: its releases are forgotten, and it too, unless it was stopped and may not come by itself."""


class Secrets(Protocol):
    """Named secrets of a repository, sealed at rest."""

    async def put(self, repository: str, name: str, value: str, now: datetime) -> None: ...

    async def get(self, repository: str, name: str) -> str | None: ...

    async def names(self, repository: str) -> list[str]: ...

    async def remove(self, repository: str, name: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class StoredAnalysis:
    """The report of one repository that a job made. `body` is plain JSON."""

    job_id: str
    repository: str
    """`owner/name`."""
    ref: str
    """As it was asked for, or the default branch."""
    sha: str
    """The commit that was analysed."""
    made_at: datetime
    body: Mapping[str, Any]
    is_default: bool = False
    """Whether it is about the default branch."""
    is_passing: bool = False
    """Whether the next one of the same ref that nobody asked for takes its place."""


class Analyses(Protocol):
    """Reports of contribution analyses, kept for good."""

    async def put(self, analysis: StoredAnalysis) -> None:
        """Keep it in place of an earlier one of the same job and repository. Repeatable."""

    async def of_job(self, job_id: str) -> list[StoredAnalysis]:
        """Oldest first: one, but several for a job about several repositories."""

    async def newest(self, repository: str, ref: str | None = None) -> StoredAnalysis | None:
        """By ref, or by full SHA; without one, of the default branch."""


class CommitLogins(Protocol):
    """GitHub logins of the addresses in commits, as GitHub told them."""

    async def known(self, emails: Sequence[str], since: datetime) -> dict[str, str | None]:
        """By address in lower case, those asked about since; None: GitHub knows nobody by it."""

    async def put(self, logins: Mapping[str, str | None], now: datetime) -> None:
        """Repeatable."""


@dataclass(frozen=True, slots=True)
class GitHubConnection:
    """A token somebody lent for one repository, without the token."""

    id: str
    owner: str
    repo: str
    branch: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AwsConnection:
    """A way into one AWS account, without its keys. `role_arn` None: by keys of its own."""

    id: str
    region: str
    account_id: str
    role_arn: str | None
    created_at: datetime


class Connections(Protocol):
    """Ways in that somebody lent us; what they come in with is sealed at rest."""

    async def put_github(self, connection: GitHubConnection, token: str) -> None: ...

    async def put_aws(self, connection: AwsConnection, credentials: Mapping[str, str]) -> None: ...

    async def github(self) -> list[GitHubConnection]:
        """Oldest first."""

    async def aws(self) -> list[AwsConnection]:
        """Oldest first."""

    async def token_of(self, connection_id: str) -> str | None: ...

    async def credentials_of(self, connection_id: str) -> Mapping[str, str] | None: ...

    async def remove(self, connection_id: str) -> bool:
        """False when there was none."""


class Locks(Protocol):
    """What people locked."""

    async def of(self, repository_id: int, now: datetime) -> list[Lock]:
        """Those that hold at `now`, the one of all environments first."""

    async def expired(self, now: datetime) -> list[Lock]:
        """Those whose time is over."""

    async def expire(self, lock: Lock, notices: Sequence[Answer], now: datetime) -> bool:
        """Forget one whose time is over, tell its holder and the audit trail. False when it is gone already."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which records to read; None means any. `since` is the first moment meant, `until` the first no more meant."""

    repository: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Audit(Protocol):
    """Who asked for what and what was decided: append-only, each record bound to the one before."""

    async def add(self, entry: AuditEntry, now: datetime) -> None:
        """Of what no delivery led to; what one led to is added when that is settled."""

    async def page(self, which: AuditFilter, after: int = 0, limit: int = 1000) -> list[AuditRecord]:
        """Those after record number `after`, oldest first."""

    async def of_job(self, job_id: str) -> list[AuditRecord]:
        """Oldest first."""

    async def newest(self, repository: str, number: int | None, limit: int) -> list[AuditRecord]:
        """Of a repository, or of what was said on one pull request or issue of it, newest first."""

    async def verify(self, noted: Head | None = None) -> Verdict:
        """Look through all of it; `noted` is a record's number and hash that were written down elsewhere."""


@dataclass(frozen=True, slots=True)
class Store:
    """All that is remembered, over one database."""

    deliveries: Deliveries
    jobs: Jobs
    releases: Releases
    previews: Previews
    reports: Reports
    answers: Answers
    keys: ApiKeys
    secrets: Secrets
    slack_links: SlackLinks
    slack_channels: SlackChannels
    analyses: Analyses
    commit_logins: CommitLogins
    connections: Connections
    audit: Audit
    locks: Locks
    approvals: Approvals
