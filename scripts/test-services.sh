#!/bin/sh
# Installs what the tests start themselves: PostgreSQL, both container engines, gVisor, a registry,
# a browser.
set -eu

missing=""
need() { # need PROGRAM-PATH-PATTERN PACKAGE...
    pattern=$1
    shift
    for found in $pattern; do
        [ -x "$found" ] && return
    done
    missing="$missing $*"
}

need "/usr/lib/postgresql/*/bin/postgres" postgresql
need "/usr/sbin/dockerd /usr/bin/dockerd" docker.io
need "/usr/bin/podman" podman uidmap slirp4netns
need "/usr/lib/cni/bridge" containernetworking-plugins iptables
need "/usr/sbin/runc /usr/bin/runc" runc
need "/usr/bin/mmdebstrap" mmdebstrap
need "/usr/bin/docker-registry" docker-registry
need "/usr/bin/setpriv" util-linux
need "/usr/bin/runsc" runsc
need "/usr/bin/chromium" chromium fonts-dejavu-core

# The tools that packages are held to and deployed with go beside the engines.
install_tools() {
    .venv/bin/python -m tests.support.cdk_tools >/dev/null
    .venv/bin/python -m tests.support.cloud_tools >/dev/null
}

if [ -z "$missing" ]; then
    install_tools
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests need these Debian packages:$missing" >&2
    exit 1
fi

# Nothing that is installed here may start a system service: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 - a list of words
apt-get install -q -y --no-install-recommends $missing
install_tools
