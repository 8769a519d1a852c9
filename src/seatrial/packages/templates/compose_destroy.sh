#!/bin/sh
# Stops the agent and removes its containers and volumes. The image and .env stay.
set -eu
cd "$(dirname "$0")"
[ -e .env ] || : >.env
${COMPOSE:-docker compose} down --volumes
