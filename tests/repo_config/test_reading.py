"""`.shipmate.yml` is read as people write it, and its faults are told with their place."""

from __future__ import annotations

import contextlib
from pathlib import Path

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Refused
from bot.jobs.deploy.plan import Plan
from bot.repo_config.config import RepoConfig
from bot.repo_config.freeze import FreezeWindow
from bot.repo_config.previews import PreviewsConfig
from bot.repo_config.reading import MOST_BYTES, parse_config, schema
from bot.repo_config.rules import ApprovalRule, EnvironmentRules
from bot.repo_config.traffic import GateConfig, ParamConfig, TrafficConfig


def read(text: str) -> RepoConfig:
    return parse_config(text.encode(), "main")


def refused(raw: bytes) -> tuple[int, int, str]:
    with pytest.raises(Refused) as caught:
        parse_config(raw, "main")
    assert caught.value.code == "bad_config"
    facts = caught.value.facts
    return facts["line"], facts["column"], facts["problem"]


def test_without_a_file_the_default_branch_feeds_production() -> None:
    config = read("")
    assert config.default().name == "production"
    found = config.for_branch("main")
    assert found is not None
    assert found.name == "production"
    assert config.for_branch("other") is None


def test_everything_that_can_be_set_is_read() -> None:
    config = read(
        """
version: 1
build: {dockerfile: deploy/Dockerfile, context: ., args: {A: 1}}
environments:
  staging:
    branch: develop
  production:
    branch: main
    port: 3000
    health: /healthz
    health_timeout: 20
    checks: 3
    drain: 5
    env: {DEBUG: false, LEVEL: 3, NAME: x}
    secrets: {DATABASE_URL: prod/db}
    hosts: [app.example.com]
    memory: 256
    cpus: 0.5
    pids: 64
    read_only: true
    release_command: ./migrate
"""
    )
    production = config.environments["production"]
    assert config.default() is production
    assert (production.port, production.health, production.checks, production.drain_s) == (3000, "/healthz", 3, 5)
    assert production.env == {"DEBUG": "false", "LEVEL": "3", "NAME": "x"}
    assert production.secrets == {"DATABASE_URL": "prod/db"}
    assert (production.memory_mb, production.cpus, production.pids, production.read_only) == (256, 0.5, 64, True)
    staging = config.for_branch("develop")
    assert staging is not None
    assert (staging.name, staging.checks) == ("staging", 5)


def test_secrets_may_be_a_list_of_names() -> None:
    assert read("environments: {p: {secrets: [TOKEN]}}").environments["p"].secrets == {"TOKEN": "TOKEN"}


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("environments:\n  production:\n    brunch: main\n", 3, 5, "brunch"),
        ("environments:\n  p:\n    port: 99999\n", 3, 5, "port"),
        ("environments:\n  p:\n    port: http\n", 3, 5, "integer"),
        ("environments:\n  p:\n    health: healthz\n", 3, 5, "health"),
        ("environments:\n  BAD NAME:\n    branch: x\n", 2, 3, "BAD NAME"),
        ("a: 1\na: 2\n", 2, 1, "twice"),
        ("a: [", 1, 5, "expected"),
        ("- 1\n", 1, 1, "object"),
        ("build: &a {}\nenvironments: *a\n", 1, 8, "anchors"),
        ("build:\n  dockerfile: ../Dockerfile\n", 2, 3, "dockerfile"),
        ("build:\n  dockerfile: /etc/passwd\n", 2, 3, "dockerfile"),
        ("environments:\n  p:\n    secrets: {A: '$(x)'}\n", 3, 15, "A"),
        ("\tx: 1\n", 1, 1, "token"),
    ],
)
def test_a_fault_is_told_with_line_and_column(text: str, line: int, column: int, word: str) -> None:
    found_line, found_column, problem = refused(text.encode())
    assert (found_line, found_column) == (line, column)
    assert word in problem


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refused(b"ok: 1\n\xff\xfe\n")[0] == 2


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"
    assert "anchors" in refused(bomb.encode())[2]


@pytest.mark.parametrize(
    "raw", [b"x" * (MOST_BYTES + 1), b"[" * 5000, b"{a: " * 60 + b"}" * 60, b"!!python/object:os.system x"]
)
def test_what_is_too_large_too_deep_or_too_clever_is_refused(raw: bytes) -> None:
    refused(raw)


@given(st.binary(max_size=400))
def test_no_bytes_ever_break_the_reading(raw: bytes) -> None:
    with contextlib.suppress(Refused):
        parse_config(raw, "main")


def test_the_published_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_how_traffic_moves_and_what_it_is_judged_by_is_read() -> None:
    production = read(
        "environments:\n  production:\n    traffic: {strategy: linear, percent: 20, bake: 10m}\n"
        "    gate: {error_percent: 2, p95_ratio: 3}\n    params: {LEVEL: {enum: [info]}, NAME: {pattern: '[a-z]+'}}\n"
    ).default()
    assert production.traffic == TrafficConfig("linear", 20, 60, 600)
    assert production.gate == GateConfig(2.0, 3.0)
    assert production.params == {"LEVEL": ParamConfig(choices=("info",)), "NAME": ParamConfig("[a-z]+")}


def test_previews_are_off_unless_they_are_switched_on() -> None:
    assert read("environments: {production: {branch: main}}\n").previews == PreviewsConfig()
    previews = read("previews: {enabled: true, automatic: true, ttl: 12h, max: 3, like: production}\n").previews
    assert previews == PreviewsConfig(True, True, 43_200, most=3, like="production")


def test_a_pattern_that_is_none_is_told_with_its_place() -> None:
    line, column, problem = refused(b"environments:\n  production:\n    params: {A: {pattern: '['}}\n")
    assert (line, column) == (3, 18)
    assert "no regular expression" in problem


def test_an_environment_cannot_have_the_name_of_a_preview() -> None:
    assert refused(b"environments:\n  pr-7: {branch: main}\n")[:2] == (2, 3)


def test_the_rules_of_an_environment_are_read() -> None:
    rules = (
        read(
            """
environments:
  staging: {}
  production:
    teams: [acme/sre]
    who: {deploy: [acme/dev, carol], approve: [maintain]}
    approvals: {required: 2, expires: 2h}
    required_checks: [test, lint]
    freeze:
      - {days: [fri, sat], hours: "17:00-09:00", timezone: Europe/Berlin, reason: the weekend}
      - {from: 2026-12-20, to: 2027-01-03}
    after: staging
"""
        )
        .environments["production"]
        .rules
    )
    assert rules.named("deploy") == rules.named("promote") == ("acme/dev", "carol")
    assert rules.named("rollback") == ("acme/sre",)
    assert rules.approvals == ApprovalRule(2, ("maintain",), 7200)
    assert (rules.checks, rules.after) == (("test", "lint"), "staging")
    assert rules.freeze == (
        FreezeWindow(("fri", "sat"), "17:00-09:00", "Europe/Berlin", reason="the weekend"),
        FreezeWindow(begins="2026-12-20", ends="2027-01-03"),
    )


def test_the_rules_of_an_environment_survive_the_job_they_are_kept_in() -> None:
    environment = read(
        "environments:\n  staging: {}\n  production: {teams: [acme/sre], approvals: {required: 2}, after: staging,"
        " required_checks: all, freeze: [{days: [sat], reason: rest}]}\n"
    ).default()
    plan = Plan(environment, "docker", bypassed=("frozen",))
    kept = orjson.loads(orjson.dumps(plan.to_json()))
    assert Plan.from_json(kept) == plan
    del kept["environment"]["rules"], kept["bypassed"]
    assert Plan.from_json(kept).environment.rules == EnvironmentRules()


@pytest.mark.parametrize(
    ("settings", "line", "column", "word"),
    [
        ("after: moon", 3, 5, "no environment 'moon'"),
        ("after: production", 3, 5, "circle"),
        ("freeze: [{timezone: Mars/Olympus}]", 3, 15, "no time zone"),
        ("freeze: [{timezone: ../../etc/passwd}]", 3, 15, "no time zone"),
        ("freeze: [{from: tomorrow}]", 3, 15, "no date"),
        ("freeze: [{from: 2027-01-02, to: 2027-01-01}]", 3, 33, "not after"),
        ("freeze: [{hours: 9-5}]", 3, 15, "form"),
        ("approvals: {required: 0}", 3, 17, "minimum"),
        ("teams: [sre]", 3, 13, "form"),
        ("who: {dance: [alice]}", 3, 11, "dance"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_with_its_place(settings: str, line: int, column: int, word: str) -> None:
    found_line, found_column, problem = refused(f"environments:\n  production:\n    {settings}\n".encode())
    assert (found_line, found_column) == (line, column)
    assert word in problem


def test_the_example_in_the_documentation_is_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
    config = read(text.partition("```yaml\n")[2].partition("```")[0])
    assert config.environments["production"].rules.approvals == ApprovalRule(2, ("maintain",), 14_400)
    assert len(config.environments["production"].rules.freeze) == 2


def test_a_version_written_as_a_number_stays_as_it_was_written() -> None:
    config = parse_config(
        b"build: {runtime: 3.10}\nenvironments: {production: {env: {PYTHON: 3.10, HALF: 0.5}, cpus: 1.50}}\n", "main"
    )
    assert config.build["runtime"] == "3.10"
    assert config.environments["production"].env == {"PYTHON": "3.10", "HALF": "0.5"}
    assert config.environments["production"].cpus == 1.5


ROLE = "arn:aws:iam::123456789012:role/a"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:deploy"
FOLLOWING = f"follow: {{state_machine: '{MACHINE}', events_role: '{ROLE}', url: 'https://api.example.com'}}"


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/a"


def ecs(*keys: str, **beside: str) -> str:
    """Production on ECS, one key of `ecs` a line from line 4; what stands beside it comes after."""
    lines = ["environments:", "  production:", "    ecs:", *(f"      {key}" for key in keys)]
    return "\n".join([*lines, *(f"    {name}: {value}" for name, value in beside.items())])


@pytest.mark.parametrize(
    "text",
    [
        ecs("builder: docker"),
        ecs("builder: codebuild", f"codebuild: {{service_role: '{ROLE}', timeout: 20}}"),
        ecs("builder: codebuild", "codebuild: {project: theirs}"),
        ecs("builder: codebuild", "provision: true"),
        ecs("provision: true", "cidr: 10.7.0.0/20", "test_from: [192.0.2.1/32]", "port: 8080", "test_port: 8081"),
        ecs("provision: true", f"certificate: '{CERTIFICATE}'", "redirect_port: 81"),
        ecs(FOLLOWING, "connection: team", port="8080"),
        ecs(FOLLOWING, "builder: codebuild", "codebuild: {project: theirs}"),
    ],
)
def test_who_builds_and_who_rolls_out_can_be_said(text: str) -> None:
    assert read(text).default().ecs


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (ecs("builder: codebuild"), 4, "CodeBuild needs codebuild: {service_role"),
        (ecs("builder: codebuild", "codebuild: {image: mine}"), 5, "CodeBuild needs codebuild: {service_role"),
        (ecs("codebuild: {project: theirs}"), 4, "says nothing without builder: codebuild"),
        (ecs("builder: jenkins"), 4, "'jenkins' is not one of"),
        (ecs("provision: true", "cidr: 10.42.1.0/16"), 5, "10.42.1.0/16 is no network"),
        (ecs("provision: true", "test_from: [192.0.2.300/32]"), 5, "192.0.2.300/32 is no network"),
        (ecs("provision: true", "port: 8080"), 5, "cannot both be answered on port 8080"),
        (ecs("provision: true", "redirect_port: 81"), 5, "says nothing without a certificate"),
        (ecs(f"certificate: '{CERTIFICATE}'", "redirect_port: 443"), 5, "on port 443 others are answered"),
        (ecs(f"follow: {{state_machine: '{MACHINE}'}}"), 4, "'events_role' is a required property"),
        (ecs(FOLLOWING, release_command="./migrate"), 5, "release_command says nothing beside ecs.follow"),
        (ecs(FOLLOWING, env="{A: b}"), 5, "env says nothing beside ecs.follow"),
        (ecs(FOLLOWING, "rolling: true"), 5, "rolling says nothing beside follow"),
        (ecs(FOLLOWING.replace(".com", ".com/path")), 4, "is not of the form"),
    ],
)
def test_what_cannot_be_said_together_is_told_where_it_stands(text: str, line: int, words: str) -> None:
    found, _, problem = refused(text.encode())
    assert (found, words in problem) == (line, True), problem
