"""`seatrial tests`: the history and what can be done with a test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from . import embed, exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient
    from seatrial.client.fields import ChangeFields
    from seatrial.domain.tests import Test, TestSummary

    from .lines import Role
    from .screen import Screen

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="An ID may be shortened to a beginning or an end that one recent test has; "
    "`last` is the newest.",
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The test's id, a part of it, or `last`.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines, and nothing else on stdout.")]
OutcomeName = Literal["succeeded", "failed", "cancelled", "timed_out"]

_QUERY_WIDTH = 60
_ROLES: dict[str, Role] = {"succeeded": "good", "cancelled": "warn"}


def register(parent: typer.Typer) -> None:
    """Add the noun."""
    embed.register(app)
    parent.add_typer(app, name="tests", help="List, show, follow, stop, retry and delete tests.")


@app.command("list", epilog=examples('seatrial tests list --outcome failed --search "capital"'))
def list_tests(
    ctx: typer.Context,
    outcome: Annotated[
        OutcomeName | None,
        typer.Option(metavar="OUTCOME", help="succeeded, failed, cancelled or timed_out."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The first that was named; `default`: none was."),
    ] = None,
    search: Annotated[str, typer.Option(metavar="TEXT", help="Search in name, query and id.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="How many at most.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """List your tests, newest first."""
    from seatrial.domain.phases import Outcome

    from .connection import with_client
    from .screen import Screen

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        found: list[TestSummary] = []
        kind = Outcome(outcome) if outcome else None
        async for one in client.every_test(outcome=kind, model=model, text=search):
            found.append(one)
            if len(found) == limit:
                break
        _show_list(screen, found)
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("show", epilog=examples("seatrial tests show last --json"))
def show(ctx: typer.Context, test_id: Id, as_json: Json = False) -> None:
    """Show a test: its answer, what it used, why it failed."""
    from .connection import with_client
    from .lookup import find_test
    from .screen import Screen
    from .stream import show_test

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        show_test(screen, await find_test(client, test_id))
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("logs", epilog=examples("seatrial tests logs -f last"))
def logs(
    ctx: typer.Context,
    test_id: Id,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Until the test ends.")] = False,
    as_json: Json = False,
) -> None:
    """Show a test's journal. Ctrl-C only ends the showing."""
    from .connection import with_client
    from .lookup import find_test
    from .screen import Screen
    from .stream import show_journal

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        test = await find_test(client, test_id)
        await show_journal(client, screen, test, follow=follow)
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("stop", epilog=examples("seatrial tests stop last"))
def stop(ctx: typer.Context, test_id: Id) -> None:
    """Stop a test and wait until it has ended."""
    from .connection import with_client
    from .lookup import find_test
    from .screen import Screen

    screen = Screen()

    async def work(client: AsyncClient) -> int:
        test = await find_test(client, test_id)
        if test.outcome is None:
            await client.cancel(test.id)
            screen.line(f"Stopping {test.id}.")
            test = await client.wait(test.id)
        screen.line(f"{test.id}: {_state(test.phase, test.outcome)}")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command(
    "retry",
    epilog=examples(
        'seatrial tests retry last --query "Another one?"', "seatrial tests retry last --replay"
    ),
)
def retry(
    ctx: typer.Context,
    test_id: Id,
    query: Annotated[str | None, typer.Option(metavar="TEXT", help="Ask this instead.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Use this model instead.")
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Send this file's text instead of the old one of its name; repeatable.",
        ),
    ] = None,
    egress: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT", help="May be reached besides; may be repeated."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="What the model service may do besides, such as urls=HOST; may be repeated.",
        ),
    ] = None,
    model_calls: Annotated[
        int | None, typer.Option(metavar="N", help="Allow so many model calls.")
    ] = None,
    model_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Allow so many tokens, in and out together.")
    ] = None,
    traffic: Annotated[
        int | None, typer.Option(metavar="MIB", help="Allow so many bytes to models and hosts.")
    ] = None,
    concurrent_calls: Annotated[
        int | None, typer.Option(metavar="N", help="Allow so many model calls at one time.")
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Set this variable of the agent; repeatable."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CREDENTIAL",
            help="Let it hold that stored secret; repeatable.",
        ),
    ] = None,
    unset: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Take this variable away; repeatable."),
    ] = None,
    replay: Annotated[
        bool | None,
        typer.Option(
            "--replay/--no-replay",
            help="Answer model calls from the test's recording, at no cost; or ask the model.",
            show_default=False,
        ),
    ] = None,
    record: Annotated[
        bool | None,
        typer.Option(
            "--record/--no-record",
            help="Keep the model calls, for a later --replay; or do not.",
            show_default=False,
        ),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Make the change that the test's failure offers.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Submit, say the id, and leave.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a test again as a new one, with changes if you like. The old one stays as it is."""
    from .connection import with_client
    from .lookup import find_test
    from .pulling import pull_first
    from .screen import Screen
    from .stream import submitted

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        old = await find_test(client, test_id)
        changes = _changes(old, query=query, model=model, files=file or [], fix=fix)
        changes |= _limit_changes(
            old,
            egress or [],
            allow or [],
            model_calls=model_calls,
            model_tokens=model_tokens,
            traffic_mb=traffic,
            concurrent_calls=concurrent_calls,
        )
        changes.update(_variables(env or [], secret or [], unset or []))
        if replay is not None:
            changes["replay"] = replay
        if record is not None:
            changes["record"] = record
        if fix:
            await pull_first(client, screen, old)
        test = await client.retry(old.id, **changes)
        return await submitted(client, screen, test, detach=detach)

    with_client(ctx, screen, work)


@app.command("recording", epilog=examples("seatrial tests recording last -o calls.jsonl"))
def recording(
    ctx: typer.Context,
    test_id: Id,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Save the calls with their bodies: JSON lines."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the model calls that were recorded of a test (`run --record`)."""
    from .connection import with_client
    from .lookup import find_test
    from .recording import save, show_recording
    from .screen import Screen

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        test = await find_test(client, test_id)
        if output is not None:
            save(screen, output, await client.download_recording(test.id))
        else:
            show_recording(screen, await client.recording(test.id))
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("delete", epilog=examples("seatrial tests delete last"))
def delete(
    ctx: typer.Context,
    test_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="The tests' ids.")],
) -> None:
    """Delete completed tests with their journals."""
    from .connection import with_client
    from .lookup import find_test
    from .screen import Screen

    screen = Screen()

    async def work(client: AsyncClient) -> int:
        # All are found before the first is deleted: `last` and abbreviations mean what is seen.
        found = {(await find_test(client, test_id)).id: None for test_id in test_ids}
        for one in found:
            await client.delete(one)
            screen.line(f"Deleted {one}.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("clear", epilog=examples("seatrial tests clear --before 30d --yes"))
def clear(
    ctx: typer.Context,
    before: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Only those older than this: 30d, 12h, or a date."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete all your completed tests, or the old ones. Unfinished tests are never touched."""
    from datetime import UTC, datetime

    from .connection import with_client
    from .screen import Screen
    from .times import point_before

    screen = Screen()
    point = point_before(before, datetime.now(UTC)) if before else None
    which = f"created before {point:%Y-%m-%d %H:%M} UTC" if point else "of all time"
    confirmed(f"Delete your completed tests {which}?", yes=yes)

    async def work(client: AsyncClient) -> int:
        screen.line(f"Deleted {await client.clear(point)} tests.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


def confirmed(question: str, *, yes: bool) -> None:
    """Return when the answer is yes; ask on a terminal only. Exits otherwise."""
    if yes:
        return
    if not sys.stdin.isatty():
        typer.echo("Nothing was done: nobody is here to ask. Add --yes.", err=True)
        raise typer.Exit(exits.BAD_INPUT)
    if not typer.confirm(question, err=True):
        raise typer.Exit(exits.CANCELLED)


def _show_list(screen: Screen, found: list[TestSummary]) -> None:
    from datetime import UTC, datetime

    from .lines import Span
    from .times import ago

    if screen.json_mode:
        for one in found:
            screen.json(one)
        return
    if not found:
        screen.line('No tests. Run one: seatrial run agent.py "…"')
        return
    now = datetime.now(UTC)
    rows = [
        (
            Span(one.id, "name"),
            Span(_state(one.phase, one.outcome), _role(one)),
            ago(one.created_at, now),
            one.failure_code or "",
            one.name or _short(one.query),
        )
        for one in found
    ]
    screen.table(("ID", "STATE", "AGE", "FAILURE", "NAME OR QUERY"), rows)


def _state(phase: str, outcome: str | None) -> str:
    return (outcome or phase).replace("_", " ")


def _role(one: TestSummary) -> Role:
    if one.outcome is None:
        return "strong"
    return _ROLES.get(one.outcome, "bad")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUERY_WIDTH else flat[: _QUERY_WIDTH - 1] + "…"


def _changes(
    old: Test, *, query: str | None, model: str | None, files: list[Path], fix: bool
) -> ChangeFields:
    from .collect import text_of
    from .offered import offered_changes

    changes: ChangeFields = offered_changes(old) if fix else {}
    if query is not None:
        changes["query"] = query
    if model is not None:
        changes["model"] = model
    if files:
        alone = len(files) == 1
        new = {_sent_name(old, path, alone=alone): text_of(path) for path in files}
        changes["files"] = {**old.request.files, **new}
    return changes


def _limit_changes(
    old: Test, egress: list[str], allow: list[str], **limits: int | None
) -> ChangeFields:
    """Hosts and switches are added to those of the old test; limits that were not typed stay."""
    from seatrial.domain.requests import LimitChanges

    changes: ChangeFields = {}
    if egress:
        changes["egress"] = tuple(dict.fromkeys((*old.request.egress, *egress)))
    if allow:
        changes["allow"] = tuple(dict.fromkeys((*old.request.allow, *allow)))
    given = {name: value for name, value in limits.items() if value is not None}
    if given:
        changes["limits"] = LimitChanges.model_validate(given)
    return changes


def _variables(env: list[str], secrets: list[str], unset: list[str]) -> ChangeFields:
    """Changes of variables. Which of both kinds an unset one is, need not be said."""
    from .submission import variables

    gone = dict.fromkeys(unset)
    changes: ChangeFields = {}
    if env or gone:
        changes["env"] = {**gone, **variables("--env", env)}
    if secrets or gone:
        changes["secrets"] = {**gone, **variables("--secret", secrets)}
    return changes


def _sent_name(old: Test, path: Path, *, alone: bool) -> str:
    """The name of the old file that this one replaces: its path, else its last part.

    A single Python file of another name is the agent, as it is for `run`. InvalidRequest when
    nothing fits.
    """
    from .submission import unreadable

    for name in (path.as_posix(), path.name):
        if name in old.request.files:
            return name
    if alone and path.suffix == ".py":
        return "agent.py"
    known = ", ".join(old.request.files)
    raise unreadable("--file", f"The test has no file {str(path)!r}; it has {known}.")
