"""TLS to an engine: the client's certificates, and why a connection failed."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from seatrial.domain.errors import EngineUnavailable, SetupFailed

HINT = "Check the name in DOCKER_HOST and the files in DOCKER_CERT_PATH."
"""What to do about an engine whose TLS fails."""

_HINT_FILES = "Set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem."
_REFUSALS = ("alert certificate", "alert bad certificate", "alert unknown ca", "alert unsupported")
"""How TLS libraries refuse a certificate that they were shown."""
_PLAIN = ("wrong version number", "record layer failure", "packet length too long")


def client_context(folder: Path) -> ssl.SSLContext:
    """Trust ca.pem of the folder alone, and present cert.pem with key.pem.

    Raises: SetupFailed, which names the file that is missing or unreadable.
    """
    authority, certificate, key = (
        _readable(folder / name) for name in ("ca.pem", "cert.pem", "key.pem")
    )
    try:
        context = ssl.create_default_context(cafile=authority)
    except (ssl.SSLError, OSError) as error:
        raise _unusable(authority, error) from error
    # Python 3.13 sets this flag; certificates that the Docker CLI accepts may lack what it wants.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        # A password is given because OpenSSL would ask the terminal for one.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError) as error:
        raise _unusable(f"{certificate} with {key}", error) from error
    return context


@contextmanager
def first_answer(context: ssl.SSLContext | None) -> Generator[None]:
    """Explain a connection that the engine closes between TLS handshake and first answer.

    Since TLS 1.3 a client certificate is looked at after the client's handshake, and the alert
    about it can be lost with the connection.
    """
    try:
        yield
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        if context is None or tls_failure(error):
            raise
        raise EngineUnavailable(
            "The container engine closed the connection after the TLS handshake: "
            f"it may have refused the client certificate ({error}).",
            hint=HINT,
        ) from error


def tls_failure(error: BaseException) -> str:
    """Why TLS failed, if that is what the error is about; else empty."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {cause.verify_message}"
        text = str(cause).lower()
        if "ssl" not in text:
            continue
        if any(words in text for words in _REFUSALS):
            return f"it refuses the client certificate: {cause}"
        if any(words in text for words in _PLAIN):
            return f"it does not use TLS at this port: {cause}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause}"
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error's own causes first: they say more than what was raised for them."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return reversed(chain)


def _readable(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError as error:
        raise SetupFailed(f"{path} is missing.", hint=_HINT_FILES) from error
    except OSError as error:
        raise SetupFailed(f"{path} cannot be read: {error.strerror}.", hint=_HINT_FILES) from error
    return str(path)


def _unusable(what: str, error: OSError) -> SetupFailed:
    hint = "Replace it by PEM files that belong together; a key with a password cannot be used."
    return SetupFailed(f"{what} cannot be used: {error.strerror or error}.", hint=hint)
