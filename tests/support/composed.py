"""Compose on the tests' Podman: a shell in which a package's scripts find both."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tests.support.cloud_tools import CloudTools
from tests.support.engines import engine_folder


def compose_settings(tools: CloudTools, programs: Path) -> dict[str, str]:
    """Variables with which `podman-compose` finds the engine, by a program in that folder."""
    engine = engine_folder("podman")
    command = [
        *("env", f"CONTAINERS_CONF={engine / 'containers.conf'}"),
        f"CONTAINERS_REGISTRIES_CONF={engine / 'registries.conf'}",
        *("/usr/bin/podman", f"--root={engine / 'data'}", f"--runroot={engine / 'run'}"),
        *(f"--tmpdir={engine / 'tmp'}", f"--network-config-dir={engine / 'net'}"),
    ]
    programs.mkdir()
    podman = programs / "podman"
    podman.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    podman.chmod(0o755)
    path = f"{programs}:{tools.programs}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "COMPOSE": "podman-compose"}
