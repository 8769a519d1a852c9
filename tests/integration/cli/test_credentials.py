"""What people type to store a credential; the secret is never among the arguments."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from seatrial.gateway import keyring
from seatrial.gateway.vault import Vault
from seatrial.services.credentials import seal

from .conftest import Desk, Ended

CANARY = "sk-canary-typed-41d8"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


async def vault_of(desk: Desk) -> Vault:
    folder = desk.folder.parent
    vault = Vault(desk.server.store, keyring.load(None, folder), seal, alone=True)
    await vault.prepare()
    return vault


async def type_with(desk: Desk, stdin: str, *arguments: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "seatrial.cli.main", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=desk.folder,
        env={**os.environ, "SEATRIAL_URL": desk.server.url},
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def test_a_secret_comes_by_variable_or_standard_input_and_is_never_shown(
    desk: Desk,
) -> None:
    vault = await vault_of(desk)
    desk.environment["MY_KEY"] = CANARY
    first = await desk.type(
        *("credentials", "set", "work", "--provider", "openai", "--from-env", "MY_KEY")
    )
    lines = f"AKIAIOSFODNN7EXAMPLE\n{AWS_SECRET}\n"
    options = ("--provider", "bedrock", "--stdin", "--region", "eu-central-1")
    second = await type_with(desk, lines, "credentials", "set", "aws", *options)
    third = await desk.type(
        *("credentials", "set", "box", "--provider", "ollama", "--base-url", "http://10.0.0.5:1")
    )
    listed = await desk.type("credentials", "list")
    as_json = await desk.type("credentials", "list", "--json")

    ended = (first, second, third, listed, as_json)
    assert [one.code for one in ended] == [0, 0, 0, 0, 0], ended
    for secret in (CANARY, "canary", AWS_SECRET, "AKIA"):
        assert not any(secret in one.out + one.err for one in ended)
    assert [one["name"] for one in as_json.json] == ["aws", "box", "work"]
    for text in ("work", "openai", "eu-central-1", "http://10.0.0.5:1"):
        assert text in listed.out
    owner = (await desk.server.store.ensure_user("me")).id
    found = await vault.open(owner, "openai", None)
    assert found is not None
    assert found.api_key == CANARY
    aws = await vault.open(owner, "bedrock", "aws")
    assert aws is not None
    assert aws.secret_access_key == AWS_SECRET
    assert (await desk.type("credentials", "rm", "work")).code == 0
    assert (await desk.type("credentials", "rm", "work")).code == 2


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (("--provider", "openai"), "--stdin or --prompt"),
        (("--provider", "openai", "--stdin", "--from-env", "MY_KEY"), "one of them"),
        (("--provider", "openai", "--from-env", "NOT_THERE"), "NOT_THERE is not set"),
        (("--provider", "nobody", "--stdin"), "openai, anthropic"),
        (("--provider", "openai", "--from-env", "MY_KEY", "--region", "us-east-1"), "region"),
        (("--provider", "openai", "--from-env", "SHORT"), "api_key"),
    ],
)
async def test_what_makes_no_credential_is_refused_without_repeating_it(
    desk: Desk, options: tuple[str, ...], shown: str
) -> None:
    await vault_of(desk)
    desk.environment |= {"MY_KEY": CANARY, "SHORT": "sk-secr"}
    ended = await desk.type("credentials", "set", "work", *options)
    assert ended.code == 2, ended
    assert shown in ended.err
    assert "canary" not in ended.out + ended.err
    assert "sk-secr" not in ended.out + ended.err


async def test_no_option_takes_a_secret(desk: Desk) -> None:
    ended = await desk.type("credentials", "set", "--help")
    assert "--api-key" not in ended.out
    assert "--secret" not in ended.out


async def test_a_role_needs_no_secret_of_its_own(desk: Desk) -> None:
    vault = await vault_of(desk)
    role = "arn:aws:iam::123456789012:role/models"
    options = ("--provider", "bedrock", "--region", "eu-central-1", "--role-arn", role)
    ended = await desk.type("credentials", "set", "team", *options, "--external-id", "seatrial-1")
    assert ended.code == 0, ended
    found = await vault.open((await desk.server.store.ensure_user("me")).id, "bedrock", "team")
    assert found is not None
    assert (found.role_arn, found.external_id) == (role, "seatrial-1")
