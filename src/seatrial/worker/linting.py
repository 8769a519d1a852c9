"""Has cfn-lint read the template of a package, where this machine has it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from seatrial.domain.packages import Check
from seatrial.settings.children import child_environment

LINTS = "its CloudFormation template lints"

_SECONDS = 120.0
_SHOWN = 5


async def lint(template: bytes) -> Check:
    """What cfn-lint says of a template. Errors and warnings fail; without cfn-lint: skipped."""
    program = _program()
    if program is None:
        why = "cfn-lint is not installed where the worker runs (`pip install cfn-lint`)."
        return Check(name=LINTS, result="skipped", detail=why)
    try:
        async with asyncio.timeout(_SECONDS):
            return _check(await _ran(program, template))
    except (TimeoutError, OSError) as error:
        why = f"cfn-lint came to no end: {error or 'it took too long'}"
        return Check(name=LINTS, result="skipped", detail=why)


def _program() -> str | None:
    beside = str(Path(sys.executable).parent)
    return shutil.which("cfn-lint", path=os.pathsep.join((beside, os.environ.get("PATH", ""))))


async def _ran(program: str, template: bytes) -> bytes:
    """Its JSON. In a folder of its own, so that nobody's settings of cfn-lint take part."""
    with tempfile.TemporaryDirectory(prefix="seatrial-") as folder:
        (Path(folder) / "template.json").write_bytes(template)
        process = await asyncio.create_subprocess_exec(
            *(program, "--format", "json", "--template", "template.json"),
            cwd=folder,
            env=child_environment({"HOME": folder}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            return (await process.communicate())[0]
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


def _check(output: bytes) -> Check:
    try:
        found: list[dict[str, Any]] = json.loads(output)
        faults = [f"{one['Rule']['Id']}: {one['Message']}" for one in found]
    except (ValueError, TypeError, KeyError):
        return Check(name=LINTS, result="skipped", detail="cfn-lint came to no result.")
    return Check(
        name=LINTS, result="failed" if faults else "passed", detail=" ".join(faults[:_SHOWN])
    )
