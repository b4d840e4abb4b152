#!/bin/sh
# Sees to it that a Docker engine answers: quickly where one runs; on Debian as root it is installed and started.
# Elsewhere one sentence says what to do. Exit 0: an engine answers. Exit 3: a person must act first.
set -eu

SOCKET=/var/run/docker.sock
LOG="${DOCKERD_LOG:-/var/log/dockerd.log}"
START_WITHIN_S=60

say() { printf '%s\n' "$*" >&2; }

must_act() {
    say "$*"
    exit 3
}

# Whether an engine answers at DOCKER_HOST, or at its usual socket. Needs no Docker client.
answers() {
    "${PYTHON:-python3}" - "${DOCKER_HOST:-unix://$SOCKET}" <<'PYTHON' 2>/dev/null
import socket, sys
kind, _, place = sys.argv[1].partition("://")
if kind == "unix":
    engine = socket.socket(socket.AF_UNIX)
    engine.settimeout(5)
    engine.connect(place)
else:
    host, _, port = place.partition("/")[0].rpartition(":")
    engine = socket.create_connection((host, int(port)), timeout=5)
if kind in ("unix", "tcp", "http"):
    engine.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
    sys.exit(not engine.recv(64).startswith(b"HTTP/1."))
PYTHON
}

answers_within() {
    left=$1
    until answers; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 1
    done
}

is_debian() { [ -f /etc/debian_version ] && command -v apt-get >/dev/null; }

install_engine() {
    command -v dockerd >/dev/null && return
    say "Installing Docker (docker.io) ..."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    apt-get install -qq -y --no-install-recommends docker.io iptables ca-certificates >/dev/null
}

# A daemon that was killed leaves its number behind, and refuses to start while anything at all has that number.
forget_the_dead() {
    for pair in /var/run/docker.pid:dockerd /var/run/docker/containerd/containerd.pid:containerd; do
        file="${pair%%:*}"
        [ -f "$file" ] || continue
        name=$(cat "/proc/$(cat "$file")/comm" 2>/dev/null || true)
        [ "$name" = "${pair##*:}" ] || rm -f "$file"
    done
}

# The service where there is one that works; without an init system, or where it may not raise limits, the daemon alone.
start_engine() {
    say "Starting Docker ..."
    forget_the_dead
    if service docker start >/dev/null 2>&1 && answers_within 10; then
        return
    fi
    if ! pgrep -x dockerd >/dev/null 2>&1; then
        forget_the_dead
        setsid dockerd >>"$LOG" 2>&1 </dev/null &
    fi
    answers_within "$START_WITHIN_S" || must_act "Docker was started and does not answer: read $LOG, then try again."
}

if answers; then
    exit 0
fi
if [ -n "${DOCKER_HOST:-}" ]; then
    must_act "No Docker engine answers at DOCKER_HOST=$DOCKER_HOST: start it there, or unset DOCKER_HOST."
fi
if ! is_debian; then
    must_act "No Docker engine answers: install and start Docker (https://docs.docker.com/engine/install/), then try again."
fi
if [ "$(id -u)" -ne 0 ]; then
    must_act "No Docker engine answers: run 'apt-get install docker.io' as root, or start it, then try again."
fi
install_engine
start_engine
