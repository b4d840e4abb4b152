#!/bin/sh
# Sees to it that the tests find real servers: a Docker engine, a registry, a browser, and what base images are made of.
# On Debian as root what is missing is installed. Elsewhere it says what is missing; in CI (CI=true) that is an error.
set -eu

PACKAGES=""

say() { printf '%s\n' "$*" >&2; }

# need PROGRAM PACKAGE: remembers the package when the program is not there.
need() {
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || PACKAGES="$PACKAGES $2"
}

need git git
need docker-registry docker-registry
need debootstrap debootstrap
need busybox busybox-static
need chromium chromium
need node nodejs
need npm npm
[ -x /usr/bin/docker ] || PACKAGES="$PACKAGES docker.io"

if [ -n "$PACKAGES" ]; then
    if [ -f /etc/debian_version ] && command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
        say "Installing for the tests:$PACKAGES"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq >/dev/null
        # shellcheck disable=SC2086
        apt-get install -qq -y --no-install-recommends $PACKAGES >/dev/null
    elif [ "${CI:-}" = true ]; then
        say "Missing in CI:$PACKAGES"
        exit 1
    else
        say "Not installed:$PACKAGES; the tests that need them are skipped."
    fi
fi

if ! sh "$(dirname "$0")/ensure-docker.sh"; then
    [ "${CI:-}" != true ] || exit 1
    say "The tests that need a Docker engine are skipped."
fi
