"""Settings: the one place that reads the environment, and says what is wrong with it in one sentence each."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bot.engines.docker.access import RegistryAccess
from bot.engines.router.settings import PortRange, RouterSettings
from bot.errors import UserMistake
from bot.process.proxies import for_git

LOCALES = ("en", "ko")
DATABASE_URL = "sqlite:///shipmate.db"


@dataclass(frozen=True, slots=True)
class GitHubSettings:
    """How the app signs in at GitHub, and where GitHub is."""

    app_id: str
    private_key: str = field(repr=False)
    webhook_secrets: tuple[bytes, ...] = field(repr=False)
    api_url: str = "https://api.github.com"
    url: str = "https://github.com"
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    """With both of these people can sign in, which links their Slack to their GitHub account."""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """How the app signs in at Slack, and how it knows that Slack is speaking."""

    bot_token: str = field(repr=False)
    signing_secrets: tuple[bytes, ...] = field(repr=False)
    """Those of requests over HTTP; none where there is an `app_token` alone: then nothing is believed over HTTP."""
    api_url: str = "https://slack.com/api/"
    app_token: str | None = field(default=None, repr=False)
    """With it Slack is listened to over a socket that we open (Socket Mode)."""


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """What analyses may keep, and the services a quality snapshot asks; a service without an address is not asked."""

    clones_mb: int = 10_240
    states_mb: int = 512
    sonar_url: str = ""
    sonar_token: str = field(default="", repr=False)
    sonar_project: str = "{owner}_{repo}"
    """The key of a repository's project there."""
    model_url: str = ""
    """An OpenAI-compatible address, `…/v1`."""
    model_name: str = ""
    model_key: str = field(default="", repr=False)
    model_most_characters: int = 6_000
    model_most_tokens: int = 400
    """What one summary may send and answer at most, which is what it may cost."""


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where AWS is. Keys are botocore's own affair: a role, a profile, or what it reads of the environment itself."""

    region: str
    endpoint_url: str | None = None
    registry_host: str | None = None
    """Where ECR's images are reached, if not where ECR says."""
    deployments_table: str | None = None
    installations_table: str | None = None
    """Tables of DynamoDB by which deployments are asked for away from this server; None: they are not."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a server or worker."""

    database_url: str
    workdir: Path
    host: str
    port: int
    public_url: str
    router: RouterSettings
    has_public_url: bool = False
    """Whether PUBLIC_URL was set; else it is made of host and port."""
    github: GitHubSettings | None = None
    slack: SlackSettings | None = None
    """None: the Slack face is off."""
    analysis: AnalysisSettings = field(default_factory=AnalysisSettings)
    aws: AwsSettings | None = None
    """None: the target ecs is off."""
    registry: RegistryAccess | None = None
    base_registry: str | None = None
    """Passed to builds as `--build-arg REGISTRY=…`: a mirror of the official base images."""
    secret_key: bytes | None = field(default=None, repr=False)
    locale: str = "en"
    concurrency: int = 10
    max_waiting: int = 1000
    engine: str = "docker"
    docker_host: str | None = None
    stage_limit_s: float = 600.0
    job_limit_s: float = 1800.0
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What git needs to go out through a proxy; empty where there is none."""
    owner: str = "shipmate"
    """Marks the containers of this installation, so that two on one engine leave each other's alone."""


def from_environment(env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises UserMistake("bad_setting", name, sentence) for one that cannot be used."""
    source = os.environ if env is None else env
    host, port = source.get("HOST") or "127.0.0.1", _whole(source, "PORT", 8080, 0, 65535)
    workdir = Path(source.get("SHIPMATE_WORKDIR") or Path.home() / ".shipmate").absolute()
    return Settings(
        database_url=source.get("DATABASE_URL") or DATABASE_URL,
        workdir=workdir,
        host=host,
        port=port,
        public_url=(source.get("PUBLIC_URL") or f"http://{host}:{port}").rstrip("/"),
        router=_router(source, workdir),
        has_public_url=bool(source.get("PUBLIC_URL")),
        github=_github(source),
        slack=_slack(source),
        analysis=_analysis(source),
        aws=_aws(source),
        registry=_registry(source),
        base_registry=source.get("SHIPMATE_BASE_REGISTRY") or None,
        secret_key=source["SHIPMATE_SECRET_KEY"].encode() if source.get("SHIPMATE_SECRET_KEY") else None,
        locale=_one_of(source, "SHIPMATE_LOCALE", "en", LOCALES),
        concurrency=_whole(source, "SHIPMATE_CONCURRENCY", 10, 1, 1000),
        max_waiting=_whole(source, "SHIPMATE_MAX_WAITING", 1000, 1, 1_000_000),
        engine=_one_of(source, "SHIPMATE_ENGINE", "docker", ("docker", "process")),
        docker_host=source.get("DOCKER_HOST") or None,
        stage_limit_s=float(_whole(source, "SHIPMATE_STAGE_LIMIT", 600, 1, 86_400)),
        job_limit_s=float(_whole(source, "SHIPMATE_JOB_LIMIT", 1800, 1, 604_800)),
        proxies=for_git(source),
        owner=source.get("SHIPMATE_OWNER") or _owner(source.get("DATABASE_URL") or DATABASE_URL),
    )


def way_out(env: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """What git needs to go out through a proxy, for a command that needs no other setting."""
    return for_git(os.environ if env is None else env)


def require_github(settings: Settings) -> GitHubSettings:
    """The GitHub part, complete. Raises UserMistake("bad_setting") naming what is missing: no start without it."""
    github = settings.github
    if github is None:
        raise bad("GITHUB_APP_ID", "is not set: `shipmate register` makes the app and writes its settings")
    if not github.webhook_secrets:
        raise bad("GITHUB_WEBHOOK_SECRET", "is not set: a server with no webhook secret would trust anyone")
    if not github.private_key:
        raise bad("GITHUB_PRIVATE_KEY", "is not set: give the app's PEM, or its path in GITHUB_PRIVATE_KEY_PATH")
    return github


def bad(name: str, sentence: str) -> UserMistake:
    """The refusal of one setting."""
    return UserMistake("bad_setting", name=name, sentence=sentence)


def _github(env: Mapping[str, str]) -> GitHubSettings | None:
    if not env.get("GITHUB_APP_ID"):
        return None
    return GitHubSettings(
        app_id=env["GITHUB_APP_ID"],
        private_key=_private_key(env),
        webhook_secrets=_several(env, "GITHUB_WEBHOOK_SECRET"),
        api_url=_url(env, "GITHUB_API_URL", "https://api.github.com"),
        url=_url(env, "GITHUB_URL", "https://github.com"),
        client_id=env.get("GITHUB_CLIENT_ID") or None,
        client_secret=env.get("GITHUB_CLIENT_SECRET") or None,
    )


def _slack(env: Mapping[str, str]) -> SlackSettings | None:
    """The bot's token, and a way for Slack to reach us: the one without the other is a slip."""
    token, app_token = env.get("SLACK_BOT_TOKEN", ""), env.get("SLACK_APP_TOKEN", "")
    secrets = _several(env, "SLACK_SIGNING_SECRET")
    if not token and not secrets and not app_token:
        return None
    if not token:
        other = "SLACK_SIGNING_SECRET" if secrets else "SLACK_APP_TOKEN"
        raise bad("SLACK_BOT_TOKEN", f"is not set, while {other} is: set both, or neither")
    if app_token and not app_token.startswith("xapp-"):
        raise bad("SLACK_APP_TOKEN", "is no token of an app: give the one with connections:write, which begins xapp-")
    if not secrets and not app_token:
        sentence = "is not set, while SLACK_BOT_TOKEN is: set it, or SLACK_APP_TOKEN for Socket Mode, or neither"
        raise bad("SLACK_SIGNING_SECRET", sentence)
    return SlackSettings(token, secrets, _url(env, "SLACK_API_URL", "https://slack.com/api") + "/", app_token or None)


def _analysis(env: Mapping[str, str]) -> AnalysisSettings:
    """SonarQube's settings have the names its own scanners read."""
    model_url = _url(env, "SHIPMATE_MODEL_URL", "") if env.get("SHIPMATE_MODEL_URL") else ""
    if model_url and not env.get("SHIPMATE_MODEL_NAME"):
        raise bad("SHIPMATE_MODEL_NAME", "is not set, while SHIPMATE_MODEL_URL is: name the model to ask")
    known = AnalysisSettings()
    return AnalysisSettings(
        clones_mb=_whole(env, "SHIPMATE_ANALYSIS_CLONES_MB", known.clones_mb, 1, 10_000_000),
        states_mb=_whole(env, "SHIPMATE_ANALYSIS_STATES_MB", known.states_mb, 1, 1_000_000),
        sonar_url=_url(env, "SONAR_HOST_URL", "") if env.get("SONAR_HOST_URL") else "",
        sonar_token=env.get("SONAR_TOKEN", ""),
        sonar_project=env.get("SONAR_PROJECT_KEY") or known.sonar_project,
        model_url=model_url,
        model_name=env.get("SHIPMATE_MODEL_NAME", ""),
        model_key=env.get("SHIPMATE_MODEL_KEY", ""),
        model_most_characters=_whole(env, "SHIPMATE_MODEL_CHARACTERS", known.model_most_characters, 1, 1_000_000),
        model_most_tokens=_whole(env, "SHIPMATE_MODEL_TOKENS", known.model_most_tokens, 1, 100_000),
    )


def _aws(env: Mapping[str, str]) -> AwsSettings | None:
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    if not region:
        return None
    endpoint = _url(env, "AWS_ENDPOINT_URL", "") if env.get("AWS_ENDPOINT_URL") else None
    asked, places = env.get("SHIPMATE_DEPLOYMENTS_TABLE"), env.get("SHIPMATE_INSTALLATIONS_TABLE")
    if bool(asked) != bool(places):
        missing = "SHIPMATE_INSTALLATIONS_TABLE" if asked else "SHIPMATE_DEPLOYMENTS_TABLE"
        raise bad(missing, "is not set, while the other table is: set both, or neither")
    return AwsSettings(region, endpoint, env.get("SHIPMATE_ECR_HOST") or None, asked or None, places or None)


def _several(env: Mapping[str, str], name: str) -> tuple[bytes, ...]:
    """Secrets that hold at once while one is being replaced, separated by commas."""
    parts = (part.strip() for part in env.get(name, "").split(","))
    return tuple(part.encode() for part in parts if part)


def _private_key(env: Mapping[str, str]) -> str:
    """The PEM itself; a key pasted on one line with `\\n` in it, or a path in GITHUB_PRIVATE_KEY, is understood."""
    given = env.get("GITHUB_PRIVATE_KEY", "").replace("\\n", "\n").strip()
    if "-----BEGIN" in given:
        return given
    path = env.get("GITHUB_PRIVATE_KEY_PATH") or given
    if not path:
        return ""
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise bad("GITHUB_PRIVATE_KEY_PATH", "names a file that cannot be read as a PEM key") from error


def _router(env: Mapping[str, str], workdir: Path) -> RouterSettings:
    state_dir = Path(env.get("SHIPMATE_ROUTER_DIR") or workdir / "router").absolute()
    return RouterSettings(
        state_dir=state_dir,
        socket=Path(env.get("SHIPMATE_ROUTER_SOCKET") or state_dir / "control.sock"),
        host=env.get("SHIPMATE_ROUTER_HOST", "127.0.0.1"),
        public_host=env.get("SHIPMATE_ROUTER_PUBLIC_HOST", ""),
        ports=_ports(env, "SHIPMATE_ROUTER_PORTS"),
        shared_port=_whole(env, "SHIPMATE_ROUTER_SHARED_PORT", -1, -1, 65535),
    )


def _registry(env: Mapping[str, str]) -> RegistryAccess | None:
    prefix = env.get("SHIPMATE_REGISTRY", "").rstrip("/")
    if not prefix:
        return None
    return RegistryAccess(prefix, env.get("SHIPMATE_REGISTRY_USER"), env.get("SHIPMATE_REGISTRY_PASSWORD"))


def _owner(database_url: str) -> str:
    """Two installations on one machine differ in their databases, and must leave each other's containers alone."""
    place = database_url.removeprefix("sqlite:///")
    known = str(Path(place).absolute()) if place != database_url else database_url
    return "shipmate-" + hashlib.sha256(f"{socket.gethostname()}\0{known}".encode()).hexdigest()[:12]


def _ports(env: Mapping[str, str], name: str) -> PortRange:
    text = env.get(name) or "0-0"
    try:
        return PortRange.parse(text)
    except ValueError:
        raise bad(name, f"is {text!r}: give a range such as 20000-20999") from None


def _whole(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name) or str(default)
    try:
        value = int(text)
    except ValueError:
        raise bad(name, f"is {text!r}: give a whole number") from None
    if not least <= value <= most:
        raise bad(name, f"is {value}: give a number from {least} to {most}")
    return value


def _one_of(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    value = env.get(name) or default
    if value not in choices:
        raise bad(name, f"is {value!r}: give one of {', '.join(choices)}")
    return value


def _url(env: Mapping[str, str], name: str, default: str) -> str:
    value = (env.get(name) or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise bad(name, f"is {value!r}: give an http or https address")
    return value
