"""Which Dockerfile is taken, from which context, and what is read from it."""

from __future__ import annotations

import pytest

from bot.inspect.dockerfile import find_dockerfile
from bot.inspect.dockerfile_parser import parse_dockerfile
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import BuildOverrides
from bot.inspect.tree import ListingTree


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["Dockerfile", "docker/Dockerfile", "deployment/Dockerfile"], "Dockerfile"),
        (["docker/Dockerfile", "deployment/Dockerfile"], "docker/Dockerfile"),
        (["deployment/Dockerfile", "Containerfile"], "deployment/Dockerfile"),
        (["Containerfile"], "Containerfile"),
        (["Dockerfile.dev", "Dockerfile.prod"], "Dockerfile.prod"),
        (["Dockerfile.dev", "test.Dockerfile"], None),
        (["dockerfile", "DOCKERFILE"], None),
    ],
)
def test_the_contract_s_paths_come_first(paths: list[str], found: str | None) -> None:
    choice = find_dockerfile(ListingTree([], dict.fromkeys(paths, "FROM x\n")))
    assert (choice.path if choice else None) == found


@pytest.mark.parametrize(
    ("files", "context"),
    [
        ({"docker/Dockerfile": "FROM x\nCOPY src ./\n", "src/a": ""}, "."),
        ({"docker/Dockerfile": "FROM x\nCOPY entry.sh ./\n", "docker/entry.sh": ""}, "docker"),
        ({"Dockerfile": "FROM x\nCOPY . .\n"}, "."),
    ],
)
def test_the_context_is_where_every_copied_file_stands(files: dict[str, str], context: str) -> None:
    choice = find_dockerfile(ListingTree([], files))
    assert choice is not None
    assert choice.context == context


def test_an_application_in_a_folder_is_built_with_its_own_dockerfile() -> None:
    files = {
        "api/Dockerfile": "FROM x\nCOPY go.mod ./\nEXPOSE 80\n",
        "api/go.mod": "module x\n",
        "api/main.go": "package main\n",
    }
    tree = ListingTree([], files)
    app = inspect_tree(tree).apps[0]
    assert (app.path, app.dockerfile, app.docker_context, app.port) == ("api", "api/Dockerfile", "api", 80)
    assert find_dockerfile(tree, app) is not None


def test_the_settings_name_the_dockerfile() -> None:
    files = {"ops/image/Dockerfile": "FROM x\n", "index.html": ""}
    tree = ListingTree([], files)
    overrides = BuildOverrides(dockerfile="ops/image/Dockerfile", context=".")
    app = inspect_tree(tree, overrides).apps[0]
    choice = find_dockerfile(tree, app)
    assert choice is not None
    assert (choice.path, choice.context) == ("ops/image/Dockerfile", ".")


def test_stages_arguments_and_ports_are_read() -> None:
    text = """# a comment
ARG PORT=5000
FROM golang:1.22 AS build
RUN echo a \\
    # inside
    b
RUN <<EOF
EXPOSE 1
EOF
FROM build AS middle
FROM scratch
ARG PORT=5000
ENV HTTP_PORT=${PORT:-1}
EXPOSE $HTTP_PORT/tcp 53/udp ${MISSING:-9000}
ENTRYPOINT ["/bin/app"]
CMD ["serve", "a b"]
"""
    parsed = parse_dockerfile(text)
    assert [stage.name for stage in parsed.stages] == ["build", "middle", None]
    assert parsed.ports() == [5000, 9000]
    assert parsed.command() == "/bin/app serve 'a b'"
    assert [i.line for i in parsed.instructions if i.keyword == "RUN"] == [4, 7]


def test_an_alternative_escape_and_old_forms_are_read() -> None:
    parsed = parse_dockerfile("# escape=`\nFROM x\nRUN a `\n  b\nENV NAME the value\nCMD run it\n")
    assert parsed.instructions[1].value == "a b"
    assert parsed.variables == {"NAME": "the value"}
    assert parsed.command() == "run it"


def test_a_command_inherited_from_an_earlier_stage_counts() -> None:
    assert parse_dockerfile('FROM x AS base\nEXPOSE 80\nCMD ["a"]\nFROM base\nRUN b\n').ports() == [80]


@pytest.mark.parametrize(
    "line",
    [
        "RUN bash -c 'read x <<< \"foo\"'",
        "RUN echo $((1<<n))",
        "RUN <<EOF\napt-get update\nCMD no\nEOF",
        'RUN python3 <<"EOF" && echo done\nprint(1)\nCMD no\nEOF',
        "COPY <<-config.yml /etc/config.yml\n\tport: 1\n\tconfig.yml",
        "RUN cat <<EOF",
    ],
    ids=["here-string", "shift", "script", "quoted", "file", "without-end"],
)
def test_only_a_heredoc_s_own_lines_are_no_instructions(line: str) -> None:
    assert parse_dockerfile(f"FROM x\n{line}\nEXPOSE 3000\nCMD run it\n").command() == "run it"
