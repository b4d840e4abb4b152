"""Generated Dockerfiles: each framework's as it was reviewed, and the rules that all of them keep."""

from __future__ import annotations

import re

import pytest

from bot.inspect.dockerfile import generate
from bot.inspect.dockerfile_parser import parse_dockerfile
from bot.inspect.errors import CannotGenerate, UnsafeCommand
from bot.inspect.inspection import inspect_tree
from bot.inspect.model import AppPlan, BuildOverrides
from bot.inspect.tree import ListingTree
from tests.inspect.lint import complaints
from tests.inspect.samples import SAMPLES
from tests.inspect.snapshots import generated, snapshot


@pytest.mark.parametrize("name", SAMPLES)
def test_the_dockerfile_is_the_reviewed_one(name: str) -> None:
    assert generated(name) == snapshot(name).read_text("utf-8")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_dockerfile_keeps_the_rules(name: str) -> None:
    assert complaints(generated(name), serves=SAMPLES[name].port is not None) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_the_classic_builder_gets_no_mounts(name: str) -> None:
    parsed = parse_dockerfile(generated(name, buildkit=False))
    assert [i.line for i in parsed.instructions if any(flag.startswith("--mount") for flag in i.flags)] == []


@pytest.mark.parametrize("name", ["express", "fastapi", "gin", "rails", "laravel", "spring-boot", "phoenix", "rocket"])
def test_manifests_are_copied_and_installed_before_the_sources(name: str) -> None:
    stage = parse_dockerfile(generated(name)).stages[0]
    keywords = [(i.keyword, i.value) for i in stage.instructions]
    sources = keywords.index(("COPY", ". ."))
    assert any(keyword == "COPY" for keyword, _ in keywords[:sources])
    assert any((keyword == "RUN" and "install" in value) or "download" in value or "fetch" in value or "deps" in value
               or "dependency" in value or "npm ci" in value for keyword, value in keywords[:sources])  # fmt: skip


def test_the_lint_notices_what_it_is_there_for() -> None:
    bad = 'FROM python\nRUN apt-get install -y curl\nENV API_TOKEN=abc\nEXPOSE 80\nCMD ["x"]\n'
    found = " / ".join(complaints(bad, serves=True))
    for part in ("REGISTRY", "not pinned", "mirror", "apt", "secret", "numeric user", "same port"):
        assert part in found


def _plan_and_tree(files: dict[str, str], overrides: BuildOverrides | None = None) -> tuple[AppPlan, ListingTree]:
    tree = ListingTree([], files)
    return inspect_tree(tree, overrides).apps[0], tree


def test_a_program_without_a_start_is_refused_with_the_line_that_would_fix_it() -> None:
    plan, tree = _plan_and_tree({"requirements.txt": "requests\n"})
    with pytest.raises(CannotGenerate) as refused:
        generate(plan, tree)
    assert refused.value.code == "no_start"
    assert refused.value.fix.startswith("build:\n  start:")


def test_a_start_from_the_settings_makes_the_same_program_buildable() -> None:
    plan, tree = _plan_and_tree({"requirements.txt": "requests\n"}, BuildOverrides(start="python job.py", port=9000))
    text = generate(plan, tree).dockerfile
    assert 'CMD ["python", "job.py"]' in text
    assert "EXPOSE 9000" in text


@pytest.mark.parametrize(
    ("start", "command"),
    [
        ("python app.py", '["python", "app.py"]'),
        ("gunicorn app:app -b :$PORT", '["sh", "-c", "exec gunicorn app:app -b :$PORT"]'),
        ("A=1 ./run", '["sh", "-c", "exec env A=1 ./run"]'),
        ("./migrate && ./run --port $PORT", '["sh", "-c", "./migrate && exec ./run --port $PORT"]'),
        ('echo "a" | ./run', '["sh", "-c", "echo \\"a\\" | ./run"]'),
    ],
)
def test_the_command_is_in_exec_form_and_hands_itself_over(start: str, command: str) -> None:
    plan, tree = _plan_and_tree({"requirements.txt": "", "Procfile": f"web: {start}\n"})
    assert f"CMD {command}\n" in generate(plan, tree).dockerfile


@pytest.mark.parametrize("name", ["x; rm -rf /", "$(id)", "a b", "--flag", "a\\\nUSER root"])
def test_a_name_that_would_change_the_dockerfile_is_refused(name: str) -> None:
    files = {
        "Cargo.toml": f"[package]\nname = {name!r}\n" if "\n" not in name else '[package]\nname = "a\\nUSER root"\n'
    }
    plan, tree = _plan_and_tree({**files, "src/main.rs": ""})
    with pytest.raises(UnsafeCommand):
        generate(plan, tree)


def test_an_existing_dockerignore_is_left_alone() -> None:
    plan, tree = _plan_and_tree({"index.html": "", ".dockerignore": "x\n"})
    assert generate(plan, tree).dockerignore == ""


def test_the_dockerignore_keeps_history_and_secrets_out() -> None:
    plan, tree = _plan_and_tree({"index.html": ""})
    lines = generate(plan, tree).dockerignore.splitlines()
    assert {".git", "**/.env", "**/*.pem"} <= set(lines)


def test_a_workspace_member_is_installed_from_the_workspace_and_built_in_its_folder() -> None:
    files = {
        "package.json": '{"workspaces": ["apps/*", "packages/*"]}',
        "package-lock.json": "{}",
        "apps/web/package.json": '{"dependencies": {"next": "15"}, '
        '"scripts": {"build": "next build", "start": "next start"}}',
        "packages/ui/package.json": '{"name": "ui"}',
    }
    tree = ListingTree([], files)
    app = inspect_tree(tree).apps[0]
    build = generate(app, tree)
    assert (app.path, build.context) == ("apps/web", ".")
    assert "COPY packages/ui/package.json ./packages/ui/" in build.dockerfile
    assert build.dockerfile.index("npm ci") < build.dockerfile.index("WORKDIR /app/apps/web")


@pytest.mark.parametrize(
    ("files", "end"),
    [
        (
            {"composer.json": "{}", "Procfile": "web: vendor/bin/heroku-php-apache2 web/\n", "web/index.php": ""},
            'CMD ["apache2-foreground"]',
        ),
        (
            {"go.mod": "module x\n", "main.go": "package main\n", "Procfile": "web: bin/hello -v\n"},
            'CMD ["bin/hello", "-v"]',
        ),
        (
            {"pom.xml": "<project><artifactId>a</artifactId></project>", "Procfile": "web: java -jar target/a-*.jar\n"},
            'CMD ["java", "-jar", "app.jar"]',
        ),
        ({**SAMPLES["phoenix"].files, "Procfile": "web: mix phx.server\n"}, 'CMD ["./bin/hello", "start"]'),
    ],
)
def test_a_procfile_written_for_a_buildpack_starts_what_the_image_holds(files: dict[str, str], end: str) -> None:
    plan, tree = _plan_and_tree(files)
    assert generate(plan, tree).dockerfile.rstrip().endswith(end)


def test_a_program_is_also_found_under_the_procfile_s_name() -> None:
    files = {"go.mod": "module x\n", "main.go": "package main\n"}
    for start, target in (("bin/hello", "/app/bin/hello"), ("hello", "/usr/local/bin/hello")):
        plan, tree = _plan_and_tree({**files, "Procfile": f"web: {start}\n"})
        assert f"COPY --from=build /out/app {target}\n" in generate(plan, tree).dockerfile


def test_a_go_program_brings_the_world_s_clocks_which_a_small_image_lacks() -> None:
    assert "go build -trimpath -tags timetzdata " in generated("gin")


def test_what_uv_installs_is_compiled_since_the_user_that_runs_cannot_write_there() -> None:
    files = {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["flask"]\n', "uv.lock": "", "app.py": ""}
    tree = ListingTree([], files)
    assert "UV_COMPILE_BYTECODE=1" in generate(inspect_tree(tree).apps[0], tree).dockerfile


@pytest.mark.parametrize(
    ("framework", "path"),
    [
        ("jekyll", "about.md"),
        ("eleventy", "index.md"),
        ("fastapi", "CHANGELOG.md"),
        ("vite", ".env"),
        ("vite", ".env.production"),
        ("symfony", ".env"),
        ("spring-boot", "src/main/java/com/acme/build/Build.java"),
        ("spring-boot", "app/src/main/kotlin/com/acme/target/Target.kt"),
    ],
)
def test_no_source_is_left_out_of_the_context(framework: str, path: str) -> None:
    tree = SAMPLES[framework].tree()
    assert not _is_left_out(path, generate(inspect_tree(tree).apps[0], tree).dockerignore)


@pytest.mark.parametrize(
    ("framework", "path"),
    [
        ("spring-boot", "build/libs/app.jar"),
        ("spring-boot", "app/target/app.jar"),
        ("express", "web/node_modules/x/index.js"),
        ("fastapi", ".env"),
        ("fastapi", "deploy/.env.production"),
        ("express", ".env.production"),
        ("laravel", ".env"),
        ("symfony", ".env.local"),
        ("vite", ".env.local"),
        ("vite", ".env.production.local"),
    ],
)
def test_what_a_build_made_and_what_is_secret_is_left_out_of_the_context(framework: str, path: str) -> None:
    tree = SAMPLES[framework].tree()
    assert _is_left_out(path, generate(inspect_tree(tree).apps[0], tree).dockerignore)


def _is_left_out(path: str, ignored: str) -> bool:
    """Whether a .dockerignore leaves a file out: the last line that names it, or a folder of it, decides.

    https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    left_out = False
    for line in filter(None, ignored.splitlines()):
        pattern = re.escape(line.removeprefix("!"))
        pattern = pattern.replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        if re.fullmatch(f"{pattern}(?:/.*)?", path):
            left_out = not line.startswith("!")
    return left_out


def test_a_symfony_application_runs_for_production_with_the_assets_it_maps() -> None:
    files = {
        "composer.json": '{"require": {"symfony/framework-bundle": "^7", "symfony/asset-mapper": "^7"}}',
        "importmap.php": "<?php return [];",
        "public/index.php": "<?php",
    }
    tree = ListingTree([], files)
    lines = generate(inspect_tree(tree).apps[0], tree).dockerfile.splitlines()
    production = lines.index("ENV APP_ENV=prod APP_DEBUG=0")
    mapped = lines.index("RUN php bin/console importmap:install && php bin/console asset-map:compile")
    owned = next(n for n, line in enumerate(lines) if "chown -R 33 var" in line)
    assert production < mapped < owned
    assert "asset-map" not in generated("symfony")
    assert "ENV APP_ENV=prod APP_DEBUG=0" in generated("symfony")


def test_what_python_ldap_loads_is_in_every_release_of_debian_that_python_s_images_stand_on() -> None:
    tree = ListingTree([], {"requirements.txt": "python-ldap\nflask\n", "app.py": ""})
    text = generate(inspect_tree(tree).apps[0], tree).dockerfile
    assert "libldap-2.5-0" not in text
    assert text.count(" libldap-dev") == 2
