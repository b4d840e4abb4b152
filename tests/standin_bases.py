"""Makes stand-ins for the official base images from Debian's packages, where no image can be pulled.

They bear the names that generated Dockerfiles use, below a registry of their own (`REGISTRY`), so that
`--build-arg REGISTRY=…` makes those Dockerfiles build unchanged. The registry is named after the recipes, and each
image after its own: a run of other recipes beside this one never changes what a name means while something is built
on it. What was made is kept as tar files in the user's cache folder; a run that finds them there needs seconds.
As a program it makes them all, beside the tests that need none of them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

LABEL = "shipmate.test.base"
PACKAGES_HOST = "packages.test"
_FAMILY = "shipmate-test-bases"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_TRUST = (
    "PIP_CERT=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt"
)
_APACHE = " && ".join(
    (
        "RUN a2enmod rewrite",
        "ln -sf /dev/stdout /var/log/apache2/access.log",
        "ln -sf /dev/stderr /var/log/apache2/error.log",
        r"printf '#!/bin/sh\n. /etc/apache2/envvars\nexec apache2 -D FOREGROUND\n' > /usr/local/bin/apache2-foreground",
        "chmod +x /usr/local/bin/apache2-foreground",
        "chmod -R a+rwX /var/run/apache2 /var/lock/apache2 /var/log/apache2",
        "rm -f /var/www/html/index.html",
    )
)


@dataclass(frozen=True)
class Base:
    """One stand-in: the Debian packages it adds to plain Debian, further instructions, and the names it goes by.

    `serve` is the command by which it offers its copies of published packages over HTTP; empty when it offers none.
    """

    names: tuple[str, ...]
    packages: str = ""
    lines: tuple[str, ...] = ()
    serve: tuple[str, ...] = field(default=(), repr=False)

    @property
    def image(self) -> str:
        """The first of the names that generated Dockerfiles know it by."""
        return f"{REGISTRY}/{self.names[0]}"

    @property
    def made(self) -> str:
        """The name of what this very recipe makes."""
        return f"{_FAMILY}:{_fingerprint(self)}"


_GO_PROXY = "/usr/share/goproxy/github.com/gorilla/mux/@v"
_GO_MODULE = " && ".join(
    (
        f"RUN mkdir -p {_GO_PROXY} /tmp/zip/github.com/gorilla",
        "cd /usr/share/gocode/src/github.com/gorilla",
        f"""echo '{{"Version":"v1.8.0"}}' > {_GO_PROXY}/v1.8.0.info""",
        f"cp mux/go.mod {_GO_PROXY}/v1.8.0.mod",
        "cp -rL mux /tmp/zip/github.com/gorilla/mux@v1.8.0",
        "cd /tmp/zip",
        f"zip -qrD {_GO_PROXY}/v1.8.0.zip .",
        "rm -r /tmp/zip",
    )
)
"""Debian's copy of a module, as a module proxy serves it: https://go.dev/ref/mod#goproxy-protocol"""
_GO_SETTINGS = "ENV GOPROXY=file:///usr/share/goproxy GOSUMDB=off GOFLAGS=-mod=mod"
_CRATES = (
    'RUN mkdir /.cargo && printf \'[source.crates-io]\\nreplace-with = "debian"\\n'
    '[source.debian]\\ndirectory = "/usr/share/cargo/registry"\\n\' > /.cargo/config.toml'
)
"""Debian's crates in place of the index: https://doc.rust-lang.org/cargo/reference/source-replacement.html"""
_UNPACK_DEBS = "for deb in *.deb; do dpkg -x $deb /tmp/tree; done && rm *.deb"
_GEMS = " && ".join(
    (
        "RUN mkdir -p /srv/packages/gems",
        "apt-get update",
        "cd /tmp",
        "apt-get download ruby-mustermann ruby-ruby2-keywords",
        _UNPACK_DEBS,
        "cd /tmp/tree/usr/share/rubygems-integration/all/gems",
        r"""for gem in *; do sed '$i s.files = Dir["lib/**/*.rb"]' ../specifications/$gem.gemspec > $gem/made.gemspec"""
        " && (cd $gem && gem build --output /srv/packages/gems/$gem.gem made.gemspec) || exit 1; done",
        "gem generate_index --directory /srv/packages",
        "cd /",
        "rm -r /tmp/tree",
        f"bundle config set --global mirror.https://rubygems.org http://{PACKAGES_HOST}",
    )
)
"""Debian's gems as an index of gems, and the mirror setting: https://bundler.io/man/bundle-config.1.html"""
_PUBLISHED_PHP = {
    "monolog/monolog": {
        "2.9.1": {
            "name": "monolog/monolog",
            "version": "2.9.1",
            "require": {"psr/log": "^1.0.1 || ^2.0 || ^3.0"},
            "autoload": {"psr-4": {"Monolog\\": ""}},
            "dist": {"type": "zip", "url": f"http://{PACKAGES_HOST}/Monolog.zip"},
        }
    },
    "psr/log": {
        "1.1.4": {
            "name": "psr/log",
            "version": "1.1.4",
            "autoload": {"psr-4": {"Psr\\": ""}},
            "dist": {"type": "zip", "url": f"http://{PACKAGES_HOST}/Psr.zip"},
        }
    },
}
_COMPOSER_SETTINGS = "ENV COMPOSER_HOME=/tmp COMPOSER_CACHE_DIR=/tmp/cache COMPOSER_ALLOW_SUPERUSER=1"
"""As in the official image: https://github.com/composer/docker"""
_COMPOSER = " && ".join(
    (
        "RUN mkdir -p /srv/packages",
        "apt-get update",
        "cd /tmp",
        "apt-get download php-monolog php-psr-log",
        _UNPACK_DEBS,
        "cd /tmp/tree/usr/share/php",
        "zip -qr /srv/packages/Monolog.zip Monolog",
        "zip -qr /srv/packages/Psr.zip Psr",
        "cd /",
        "rm -r /tmp/tree",
        f"printf %s '{json.dumps({'packages': _PUBLISHED_PHP})}' > /srv/packages/packages.json",
        f"composer config --global repos.packagist composer http://{PACKAGES_HOST}",
        "composer config --global secure-http false",
    )
)
"""Debian's copies as a Composer repository in Packagist's place: https://getcomposer.org/doc/05-repositories.md"""


DEBIAN = Base(("debian:bookworm-slim", "alpine:3"))
BASES = {
    "debian": DEBIAN,
    "python": Base(("python:3.13-slim",), "python3 python3-pip python3-venv", ("RUN ln -s python3 /usr/bin/python",)),
    "node": Base(("node:22-slim",)),
    "go": Base(("golang:1.19-alpine",), "golang-go golang-github-gorilla-mux-dev zip", (_GO_MODULE, _GO_SETTINGS)),
    "java": Base(("gradle:8-jdk17", "eclipse-temurin:17-jre"), "gradle default-jdk-headless libgoogle-gson-java"),
    "ruby": Base(
        ("ruby:3.1-slim",),
        "ruby ruby-dev bundler build-essential pkg-config",
        (_GEMS,),
        serve=("ruby", "-run", "-e", "httpd", "/srv/packages", "-p", "80"),
    ),
    "php": Base(
        ("php:8.2-apache", "composer:2"),
        "apache2 libapache2-mod-php php-cli php-mbstring composer zip unzip",
        (_APACHE, _COMPOSER_SETTINGS, _COMPOSER),
        serve=("php", "-S", "0.0.0.0:80", "-t", "/srv/packages"),
    ),
    "rust": Base(("rust:1-slim-bookworm",), "cargo rustc librust-itoa-dev", (_CRATES,)),
    "nginx": Base(("nginx:1-alpine",), "nginx-light"),
}
REGISTRY = f"{_FAMILY}/{hashlib.sha256(repr((BASES, _TRUST)).encode()).hexdigest()[:12]}"


def _cannot(reason: str) -> NoReturn:
    """Skip, with one line; in CI nothing may be skipped, so there it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def ensure(name: str) -> str:
    """Have the stand-in in the engine and answer the registry to build with. Skips the test where it cannot be made."""
    if shutil.which("docker") is None or _docker("info", check=False).returncode != 0:
        _cannot("no Docker engine answers here")
    for base in (DEBIAN, BASES[name]):
        if not _is_there(base):
            with _one_at_a_time(base):
                _ensure(base)
    return REGISTRY


def main() -> None:
    """Make all of them. What cannot be made here is left out: the tests that need it say why."""
    for name in BASES:
        with suppress(pytest.skip.Exception, pytest.fail.Exception):
            ensure(name)


@contextmanager
def packages_of(name: str) -> Iterator[tuple[str, ...]]:
    """Serve the stand-in's copies of published packages; yields the words by which `docker build` and `run` reach them.

    They are on port 80 of a container, which needs no port of the machine. The stand-in must be there (`ensure`).
    """
    base = BASES[name]
    if not base.serve:
        yield ()
        return
    container = _docker("run", "--detach", "--label", f"{LABEL}.test=1", base.image, *base.serve).stdout.strip()
    try:
        listens = "until echo > /dev/tcp/127.0.0.1/80; do sleep 0.1; done"
        _docker("exec", container, "timeout", "60", "bash", "-c", listens)
        address = _docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", container).stdout.strip()
        yield ("--add-host", f"{PACKAGES_HOST}:{address}")
    finally:
        _docker("rm", "--force", container, check=False)


def _is_there(base: Base) -> bool:
    names = (base.made, *(f"{REGISTRY}/{name}" for name in base.names))
    return _docker("image", "inspect", *names, check=False).returncode == 0


def _ensure(base: Base) -> None:
    if _docker("image", "inspect", base.made, check=False).returncode != 0:
        _load_or_make(base)
    for name in base.names:
        _docker("tag", base.made, f"{REGISTRY}/{name}")


def _load_or_make(base: Base) -> None:
    kept = _cache_folder() / f"{_fingerprint(base)}.tar"
    if kept.exists():
        _docker("load", "--input", str(kept))
        return
    _make_debian() if base is DEBIAN else _make_layered(base)
    partial = kept.with_suffix(".partial")
    _docker("save", "--output", str(partial), base.made)
    partial.rename(kept)


def _make_debian() -> None:
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        _cannot("making a base image needs debootstrap and root")
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root],
            check=True,
            capture_output=True,
        )
        shutil.copy(CA_BUNDLE, f"{root}{CA_BUNDLE}")
        shutil.rmtree(f"{root}/var/cache/apt/archives", ignore_errors=True)
        changes = ["--change", f"ENV {_TRUST}", "--change", f"LABEL {LABEL}=1"]
        importing = ["docker", "import", *changes, "-", DEBIAN.made]
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as packed:
            subprocess.run(importing, stdin=packed.stdout, check=True, capture_output=True)


def _make_layered(base: Base) -> None:
    lines = [f"FROM {DEBIAN.made}", f"LABEL {LABEL}=1", "ENV DEBIAN_FRONTEND=noninteractive"]
    with tempfile.TemporaryDirectory() as context:
        if base.names[0].startswith("node:"):
            lines += _node_lines(Path(context))
        if base.packages:
            lines.append(
                f"RUN apt-get update && apt-get install -y --no-install-recommends {base.packages} && apt-get clean"
            )
        Path(context, "Dockerfile").write_text("\n".join([*lines, *base.lines]) + "\n")
        _docker("build", "--quiet", "--tag", base.made, context, buildkit=False)


def _node_lines(context: Path) -> list[str]:
    """The machine's own node and npm where they stand together, else Debian's."""
    node, npm = shutil.which("node"), Path("/usr/lib/node_modules/npm")
    if node is None or not npm.exists():
        return ["RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && apt-get clean"]
    shutil.copy(node, context / "node")
    shutil.copytree(npm, context / "npm", symlinks=True)
    return [
        "RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 libatomic1 && apt-get clean",
        "COPY node /usr/local/bin/node",
        "COPY npm /usr/local/lib/node_modules/npm",
        "RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm"
        " && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx",
    ]


def _docker(*words: str, check: bool = True, buildkit: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DOCKER_BUILDKIT": "1" if buildkit else "0"}
    done = subprocess.run(["docker", *words], capture_output=True, text=True, env=environment, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"docker {words[0]} failed: {done.stderr[-2000:]}")
    return done


def _cache_folder() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shipmate" / "base-images"
    base.mkdir(parents=True, exist_ok=True)
    return base


def _fingerprint(base: Base) -> str:
    """Changes when the recipe does, so that an old tar is not taken for a new one."""
    recipe = hashlib.sha256(repr((_FAMILY, base, _TRUST)).encode()).hexdigest()[:12]
    return f"{base.names[0].replace(':', '-')}-{recipe}"


@contextmanager
def _one_at_a_time(base: Base) -> Iterator[None]:
    """Several test processes may ask for it at once; one makes it, the others wait."""
    with (_cache_folder() / f"{_fingerprint(base)}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
