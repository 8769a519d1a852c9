"""`seatrial doctor`: is everything there that a test needs, and what to do if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.wiring.doctor import Finding

    from .lines import Role
    from .screen import Screen

_ROLES: dict[str, Role] = {"ok": "good", "warning": "warn", "problem": "bad"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "doctor",
        epilog=examples("seatrial doctor", "seatrial doctor --fix --yes")
        + "\n\nExit codes: 0 all is well or warnings only, 3 a problem.",
    )(doctor)


def doctor(
    ctx: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Install and start what is missing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before fixing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, one a finding.")] = False,
) -> None:
    """Check what tests need, and say what to do.

    Engine, base image, enforced limits, closed containers, disk, package index, models. On a
    terminal it offers to install an engine where none is.
    """
    import asyncio

    from seatrial.wiring.doctor import examine

    from .connection import settings_of
    from .lines import Span
    from .offer import offer_engine
    from .screen import Screen
    from .tests import confirmed

    screen = Screen(json_mode=as_json)
    settings = settings_of(ctx)
    if fix:
        confirmed("Install and start what is missing on this machine?", yes=yes)

    def progress(text: str) -> None:
        screen.line(Span(text, "dim"))

    findings = asyncio.run(examine(settings, fix=fix, progress=progress))
    show_findings(screen, findings)
    if not fix and not as_json and offer_engine(settings, screen):
        findings = asyncio.run(examine(settings, fix=True, progress=progress))
        show_findings(screen, findings)
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(exits.PLATFORM)


def show_findings(screen: Screen, findings: Sequence[Finding]) -> None:
    """What was found, each with what to do."""
    from dataclasses import asdict

    from .lines import Span

    for finding in findings:
        if screen.json_mode:
            screen.json(asdict(finding))
            continue
        state = Span(f"{finding.state:<9}", _ROLES[finding.state])
        screen.line(state, Span(f"{finding.name:<18}", "strong"), finding.detail)
        if finding.what_to_do:
            screen.line(" " * 25, finding.what_to_do)
