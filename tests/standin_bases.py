"""Makes stand-ins for the official base images from Debian's packages, where no image can be pulled.

They bear the names that generated Dockerfiles use, below the registry `shipmate-test-bases`, so that
`--build-arg REGISTRY=shipmate-test-bases` makes those Dockerfiles build unchanged. What was made is kept as tar files
in the user's cache folder; a run that finds them there needs seconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

REGISTRY = "shipmate-test-bases"
LABEL = "shipmate.test.base"
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
    """One stand-in: the Debian packages it adds to plain Debian, further instructions, and the names it goes by."""

    names: tuple[str, ...]
    packages: str = ""
    lines: tuple[str, ...] = ()

    @property
    def image(self) -> str:
        """The name of the first tag."""
        return f"{REGISTRY}/{self.names[0]}"


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


DEBIAN = Base(("debian:bookworm-slim", "alpine:3"))
BASES = {
    "debian": DEBIAN,
    "python": Base(("python:3.13-slim",), "python3 python3-pip python3-venv", ("RUN ln -s python3 /usr/bin/python",)),
    "node": Base(("node:22-slim",)),
    "go": Base(("golang:1.19-alpine",), "golang-go golang-github-gorilla-mux-dev zip", (_GO_MODULE, _GO_SETTINGS)),
    "java": Base(("gradle:8-jdk17", "eclipse-temurin:17-jre"), "gradle default-jdk-headless libgoogle-gson-java"),
    "ruby": Base(("ruby:3.1-slim",), "ruby ruby-dev bundler build-essential pkg-config"),
    "php": Base(
        ("php:8.2-apache", "composer:2"), "apache2 libapache2-mod-php php-cli php-mbstring composer", (_APACHE,)
    ),
    "rust": Base(("rust:1-slim-bookworm",), "cargo rustc librust-itoa-dev", (_CRATES,)),
    "nginx": Base(("nginx:1-alpine",), "nginx-light"),
}


def _cannot(reason: str) -> NoReturn:
    """Skip, with one line; in CI nothing may be skipped, so there it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def ensure(name: str) -> str:
    """Have the stand-in in the engine and answer the registry to build with. Skips the test where it cannot be made."""
    if shutil.which("docker") is None or _docker("info", check=False).returncode != 0:
        _cannot("no Docker engine answers here")
    with _one_at_a_time():
        _ensure(BASES["debian"])
        _ensure(BASES[name])
    return REGISTRY


def _ensure(base: Base) -> None:
    if _made_of(base) == _fingerprint(base):
        return
    kept = _cache_folder() / f"{_fingerprint(base)}.tar"
    if kept.exists():
        _docker("load", "--input", str(kept))
        return
    _make_debian() if base is DEBIAN else _make_layered(base)
    tags = [f"{REGISTRY}/{name}" for name in base.names]
    for tag in tags[1:]:
        _docker("tag", tags[0], tag)
    partial = kept.with_suffix(".partial")
    _docker("save", "--output", str(partial), *tags)
    partial.rename(kept)


def _made_of(base: Base) -> str:
    """The recipe that the engine's image was made by; empty when there is none."""
    form = f'{{{{index .Config.Labels "{LABEL}.of"}}}}'
    return _docker("image", "inspect", "--format", form, base.image, check=False).stdout.strip()


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
        packed = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
        labels = f"LABEL {LABEL}=1 {LABEL}.of={_fingerprint(DEBIAN)}"
        changes = ["--change", f"ENV {_TRUST}", "--change", labels]
        subprocess.run(
            ["docker", "import", *changes, "-", DEBIAN.image], stdin=packed.stdout, check=True, capture_output=True
        )
        packed.wait()


def _make_layered(base: Base) -> None:
    labels = f"LABEL {LABEL}=1 {LABEL}.of={_fingerprint(base)}"
    lines = [f"FROM {DEBIAN.image}", labels, "ENV DEBIAN_FRONTEND=noninteractive"]
    with tempfile.TemporaryDirectory() as context:
        if base.names[0].startswith("node:"):
            lines += _node_lines(Path(context))
        if base.packages:
            lines.append(
                f"RUN apt-get update && apt-get install -y --no-install-recommends {base.packages} && apt-get clean"
            )
        Path(context, "Dockerfile").write_text("\n".join([*lines, *base.lines]) + "\n")
        _docker("build", "--quiet", "--tag", base.image, context, buildkit=False)


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
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shipmate" / "bases"
    base.mkdir(parents=True, exist_ok=True)
    return base


def _fingerprint(base: Base) -> str:
    """Changes when the recipe does, so that an old tar is not taken for a new one."""
    return (
        f"{base.names[0].replace(':', '-')}-{hashlib.sha256(repr((REGISTRY, base, _TRUST)).encode()).hexdigest()[:12]}"
    )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Several test processes may ask at once; one makes, the others wait."""
    with (_cache_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
