"""A TLS proxy before an engine's Unix socket, which asks its clients for certificates."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Authority:
    """A certificate authority that was made for a test."""

    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, folder: Path, *hosts: str, days: int = 2) -> Path:
        """Write ca.pem, cert.pem and key.pem for those names and addresses; the folder."""
        folder.mkdir(exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(hosts[0] if hosts else "client", self.name, key, days)
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        (folder / "ca.pem").write_bytes(self.pem())
        (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(_private(key))
        return folder


def authority(name: str = "a test's authority") -> Authority:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, name, key, 2).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    return Authority(name, key, builder.sign(key, hashes.SHA256()))


@contextlib.asynccontextmanager
async def tls_proxy(engine_url: str, certificates: Path) -> AsyncGenerator[int]:
    """The loopback port at which the engine answers over mutual TLS, until the block ends."""
    context = _server_context(certificates)
    path = engine_url.removeprefix("unix://")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(path)
        # Either end ends both: an attached stream has no half-close over TLS.
        ways = {
            asyncio.create_task(_copy(reader, up_writer)),
            asyncio.create_task(_copy(up_reader, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.close()
            up_writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextlib.contextmanager
def refusing_server(certificates: Path) -> Generator[int]:
    """A port that sends its TLS alert to every client that it refuses, as the Docker engine does.

    A thread's, because asyncio closes such a connection without the alert.
    """
    context = _server_context(certificates)

    def refuse_all() -> None:
        # Closing the listener ends the loop; aiohttp comes twice, since GET may be repeated.
        with contextlib.suppress(OSError):
            while True:
                _refuse(context, listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse_all, name="refusing TLS server")
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _refuse(context: ssl.SSLContext, connection: socket.socket) -> None:
    with (
        contextlib.suppress(ssl.SSLError),
        context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as tls,
    ):
        try:
            tls.do_handshake()
        finally:
            # Unread bytes would make the kernel reset the connection, alert and all.
            tls.shutdown(socket.SHUT_WR)
            while socket.socket.recv(tls, 65_536):
                pass


def _server_context(certificates: Path) -> ssl.SSLContext:
    """Mutual TLS: a client without a certificate of this authority is refused."""
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem")
    )
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
