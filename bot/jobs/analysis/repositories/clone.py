"""Brings a repository's whole history here, bare, and brings it up to date later."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bot.errors import Permanent, Refused, ShipmateError, Transient, UserMistake
from bot.jobs.analysis.repositories.addresses import Address
from bot.jobs.analysis.repositories.children import Children
from bot.jobs.analysis.repositories.git import base_environment, plain_git

LOW_SPEED_BYTES, LOW_SPEED_S = 1000, 120
"""A server that sends less in every second of as many has gone; one may count the objects of a large past for long."""

ENDS_WITHIN_S = 5.0

_SETTINGS = (
    ("gc.autoDetach", "false"),
    ("credential.helper", ""),
    ("core.askPass", ""),
    ("fetch.fsckObjects", "false"),
    ("fetch.recurseSubmodules", "false"),
)
_REFUSED = re.compile(
    r"could not read (?:Username|Password)|Authentication failed|terminal prompts disabled|Permission denied"
    r"|returned error: (?:401|403)|[Rr]epository (?:'.*' )?not found|not found",
)
_NO_ANSWER = re.compile(
    r"Could not resolve host|Failed to connect|Connection (?:timed out|refused|reset)"
    r"|unable to access.*(?:SSL|[Tt]imeout)|returned error: (?:429|5\d\d)|early EOF|unexpected disconnect"
    r"|Operation (?:too slow|timed out)|transfer closed|Empty reply|hung up|proxy after CONNECT|CONNECT tunnel failed"
)
_NO_REPOSITORY = re.compile(
    r"does not appear to be a git repository|not valid: is this a git repository|not a git repo"
)
_NO_REF = re.compile(r"couldn't find remote ref|Remote branch .* not found|not our ref|invalid refspec")
_SHALLOW = re.compile(r"shallow roots are not allowed")
_MOVED = re.compile(r"returned error: 30[12378]")
_FULL_DISK = re.compile(r"No space left on device|Disk quota exceeded")
_DAMAGED = re.compile(
    r"^.*(?:possible repository corruption|is corrupt|unable to read|did not send all necessary objects).*$", re.M
)
_OTHER_IDS = re.compile(r"mismatched algorithms|unknown object format")
_HIDDEN = re.compile(r"//[^/@\s]*@")


def fetch_into(
    repository: Path, address: Address, ref: str, children: Children, *, token: str | None = None, called: str = ""
) -> str:
    """Fetch one ref with its whole history; makes the bare repository on the first call. Returns the ref's name here.

    The name is made of what the ref is `called`, so that one pinned commit after another of a branch has one name.
    The token travels in git's environment, never in an argument or an address, and goes to the address's host alone:
    redirects are not followed with it. Raises UserMistake (`credentials_needed`, `not_a_repository`, `unknown_ref`,
    `no_commits`, `repository_moved`), Refused (`shallow_repository`), Transient (`host_unreachable`) or Permanent
    (`disk_full`, `corrupt_remote`, `clone_failed`), Cancelled after a stop.
    """
    if not ref or ref.startswith("+"):  # to git, a sign and no part of a name
        raise UserMistake("unknown_ref", ref=ref)
    if not (repository / "HEAD").exists():
        _make(repository)
    _clear(repository)
    local = f"refs/shipmate/{hashlib.sha256((called or ref).encode()).hexdigest()[:16]}"
    code, told = _fetch(repository, address, f"{ref}:{local}", children, token)
    if code and _OTHER_IDS.search(told):
        shutil.rmtree(repository)
        _make(repository, "sha256")
        code, told = _fetch(repository, address, f"{ref}:{local}", children, token)
    if code or _SHALLOW.search(told):  # what is shallow there is passed over here, and called a success
        raise _why(told, address, ref)
    if _is_no_commit(repository, local):
        raise UserMistake("unknown_ref", ref=ref)
    return local


def note_changes(repository: Path, children: Children) -> None:
    """Have git note beside its packs what each commit changed: it blames a file of a long past in a third of the time.

    The first time all of the past is looked through, later only what is new. That a full disk takes none of it costs
    time alone. Raises Cancelled after a stop. Source: git-commit-graph(1), `--changed-paths`.
    """
    noted = ["commit-graph", "write", "--reachable", "--changed-paths", "--split", "--no-progress"]
    with tempfile.TemporaryFile() as errors:
        child = children.start(["git", "--git-dir", str(repository), *noted], base_environment(), errors)
        child.communicate()
        children.finish(child)


def _is_no_commit(repository: Path, ref: str) -> bool:
    """Whether a ref is one of anything else, as a tag may be. Damage is left to those who read what was fetched."""
    code, _, told = plain_git(["--git-dir", str(repository), "rev-parse", "--verify", f"{ref}^{{commit}}"])
    return code != 0 and "expected commit type" in told


def _clear(repository: Path) -> None:
    """Remove what a killed git left, or one that found the disk full: half of a pack or a graph, and locks."""
    objects = repository / "objects"
    for pattern in ("pack/tmp_*", "info/**/tmp_*", "info/**/*.lock"):
        for left in objects.glob(pattern):
            left.unlink(missing_ok=True)


def _fetch(repository: Path, address: Address, refspec: str, children: Children, token: str | None) -> tuple[int, str]:
    """The exit code, and what git complained of."""
    command = ["git", "--git-dir", str(repository), "fetch", "--no-tags", "--no-write-fetch-head", "--quiet", "--force"]
    with tempfile.TemporaryFile() as errors:
        child = children.start([*command, "--", address.url, refspec], _environment(address, token), errors)
        try:
            child.communicate()
        finally:
            _end(child)
        code = children.finish(child)
        errors.seek(0)
        return code, errors.read().decode("utf-8", "replace")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Who is told to end while git fetches leaves no git at work: asked to, it removes what it had half written."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()


def _make(repository: Path, ids: str = "sha1") -> None:
    asked = ["init", "--bare", "--quiet", "--template=", f"--object-format={ids}", str(repository)]
    code, _, told = plain_git(asked)
    if code:
        raise _local_fault(told) or Permanent("clone_failed", target=str(repository), message=told)


def _environment(address: Address, token: str | None) -> dict[str, str]:
    slow = (("http.lowSpeedLimit", str(LOW_SPEED_BYTES)), ("http.lowSpeedTime", str(LOW_SPEED_S)))
    settings = [*_SETTINGS, *slow, *address.settings]
    if token:
        secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        settings += [("http.extraHeader", f"Authorization: Basic {secret}"), ("http.followRedirects", "false")]
    numbered = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_ALLOW_PROTOCOL": address.protocols}
    for number, (name, value) in enumerate(settings):
        numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return {**base_environment(), **numbered, **address.way_out}


def _why(told: str, address: Address, ref: str) -> ShipmateError:
    """What git's complaint means; its own words, without any password, go along."""
    target, detail = address.shown, _HIDDEN.sub("//", " ".join(told.split()))[-300:]
    ours = _local_fault(told)
    if ours:
        return ours
    if _SHALLOW.search(told):
        return Refused("shallow_repository", target=target)
    if _MOVED.search(told):
        return UserMistake("repository_moved", target=target)
    if _NO_REF.search(told):
        return UserMistake("no_commits" if ref == "HEAD" else "unknown_ref", ref=ref)
    if _NO_REPOSITORY.search(told):
        return UserMistake("not_a_repository", target=target)
    damaged = _DAMAGED.search(told)
    if damaged:
        return Permanent("corrupt_remote", target=target, detail=" ".join(damaged[0].split()))
    if _NO_ANSWER.search(told):
        return Transient("host_unreachable", target=target, detail=detail)
    if _REFUSED.search(told):
        return UserMistake("credentials_needed", target=target)
    return Permanent("clone_failed", target=target, message=detail)


def _local_fault(told: str) -> Permanent | None:
    """What keeps us here from cloning anything; what the other side tells of itself comes after `remote:`."""
    ours = (line for line in told.splitlines() if not line.startswith("remote:"))
    return Permanent("disk_full") if any(map(_FULL_DISK.search, ours)) else None
