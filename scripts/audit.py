"""Looks up the locked dependencies in the public lists of known vulnerabilities.

`python scripts/audit.py` asks OSV about `uv.lock` (pip-audit) and the npm registry about
`web/package-lock.json` (npm audit). Exit codes: 0 nothing found, 1 findings or expired exceptions,
2 the audit could not be made. With `--if-reachable` the last is reported and exits with 0.
Exceptions, with reasons and expiry dates, are in `scripts/audit-allowed.toml`.
"""

from __future__ import annotations

import argparse
import json
import runpy
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ALLOWED = ROOT / "scripts/audit-allowed.toml"
_MINOR = {"info", "low"}
_SECONDS = 300.0


class NotMade(Exception):
    """The audit could not be made; the message says why."""


@dataclass(frozen=True)
class Finding:
    """One known vulnerability of one locked package."""

    package: str
    ids: frozenset[str]
    severity: str
    """As npm names it; "unknown" from OSV, and then it counts."""

    title: str


@dataclass(frozen=True)
class Allowance:
    """An advisory that does not count until it expires."""

    id: str
    reason: str
    expires: date


def allowances(text: str) -> list[Allowance]:
    """The exceptions of the file. Raises: NotMade when one has no id, reason or expiry date."""
    try:
        rows: list[dict[str, Any]] = tomllib.loads(text).get("allowed", [])
    except tomllib.TOMLDecodeError as error:
        raise NotMade(f"The exceptions cannot be read: {error}") from error
    found: list[Allowance] = []
    for row in rows:
        one = Allowance(row.get("id", ""), row.get("reason", ""), row.get("expires", ""))
        if not one.id or not one.reason.strip() or type(one.expires) is not date:
            raise NotMade(f"An exception needs id, reason and expires (a date): {row}")
        found.append(one)
    return found


def problems(findings: Sequence[Finding], allowed: Sequence[Allowance], today: date) -> list[str]:
    """What stops a release: findings that count, and exceptions that expired."""
    live = {one.id for one in allowed if one.expires >= today}
    lines = [
        f"{one.package}: {', '.join(sorted(one.ids))} ({one.severity}): {one.title}"
        for one in findings
        if one.severity not in _MINOR and not one.ids & live
    ]
    expired = [one for one in allowed if one.expires < today]
    return lines + [f"The exception for {one.id} expired on {one.expires}." for one in expired]


def python_findings(requirements: Path, *, url: str | None = None) -> list[Finding]:
    """What OSV knows of pinned requirements. Raises: NotMade."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(requirements), "--no-deps"]
    command += ["--disable-pip", "-f", "json", "--progress-spinner", "off", "-s", "osv"]
    found = _asked([*command, *(["--osv-url", url] if url else [])], "dependencies")
    return [
        Finding(
            f"{package['name']} {package['version']}",
            frozenset([each["id"], *each.get("aliases", ())]),
            "unknown",
            str(each.get("description", "")).split("\n")[0][:200],
        )
        for package in found["dependencies"]
        for each in package.get("vulns", ())
    ]


def npm_findings(folder: Path, *, registry: str | None = None) -> list[Finding]:
    """What the npm registry knows of a folder's lock file. Raises: NotMade."""
    npm, environment = runpy.run_path(str(ROOT / "scripts/web.py"))["_npm"]()
    command = [*npm, "audit", "--json", "--package-lock-only"]
    command += ["--registry", registry] if registry else []
    found = _asked(command, "vulnerabilities", folder=folder, environment=environment)
    return [
        Finding(name, frozenset([via["url"].rpartition("/")[2]]), via["severity"], via["title"])
        for name, each in found["vulnerabilities"].items()
        for via in each["via"]
        if isinstance(via, dict)
    ]


def _asked(
    command: Sequence[str],
    wanted: str,
    *,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> Any:
    """The report of a tool, which exits with 1 both for findings and for failures."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        report = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise NotMade(f"No answer within {_SECONDS:.0f} s.") from error
    except ValueError as error:
        raise NotMade(_last_line(done.stderr)) from error
    if not isinstance(report, dict) or wanted not in report:
        raise NotMade(str(report)[:300])
    return report


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "no output")[:300]


def _locked(folder: str) -> Path:
    """The Python lock as requirements with exact versions."""
    target = Path(folder) / "requirements.txt"
    options = ["--frozen", "--all-extras", "--all-groups", "--no-emit-project", "--no-hashes"]
    subprocess.run(
        [ROOT / ".venv/bin/uv", "export", "-q", *options, "-o", target], cwd=ROOT, check=True
    )
    return target


def main() -> int:
    """Ask both lists; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--if-reachable", action="store_true")
    given = parser.parse_args()
    findings: list[Finding] = []
    missing: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        asked = {
            "Python (pip-audit, OSV)": lambda: python_findings(_locked(folder)),
            "npm (npm audit)": lambda: npm_findings(ROOT / "web"),
        }
        for name, ask in asked.items():
            try:
                findings += ask()
                print(f"{name}: audited.")
            except NotMade as error:
                missing.append(name)
                print(f"{name}: NOT AUDITED, the advisory service is unavailable: {error}")
    lines = problems(findings, allowances(ALLOWED.read_text()), datetime.now(UTC).date())
    if lines or not missing:
        print("\n".join(lines) or f"{len(findings)} findings, none that counts.")
    if lines:
        return 1
    return 2 if missing and not given.if_reachable else 0


if __name__ == "__main__":
    sys.exit(main())
