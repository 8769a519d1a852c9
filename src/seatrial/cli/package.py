"""`seatrial package`: what deploys a succeeded test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient
    from seatrial.domain.packages import PackageInfo, PackageList

    from .screen import Screen

TargetName = Literal["agentcore", "lambda", "fargate", "compose"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "package",
        epilog=examples("seatrial package last", "seatrial package last --target compose"),
    )(package)


def package(
    ctx: typer.Context,
    test_id: Annotated[
        str, typer.Argument(metavar="ID", help="The test's id, a part of it, or `last`.")
    ],
    target: Annotated[
        TargetName | None,
        typer.Option(
            metavar="TARGET",
            help="agentcore, lambda, fargate or compose; without it the one that fits the model.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to save it."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="Show what was made and what could be; make nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Make the deployment package of a succeeded test and save it."""
    from .connection import with_client
    from .lookup import find_test
    from .saving import package_path, write_package
    from .screen import Screen

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        test = await find_test(client, test_id)
        if show:
            _show(screen, await client.packages(test.id))
            return exits.SUCCEEDED
        made = await client.build_package(test.id, target)
        path = output or package_path(made.file_name)
        content = await client.download_package(test.id, made.target)
        write_package(path, content, follow=output is not None)
        _show_saved(screen, path, content, made)
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


def _show_saved(screen: Screen, path: Path, content: bytes, made: PackageInfo) -> None:
    if screen.json_mode:
        screen.json({**made.model_dump(mode="json"), "saved_as": str(path)})
        return
    screen.line(f"Saved {path}: {made.target}, {len(content):,} bytes, {len(made.files)} files.")
    for note in made.notes:
        screen.line(f"Note: {note}")
    screen.line("Next: unpack it and follow README.md.")


def _show(screen: Screen, found: PackageList) -> None:
    if screen.json_mode:
        screen.json(found)
        return
    if found.refused:
        screen.line(found.refused)
        return
    made = {one.target: one for one in found.packages}
    rows = [
        (
            choice.target,
            "default" if choice.default else "",
            f"{made[choice.target].size_bytes:,} bytes" if choice.target in made else "",
            made[choice.target].rehearsal.state if choice.target in made else "",
            choice.refused or choice.title,
        )
        for choice in found.targets
    ]
    screen.table(("TARGET", "", "MADE", "TRIED OUT", "WHAT"), rows)
    for one in found.packages:
        for check in one.rehearsal.checks:
            detail = f": {check.detail}" if check.detail else ""
            screen.line(f"{one.target}: {check.result}: {check.name}{detail}")
