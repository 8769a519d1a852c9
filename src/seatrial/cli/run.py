"""`seatrial run`: one test, its journal streamed, its end shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient

    from .screen import Screen
    from .submission import Submission, Wanted


def register(app: typer.Typer) -> None:
    """Add the command."""
    text = examples(
        'seatrial run agent.py "What is 17 + 4?" --model ollama:llama3.2',
        'seatrial run bot.py "Hello" --file data --timeout 60 --json',
        'seatrial run src/my_app/agent.py "Hello"',
        "seatrial run agent.py - < question.txt",
        codes=True,
    )
    app.command("run", epilog=text)(run)


def run(
    ctx: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="The agent: a Python file, its folder, or a module."),
    ],
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="What the agent is asked; - reads it from stdin.")
    ],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="provider:model, testmodel, or none. Omitted: the server's default.",
        ),
    ] = None,
    requirements: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Packages to install. Omitted: requirements.txt, pyproject.toml or setup.cfg "
            "of the project.",
        ),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="File or folder to send too; may be repeated. Hidden files never go.",
        ),
    ] = None,
    timeout: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Time for the test. [180]")
    ] = None,
    memory: Annotated[
        int | None, typer.Option(metavar="MIB", help="Memory of the container. [512]")
    ] = None,
    cpus: Annotated[float | None, typer.Option(metavar="N", help="CPU cores. [1]")] = None,
    model_calls: Annotated[
        int | None, typer.Option(metavar="N", help="Model calls that may be made. [1000]")
    ] = None,
    model_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", help="Tokens in and out together. [no limit of its own]"),
    ] = None,
    traffic: Annotated[
        int | None,
        typer.Option(metavar="MIB", help="Bytes to and from models and hosts. [512]"),
    ] = None,
    concurrent_calls: Annotated[
        int | None,
        typer.Option(metavar="N", help="Model calls at one time; others wait. [16]"),
    ] = None,
    python: Annotated[str | None, typer.Option(metavar="X.Y", help="Python version.")] = None,
    entry: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What to call, NAME or FILE.py:NAME. Omitted: it is detected."
        ),
    ] = None,
    egress: Annotated[
        list[str] | None, typer.Option(metavar="HOST:PORT", help="May be reached; may be repeated.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="What the model service may do beyond answering: hosted-tools, stored-objects, "
            "routing, urls=HOST, s3=BUCKET, secret=VARIABLE, unlisted=NAME; may be repeated.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="A name to find the test by.")
    ] = None,
    credential: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The stored credential to use. Omitted: `default`, else the only one.",
        ),
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Is told of the test's end by a signed POST."),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="A variable of the agent, no secret; may be repeated."
        ),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CREDENTIAL",
            help="A variable that holds the stored secret of that name; may be repeated.",
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="Keep the model calls, for `tests retry --replay`."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines: the events, then the whole test.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Submit, say the id, and leave.")
    ] = False,
) -> None:
    """Test an agent once: send it, follow it, show its answer.

    Sends the agent, the local modules it imports, their data files and what --file names. Never
    .env, hidden, ignored (.gitignore) or binary files. Ctrl-C stops the test.
    """
    from .submission import Wanted

    wanted = Wanted(
        agent=path,
        query=sys.stdin.read() if query == "-" else query,
        files=tuple(file or ()),
        requirements=requirements,
        model=model,
        timeout_seconds=timeout,
        memory_mb=memory,
        cpus=cpus,
        model_calls=model_calls,
        model_tokens=model_tokens,
        traffic_mb=traffic,
        concurrent_calls=concurrent_calls,
        python=python,
        entry=entry,
        egress=tuple(egress or ()),
        allow=tuple(allow or ()),
        name=name,
        credential=credential,
        webhook=webhook,
        env=tuple(env or ()),
        secrets=tuple(secret or ()),
        record=record,
    )
    _carry_out(ctx, wanted, as_json=as_json, detach=detach)


def _carry_out(ctx: typer.Context, wanted: Wanted, *, as_json: bool, detach: bool) -> None:
    from seatrial.domain.errors import InvalidRequest

    from .connection import settings_of, with_client
    from .offer import offer_engine
    from .problems import lines_of
    from .screen import Screen
    from .submission import check, prepare, said

    screen = Screen(json_mode=as_json)
    submission = prepare(wanted)
    try:
        check(submission.request, settings_of(ctx))
        screen.lines(said(submission))
        offer_engine(settings_of(ctx), screen)
        with_client(ctx, screen, lambda client: _submit(client, screen, submission, detach=detach))
    except InvalidRequest as error:
        # Ours or the server's: both point into the files that were read here.
        screen.problems(lines_of(error, submission.sources))
        raise typer.Exit(exits.BAD_INPUT) from error


async def _submit(
    client: AsyncClient, screen: Screen, submission: Submission, *, detach: bool
) -> int:
    from .stream import submitted

    test = await client.submit(submission.request)
    return await submitted(client, screen, test, detach=detach)
