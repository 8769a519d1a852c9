#!/bin/sh
# Creates .venv with the versions that uv.lock pins. Quick when nothing changed.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/.locked
if [ -f "$stamp" ] && cmp -s uv.lock "$stamp" && [ -x .venv/bin/seatrial ]; then
    exit 0
fi

find_python() {
    for name in python3.13 python3.12 python3.11 python3 python3.14; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "Seatrial needs Python 3.11 or newer: install it and try again." >&2
    exit 1
}

python=$(find_python)
echo "Setting up .venv with $("$python" --version)"
if [ ! -x .venv/bin/python ] && ! "$python" -m venv .venv; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -q && apt-get install -q -y --no-install-recommends python3-venv
        "$python" -m venv .venv
    else
        echo "Python's venv module is missing: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
if [ ! -x .venv/bin/uv ]; then
    version=$(sed -n '/^name = "uv"$/{n;s/version = "\(.*\)"/\1/p;}' uv.lock)
    .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$version"
fi
.venv/bin/uv sync --frozen --all-extras --quiet
# Where Python must not keep what it compiled, every start of a program would compile all of it again.
if [ -n "${PYTHONDONTWRITEBYTECODE:-}" ]; then
    .venv/bin/python -m compileall -q -j 0 src .venv/lib/python3*/site-packages >/dev/null || true
fi
cp uv.lock "$stamp"
