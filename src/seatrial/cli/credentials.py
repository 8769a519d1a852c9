"""`seatrial credentials`: secrets for model services and tools, written and never read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_SET = examples(
    "seatrial credentials set default --provider openai --prompt",
    "seatrial credentials set work --provider anthropic --from-env ANTHROPIC_API_KEY",
    "seatrial credentials set aws --provider bedrock --region us-east-1 "
    "--from-env AWS_ACCESS_KEY_ID --from-env AWS_SECRET_ACCESS_KEY",
    "seatrial credentials set team --provider bedrock --region us-east-1 "
    "--role-arn arn:aws:iam::123456789012:role/models --external-id ID",
    "seatrial credentials set box --provider ollama --base-url http://10.0.0.5:11434",
    "seatrial credentials set weather --provider secret --stdin < token.txt",
)


def register(parent: typer.Typer) -> None:
    """Add the noun."""
    parent.add_typer(app, name="credentials", help="Store keys of model services and tools.")


@app.command("set", epilog=_SET)
def set_credential(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What to call it; `default` is used unasked.")
    ],
    provider: Annotated[
        str, typer.Option(metavar="PROVIDER", help="openai, anthropic, bedrock, ollama, or secret.")
    ],
    from_env: Annotated[
        list[str] | None,
        typer.Option(metavar="VAR", help="Take the secret from this variable; may be repeated."),
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the secret from standard input, one a line.")
    ] = False,
    prompt: Annotated[bool, typer.Option("--prompt", help="Ask for the secret, unseen.")] = False,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the service is.")
    ] = None,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="Of Bedrock.")] = None,
    role_arn: Annotated[
        str | None, typer.Option(metavar="ARN", help="A role to assume for each test, for Bedrock.")
    ] = None,
    external_id: Annotated[
        str | None, typer.Option(metavar="ID", help="What the role's trust policy asks for.")
    ] = None,
) -> None:
    """Store a credential. The secret never stands among the arguments, which others can read.

    Bedrock has more than one secret, in this order: access key id, secret access key and, with
    temporary keys, session token. With a role it may have none: the worker's own AWS identity
    assumes the role then, if the operator allows it. `secret` is for what the gateway cannot
    put on: an agent gets it in the clear when its test names it (see `seatrial run --help`).
    """
    from .connection import with_client
    from .screen import Screen
    from .secrets import Source, read_credential

    screen = Screen()
    source = Source(tuple(from_env or ()), stdin=stdin, prompt=prompt)
    given = {
        "base_url": base_url,
        "region": region,
        "role_arn": role_arn,
        "external_id": external_id,
    }
    credential = read_credential(provider, source, given)

    async def work(client: AsyncClient) -> int:
        stored = await client.set_credential(name, credential)
        screen.line(f"Stored the credential {stored.name!r} for {stored.provider}.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("list", epilog=examples("seatrial credentials list --json"))
def list_credentials(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """List your credentials. No part of a secret is shown, here or anywhere."""
    from datetime import UTC, datetime

    from .connection import with_client
    from .screen import Screen
    from .times import ago

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        found = await client.credentials()
        now = datetime.now(UTC)
        if as_json:
            for one in found:
                screen.json(one)
            return exits.SUCCEEDED
        rows = [
            (one.name, one.provider, one.base_url or one.region or "", ago(one.updated_at, now))
            for one in found
        ]
        screen.table(("NAME", "PROVIDER", "WHERE", "WRITTEN AGO"), rows)
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("rm", epilog=examples("seatrial credentials rm work"))
def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which one.")],
) -> None:
    """Remove a credential. Tests that run go on with it."""
    from .connection import with_client
    from .screen import Screen

    screen = Screen()

    async def work(client: AsyncClient) -> int:
        await client.delete_credential(name)
        screen.line(f"Removed the credential {name!r}.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("rotate", epilog=examples("seatrial credentials rotate"))
def rotate(ctx: typer.Context) -> None:
    """Change the key that all stored credentials are encrypted to."""
    from .connection import with_client
    from .screen import Screen

    screen = Screen()

    async def work(client: AsyncClient) -> int:
        count = await client.rotate_credentials()
        screen.line(f"A new key is in use; {count} stored credentials were sealed to it.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
