#!/bin/sh
# Checks what deploying needs, and says what to do where something is missing.
set -eu
cd "$(dirname "$0")"
failed=0
missing() {
    echo "missing: $1" >&2
    failed=1
}
COMPOSE=${COMPOSE:-docker compose}
command -v python3 >/dev/null || missing "python3"
$COMPOSE version >/dev/null 2>&1 || missing "docker compose (or set COMPOSE, for example to podman-compose)"
for name in @NEEDED@; do
    grep -Eqs "^$name=.+" .env || missing "$name in .env (see .env.example)"
done
exit $failed
