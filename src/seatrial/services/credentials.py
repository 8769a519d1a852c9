"""Users' credentials: sealed on their way in, listed without their secrets, removed.

Sealing needs the gateway's public key alone. Nothing here, and nobody who holds the database,
can open what was sealed: the private key is the gateway's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seatrial.domain.credential_ports import Credentials, KeyRotation
from seatrial.domain.credentials import (
    TOOL_SECRET,
    Credential,
    CredentialInfo,
    GatewayKey,
    SealedCredential,
)
from seatrial.domain.envelope import KEY_BYTES, NONCE, PURPOSE, Envelope, bound_to
from seatrial.domain.errors import Conflict, FieldProblem, InvalidRequest, NotFound, SetupFailed
from seatrial.domain.requests import TestRequest, model_names
from seatrial.domain.validation.base_urls import address_problem
from seatrial.domain.validation.credentials import NAME, credential_problems
from seatrial.domain.validation.paths import printable

MAX_CREDENTIALS = 100
"""Of one user."""

RESOLVE_SECONDS = 2.0
"""How long the name in a base URL may take to resolve before it is left to the worker."""

_TRIES = 3


async def set_credential(
    credentials: Credentials, owner: str, name: str, credential: Credential
) -> CredentialInfo:
    """Seal it and store it; one of that name is replaced.

    InvalidRequest; Conflict with too many; SetupFailed before any gateway has given its key.
    """
    problems = credential_problems(name, credential)
    if not problems and credential.base_url is not None:
        problems = await _resolved_problems(credential.base_url)
    if problems:
        raise InvalidRequest(tuple(problems))
    there = await credentials.credentials(owner)
    if len(there) >= MAX_CREDENTIALS and name not in {info.name for info in there}:
        raise Conflict(f"You have {MAX_CREDENTIALS} credentials already.", hint="Remove some.")
    for _ in range(_TRIES - 1):
        try:
            return await _put(credentials, owner, name, credential)
        except Conflict:
            continue  # The key was changed in between: the current one is read again.
    return await _put(credentials, owner, name, credential)


async def read_credential(credentials: Credentials, owner: str, name: str) -> CredentialInfo:
    """What may be known of it. NotFound, also for another owner's."""
    return await credentials.credential(owner, _possible(name))


async def list_credentials(credentials: Credentials, owner: str) -> Sequence[CredentialInfo]:
    """The owner's, by name."""
    return await credentials.credentials(owner)


async def delete_credential(credentials: Credentials, owner: str, name: str) -> None:
    """Remove it. Tests that run go on with it. NotFound."""
    await credentials.delete_credential(owner, _possible(name))


async def rotate_key(rotation: KeyRotation | None) -> int:
    """Seal everything to a new key; how many. NotFound where the gateway is elsewhere."""
    if rotation is None:
        raise NotFound(
            "This server has no gateway, so not its key.",
            hint="Put a new key first in SEATRIAL_CREDENTIALS_KEY where the workers run.",
        )
    return await rotation.rotate()


async def choice_problems(
    credentials: Credentials, owner: str, request: TestRequest, default_model: str | None
) -> list[FieldProblem]:
    """What is wrong with the credentials that the request names. Nothing when it names none."""
    if request.credential is None and not request.secrets:
        return []
    found = {info.name: info for info in await credentials.credentials(owner)}
    return [
        *_model_choice(found, request, default_model),
        *(p for name in request.secrets.items() for p in _secret_choice(found, *name)),
    ]


def seal(owner: str, name: str, credential: Credential, key: GatewayKey) -> SealedCredential:
    """The credential as only the holder of the gateway's private key can read it."""
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    agreed = ephemeral.exchange(X25519PublicKey.from_public_bytes(key.public))
    derived = HKDF(hashes.SHA256(), KEY_BYTES, salt=public + key.public, info=PURPOSE).derive(
        agreed
    )
    secret = credential.model_dump_json(exclude_none=True).encode()
    bound = bound_to(owner, name, credential.provider, key.id)
    box = ChaCha20Poly1305(derived).encrypt(NONCE, secret, bound)
    return SealedCredential(
        owner=owner,
        name=name,
        provider=credential.provider,
        key_id=key.id,
        sealed=str(Envelope(key.id, public, box)),
        base_url=credential.base_url,
        region=credential.region,
    )


def _model_choice(
    found: Mapping[str, CredentialInfo], request: TestRequest, default_model: str | None
) -> Iterator[FieldProblem]:
    name = request.credential
    if name is None:
        return
    if name not in found:
        message = f"You have no credential {printable(name)!r}."
        yield FieldProblem("credential", message, "unknown_credential")
        return
    providers = _providers(request.model or default_model)
    provider = found[name].provider
    if provider == TOOL_SECRET:
        message = "It is a secret for tools, not for a model service."
        yield FieldProblem("credential", message, "wrong_provider")
    elif providers and provider not in providers:
        message = f"It is for {provider}, and the model is at {', '.join(providers)}."
        yield FieldProblem("credential", message, "wrong_provider")


def _secret_choice(
    found: Mapping[str, CredentialInfo], variable: str, name: str
) -> Iterator[FieldProblem]:
    """The name is not repeated: somebody may have put the secret itself in its place."""
    field = f"secrets.{printable(variable)}"
    if name not in found:
        message = "You have no credential of that name."
        yield FieldProblem(field, message, "unknown_credential")
    elif found[name].provider != TOOL_SECRET:
        message = (
            f"That credential is for {found[name].provider}, whose keys no agent is given. "
            "Store one for tools with --provider secret."
        )
        yield FieldProblem(field, message, "wrong_provider")


async def _put(
    credentials: Credentials, owner: str, name: str, credential: Credential
) -> CredentialInfo:
    key = await credentials.gateway_key()
    if key is None:
        raise SetupFailed(
            "No gateway has given the key yet that credentials are sealed to.",
            hint="Start a worker once; it gives its key at its start.",
        )
    return await credentials.put_credential(seal(owner, name, credential, key))


async def _resolved_problems(base_url: str) -> list[FieldProblem]:
    """What is wrong with where a base URL's name leads from here.

    A name that is not known here may be known to the worker, which looks again before each use.
    """
    host = urlsplit(base_url).hostname or ""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return []
    problems = (address_problem(str(entry[4][0])) for entry in found)
    return [FieldProblem("base_url", problem) for problem in problems if problem][:1]


def _possible(name: str) -> str:
    if not NAME.fullmatch(name):
        raise NotFound("There is no such credential.")
    return name


def _providers(model: str | None) -> tuple[str, ...]:
    """The providers of the models that are named; a model without one stands for itself."""
    names = model_names(model) if model else ()
    return tuple(dict.fromkeys(printable(name.partition(":")[0]) for name in names))
