"""Dockerfiles of Ruby, PHP, Deno and shell scripts: an interpreter, its packages, the sources."""

from __future__ import annotations

import re

from bot.inspect.folder import Folder
from bot.inspect.generate.node import install_tool
from bot.inspect.generate.site import write_server
from bot.inspect.generate.writer import Writer, apt, safe_name
from bot.inspect.languages.php import extensions
from bot.inspect.manifests.package_json import find_manager, install_command
from bot.inspect.model import AppPlan
from bot.inspect.paths import join

_RUBY_NATIVE = {  # gems that link a C library: Debian packages to build with, to run with
    "pg": (("libpq-dev",), ("libpq5",)),
    "mysql2": (("default-libmysqlclient-dev",), ("libmariadb3",)),
    "sqlite3": (("libsqlite3-dev",), ("libsqlite3-0",)),
    "nokogiri": (("libxml2-dev", "libxslt1-dev"), ("libxml2", "libxslt1.1")),
    "psych": (("libyaml-dev",), ("libyaml-0-2",)),
    "rails": (("libyaml-dev", "git"), ("libyaml-0-2",)),
    "ruby-vips": ((), ("libvips42",)),
    "execjs": (("nodejs",), ("nodejs",)),
}
_PHP_BUILT_IN = frozenset(
    {
        "ctype",
        "curl",
        "date",
        "dom",
        "fileinfo",
        "filter",
        "hash",
        "iconv",
        "json",
        "libxml",
        "mbstring",
        "openssl",
        "pcre",
        "pdo",
        "phar",
        "posix",
        "session",
        "simplexml",
        "sodium",
        "spl",
        "tokenizer",
        "xml",
        "xmlreader",
        "xmlwriter",
        "zlib",
        "readline",
        "sqlite3",
        "pdo_sqlite",
    }
)
_PHP_NEEDS = {
    "gd": ("libpng-dev", "libjpeg-dev", "libfreetype-dev"),
    "intl": ("libicu-dev",),
    "zip": ("libzip-dev",),
    "pgsql": ("libpq-dev",),
    "pdo_pgsql": ("libpq-dev",),
    "soap": ("libxml2-dev",),
    "xsl": ("libxslt1-dev",),
    "gmp": ("libgmp-dev",),
    "bz2": ("libbz2-dev",),
}
_PHP_CORE = frozenset(
    {
        "bcmath",
        "bz2",
        "calendar",
        "exif",
        "gd",
        "gettext",
        "gmp",
        "intl",
        "mysqli",
        "opcache",
        "pcntl",
        "pdo_mysql",
        "pdo_pgsql",
        "pgsql",
        "soap",
        "sockets",
        "xsl",
        "zip",
    }
)
_WWW_DATA = "33"


def write_ruby(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Gems into a folder of their own, assets compiled in the build stage, run without compilers."""
    image = f"ruby:{safe_name(plan.runtime_version or '3', 'version')}-slim"
    build, run = _gem_packages(folder)
    settings = {"BUNDLE_PATH": "/bundle", "BUNDLE_WITHOUT": "development:test"}
    if _lock_names_linux(folder):
        settings["BUNDLE_DEPLOYMENT"] = "1"
    production = {"RACK_ENV": "production", "RAILS_ENV": "production"}
    writer.stage(image, "build")
    writer.run(apt(["build-essential", "pkg-config", *build]))
    writer.add("WORKDIR /app")
    writer.env(**settings, **production)
    if folder.has("Gemfile"):
        _write_gems(writer, folder)
    writer.copy(["."], ".")
    if plan.build:
        writer.run(plan.build, key="build")
    if plan.static_output is not None:
        write_server(writer, plan, f"/app/{safe_name(plan.static_output, 'output folder')}/", from_stage="build")
        return
    writer.stage(image)
    if run:
        writer.run(apt(run))
    writer.add("WORKDIR /app")
    writer.env(**settings, **production, RAILS_LOG_TO_STDOUT="1", RAILS_SERVE_STATIC_FILES="1")
    if folder.has("Gemfile"):
        writer.copy(["/bundle"], "/bundle", from_stage="build")
    writer.copy(["/app"], "/app", from_stage="build", owner=True)
    writer.finish(plan.start or "", plan.port)


def _write_gems(writer: Writer, folder: Folder) -> None:
    local = re.search(r"\bpath:|^[ \t]*gemspec\b|:path\s*=>", folder.text("Gemfile") or "", re.MULTILINE)
    manifests = [name for name in ("Gemfile", "Gemfile.lock", ".ruby-version") if folder.has(name)]
    writer.copy(["."] if local else manifests, "./")
    if folder.has("Gemfile.lock") and not _lock_names_linux(folder):
        writer.run("bundle lock --add-platform x86_64-linux aarch64-linux", key="install")
    writer.step("install", "bundle install", "/bundle/cache")


def _lock_names_linux(folder: Folder) -> bool:
    """Whether the lock file was made for Linux too; one made on a Mac alone cannot be taken frozen."""
    lock = folder.text("Gemfile.lock") or ""
    platforms = re.search(r"^PLATFORMS\n((?:  .*\n?)+)", lock, re.MULTILINE)
    return bool(platforms and re.search(r"^  (?:ruby|x86_64-linux(?:-gnu)?)$", platforms[1], re.MULTILINE))


def _gem_packages(folder: Folder) -> tuple[list[str], list[str]]:
    text = (folder.text("Gemfile.lock") or "") + (folder.text("Gemfile") or "")
    needed = [pair for name, pair in _RUBY_NATIVE.items() if re.search(rf"(?:^    |['\"]){name}\b", text, re.MULTILINE)]
    return sorted({p for build, run in needed for p in (*build, *run)}), sorted({p for _, run in needed for p in run})


def write_php(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Composer in one stage, assets in another, Apache on $PORT with the document root in the last."""
    version = ".".join((plan.runtime_version or "8").split(".")[:2])
    if folder.has("composer.json"):
        _write_vendor(writer, folder)
    if plan.traits.get("assets"):
        _write_assets(writer, plan, folder)
    root = plan.traits.get("docroot")
    writer.stage(f"php:{version}-{'apache' if root else 'cli'}")
    _write_extensions(writer, plan, folder)
    if root:
        _write_apache(writer, root)
        writer.add("WORKDIR /var/www/html")
        target = "/var/www/html"
    else:
        writer.add("WORKDIR /app")
        target = "/app"
    writer.copy(["."], "./")
    if folder.has("composer.json"):
        writer.copy(["/app/vendor"], f"{target}/vendor", from_stage="vendor")
    if plan.traits.get("assets"):
        writer.copy(["/app/public"], f"{target}/public", from_stage="assets")
    if plan.framework == "symfony":
        writer.env(APP_ENV="prod", APP_DEBUG="0")
    if writer.told("build") and not plan.traits.get("assets"):
        writer.run(plan.build or "", key="build")
    elif folder.has("importmap.php") and plan.framework == "symfony":
        writer.run("php bin/console importmap:install && php bin/console asset-map:compile", key="build")
    _write_writable(writer, plan)
    start = "apache2-foreground" if root else plan.start or ""
    writer.finish(start, plan.port, user=_WWW_DATA)


def _write_vendor(writer: Writer, folder: Folder) -> None:
    writer.stage("composer:2", "vendor")
    writer.add("WORKDIR /app")
    local = re.search(r'"type"\s*:\s*"(?:path|artifact)"', folder.text("composer.json") or "")
    manifests = ["composer.json", *(["composer.lock"] if folder.has("composer.lock") else [])]
    writer.copy(["."] if local else manifests, "./")
    options = "--no-dev --no-interaction --prefer-dist --ignore-platform-reqs"
    writer.step("install", f"composer install {options} --no-scripts --no-autoloader", "/tmp/cache")  # noqa: S108
    writer.copy(["."], ".")
    writer.run("composer dump-autoload --no-dev --optimize --no-scripts --ignore-platform-reqs", key="install")


def _write_assets(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    manager = find_manager(folder)
    writer.stage("node:22-slim", "assets")
    writer.add("WORKDIR /app")
    tool = install_tool(manager.name, manager.version, folder)
    if tool:
        writer.run(tool, "/root/.npm", key="install")
    locks = [name for name in (manager.lock or "",) if name and "/" not in name]
    writer.copy(["package.json", *locks], "./")
    writer.run(install_command(manager), "/root/.npm", key="install")
    writer.copy(["."], ".")
    if folder.has("composer.json"):
        writer.copy(["/app/vendor"], "/app/vendor", from_stage="vendor")
    writer.run(plan.build or "npm run build", key="build")


def _write_extensions(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    wanted = set(extensions(folder)) | ({"pdo_mysql"} if plan.framework == "laravel" else set())
    wanted |= {"mysqli"} if plan.framework == "wordpress" else set()
    core = sorted(name for name in wanted if name in _PHP_CORE)
    other = sorted(name for name in wanted if name not in _PHP_CORE and name not in _PHP_BUILT_IN)
    packages = sorted({package for name in core for package in _PHP_NEEDS.get(name, ())})
    if packages:
        writer.run(apt(packages))
    if core:
        writer.run(f"docker-php-ext-install -j2 {' '.join(core)}")
    if other:
        names = " ".join(safe_name(name, "extension") for name in other)
        writer.run(f"pecl install {names} && docker-php-ext-enable {names}")


def _write_apache(writer: Writer, root: str) -> None:
    place = join("/var/www/html", "" if root == "." else safe_name(root, "document root"))
    writer.run(
        "sed -ri 's!^Listen .*!Listen ${PORT}!' /etc/apache2/ports.conf && "
        "sed -ri 's!<VirtualHost .*>!<VirtualHost *:${PORT}>!' /etc/apache2/sites-available/*.conf && "
        f"sed -ri 's!/var/www/html!{place}!g' /etc/apache2/sites-available/*.conf && a2enmod rewrite"
    )


def _write_writable(writer: Writer, plan: AppPlan) -> None:
    folders = {"laravel": "storage bootstrap/cache", "symfony": "var", "wordpress": "wp-content"}.get(
        plan.framework or ""
    )
    if folders:
        writer.run(f"mkdir -p {folders} && chown -R {_WWW_DATA} {folders}")
    if plan.framework == "laravel":
        writer.run("php artisan package:discover --ansi")


def write_deno(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """Deno from npm on node's image; what the entry imports is cached in the image."""
    version = safe_name(plan.runtime_version or "2", "version")
    writer.stage("node:22-slim")
    writer.run(f"npm install --global deno@{version}", "/root/.npm", key="install")
    writer.add("WORKDIR /app")
    writer.env(DENO_DIR="/app/.deno")
    writer.copy(
        [name for name in ("deno.json", "deno.jsonc", "deno.lock", "import_map.json") if folder.has(name)], "./"
    )
    writer.copy(["."], ".")
    entry = next(iter(re.findall(r"[\w./-]+\.(?:[cm]?[jt]sx?)\b", plan.start or "")), None)
    if writer.told("install"):
        writer.run(plan.install or "", key="install")
    if plan.build:
        writer.run(plan.build, key="build")
    if entry:
        writer.run(f"deno cache {safe_name(entry, 'entry')}")
    writer.run("mkdir -p .deno && chown -R 1000 .deno")
    writer.finish(plan.start or "", plan.port, user="1000")


def write_shell(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """The script on plain Debian, with the shell its first line names."""
    shell = (plan.start or "sh").split()[0]
    writer.stage("debian:bookworm-slim")
    if shell in ("zsh", "ksh"):
        writer.run(apt([shell]))
    writer.add("WORKDIR /app")
    writer.copy(["."], ".")
    for key, command in (("install", plan.install), ("build", plan.build)):
        if writer.told(key):
            writer.run(command or "", key=key)
    writer.finish(plan.start or "sh start.sh", plan.port)
