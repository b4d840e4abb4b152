"""The last stage of every static site: nginx as a user without rights, on the port the platform gives."""

from __future__ import annotations

from bot.inspect.folder import Folder
from bot.inspect.generate.writer import Writer, safe_name
from bot.inspect.model import AppPlan

NGINX_USER = "101"
_SETTINGS = (
    "daemon off;",
    "pid /tmp/nginx.pid;",
    "error_log /dev/stderr warn;",
    "events {}",
    "http {",
    "  include /etc/nginx/mime.types;",
    "  default_type application/octet-stream;",
    "  access_log /dev/stdout;",
    "  sendfile on;",
    "  gzip on;",
    "  gzip_types text/css text/plain application/javascript application/json image/svg+xml;",
    "  client_body_temp_path /tmp/body;",
    "  proxy_temp_path /tmp/proxy;",
    "  fastcgi_temp_path /tmp/fastcgi;",
    "  uwsgi_temp_path /tmp/uwsgi;",
    "  scgi_temp_path /tmp/scgi;",
    "  server {",
    "    listen __PORT__;",
    "    root /srv/site;",
    "    absolute_redirect off;",
    "    location / { try_files $uri $uri/ $uri.html __FALLBACK__; }",
    "  }",
    "}",
)
_START = "sed s/__PORT__/$PORT/ /etc/nginx/site.conf > /tmp/nginx.conf && exec nginx -c /tmp/nginx.conf"


def write_server(writer: Writer, plan: AppPlan, source: str, *, from_stage: str | None) -> None:
    """Add the serving stage; a single-page application answers unknown paths with its index."""
    fallback = "/index.html" if plan.traits.get("single_page") == "yes" else "=404"
    lines = [f"      '{line.replace('__FALLBACK__', fallback)}' \\" for line in _SETTINGS]
    writer.stage("nginx:1-alpine")
    writer.add("RUN printf '%s\\n' \\", *lines, "      > /etc/nginx/site.conf")
    writer.copy([source], "/srv/site/", from_stage=from_stage, key="static")
    writer.finish(_START, plan.port or 8080, user=NGINX_USER)


def write_site(writer: Writer, plan: AppPlan, folder: Folder) -> None:
    """A site that stands in the repository, or that hugo or zola generates."""
    output = plan.static_output or "."
    if plan.framework in ("hugo", "zola"):
        writer.stage("alpine:3", "build")
        writer.add("WORKDIR /src")
        writer.run(f"apk add --no-cache {plan.framework}")
        writer.copy(["."], ".")
        writer.run(plan.build or plan.framework, key="build")
        write_server(writer, plan, f"/src/{safe_name(output, 'output folder')}/", from_stage="build")
        return
    if plan.build:
        writer.stage("node:22-slim", "build")
        writer.add("WORKDIR /src")
        writer.copy(["."], ".")
        writer.run(plan.build, key="build")
        write_server(writer, plan, f"/src/{output}/", from_stage="build")
        return
    write_server(writer, plan, f"{safe_name(output, 'site folder')}/" if output != "." else ".", from_stage=None)
