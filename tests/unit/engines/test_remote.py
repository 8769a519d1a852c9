"""Engines behind a network address: which of them use TLS, and what is said of the others."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

import pytest
from tests.support.docker_calls import CALLS_AND_EVENTS, finished
from tests.support.tls_engine import authority, refusing_server, tls_proxy

from seatrial.domain.errors import EngineUnavailable, PlatformError, SetupFailed
from seatrial.engines.docker.api import Api
from seatrial.engines.docker.config import DockerConfig, from_settings
from seatrial.engines.docker.engine import DockerEngine
from seatrial.engines.docker.tls import client_context
from seatrial.engines.remote import certificates_folder, exposure, http_url
from seatrial.settings import Settings
from seatrial.wiring import doctor
from seatrial.wiring.late_engine import LateEngine
from seatrial.wiring.parts import warn_of_exposure

NO_ENGINE = "unix:///none"


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of this machine's own."""
    for name in ("HOST", "TLS_VERIFY", "CERT_PATH", "CONFIG"):
        monkeypatch.delenv(f"DOCKER_{name}", raising=False)


@pytest.mark.parametrize(
    ("host", "verify", "certificates", "expected"),
    [
        ("tcp://h:2375", "", "/c", None),
        ("tcp://h:2376", "1", "/c", "/c"),
        ("http://h:2376", "0", "/c", "/c"),
        ("TCP://h:2376", "1", "/c", "/c"),
        ("https://h", "", "/c", "/c"),
        ("tcp://h:2376", "1", "", "~/.docker"),
        ("unix:///run/docker.sock", "1", "/c", None),
    ],
)
def test_tls_is_asked_for_as_for_the_docker_cli(
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    verify: str,
    certificates: str,
    expected: str | None,
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", verify)
    monkeypatch.setenv("DOCKER_CERT_PATH", certificates)
    found = certificates_folder(host)
    assert found == (None if expected is None else Path(expected).expanduser())


@pytest.mark.parametrize(
    ("host", "tls", "url"),
    [
        ("tcp://h", False, "http://h:2375"),
        ("tcp://h", True, "https://h:2376"),
        ("tcp://[::1]", True, "https://[::1]:2376"),
        ("tcp://[::1]:9", False, "http://[::1]:9"),
        ("http://h/engine/", False, "http://h/engine"),
        ("https://h:9", True, "https://h:9"),
        ("https://h:9", False, "https://h:9"),
        ("h:2375", False, "h:2375"),
        ("tcp://[::1", True, "tcp://[::1"),
    ],
)
def test_an_address_with_tls_is_never_used_without(host: str, tls: bool, url: str) -> None:
    assert http_url(host, tls=tls) == url


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("tcp://192.0.2.1:2375", "Anyone who can reach 192.0.2.1:2375 "),
        ("TCP://192.0.2.1", "Anyone who can reach 192.0.2.1:2375 "),
        ("http://build.example:80", "Anyone who can reach build.example:80 "),
        ("tcp://name:password@build.example:1", "Anyone who can reach build.example:1 "),
        ("tcp://0.0.0.0:2375", "Anyone who can reach 0.0.0.0:2375 "),
        ("tcp://127.0.0.1.example:2375", "Anyone who can reach "),
        ("tcp://127.0.0.2:2375", "Any user of this machine "),
        ("tcp://localhost:2375", "Any user of this machine "),
        ("tcp://[::1]:2375", "Any user of this machine "),
    ],
)
def test_an_address_without_tls_is_warned_of(
    host: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = exposure(host)
    assert found is not None
    assert words in found.text
    assert found.beyond_loopback == words.startswith("Anyone")
    assert {"DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH,"} <= set(found.hint.split())
    assert "password" not in found.text
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    assert exposure(host) is None


@pytest.mark.parametrize(
    "host", ["", "unix:///run/docker.sock", "https://192.0.2.1:2376", "tcp://[::1"]
)
def test_other_addresses_are_not_warned_of(host: str) -> None:
    assert exposure(host) is None


@pytest.mark.parametrize(
    ("host", "level"), [("tcp://192.0.2.1:2375", "WARNING"), ("tcp://127.0.0.1:2375", "INFO")]
)
def test_a_worker_logs_it_once(
    tmp_path: Path, host: str, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seatrial")
    warn_of_exposure(Settings(data_dir=tmp_path, docker_host=host))
    assert [record.levelname for record in caplog.records] == [level]
    assert "DOCKER_TLS_VERIFY=1" in caplog.text
    warn_of_exposure(Settings(data_dir=tmp_path, docker_host=host, engine="fake"))
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("host", "words"),
    [("tcp://0.0.0.0:1", "Anyone who can reach 0.0.0.0:1"), ("tcp://127.0.0.1:1", "Any user of")],
)
async def test_the_doctor_warns_of_it(tmp_path: Path, host: str, words: str) -> None:
    settings = Settings(
        data_dir=tmp_path,
        docker_host=host,
        index_url="http://127.0.0.1:1/simple",
        ollama_url="http://127.0.0.1:1",
        test_model=False,
    )
    found = await doctor.examine(settings, fix=False, progress=lambda _: None)
    (address,) = [finding for finding in found if finding.name == "engine address"]
    assert (address.state, words in address.detail) == ("warning", True)
    assert "DOCKER_CERT_PATH" in address.what_to_do
    (engine,) = [finding for finding in found if finding.name == "engine"]
    assert "doctor --fix" not in engine.what_to_do


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
@pytest.mark.parametrize("trouble", ["missing", "a folder", "no PEM"])
async def test_a_certificate_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = authority().issue(tmp_path / "certificates")
    (folder / name).unlink()
    if trouble == "a folder":
        (folder / name).mkdir()
    elif trouble == "no PEM":
        (folder / name).write_text("no certificate")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(folder))
    settings = Settings(data_dir=tmp_path, docker_host="tcp://127.0.0.1:1")
    with pytest.raises(SetupFailed) as caught:
        from_settings(settings)
    assert str(folder / name) in caught.value.message
    assert "PEM" in caught.value.hint or "DOCKER_CERT_PATH" in caught.value.hint
    with pytest.raises(EngineUnavailable, match=name):
        await LateEngine(settings, lambda _: None).ping()


def test_a_key_with_a_password_is_refused_without_asking_for_it(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    folder = authority().issue(tmp_path / "certificates")
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (folder / "key.pem").write_bytes(locked)
    with pytest.raises(SetupFailed, match=r"key\.pem"):
        client_context(folder)


def test_no_other_authority_is_trusted(tmp_path: Path) -> None:
    context = client_context(authority().issue(tmp_path / "certificates"))
    assert len(context.get_ca_certs()) == 1
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("name", CALLS_AND_EVENTS)
async def test_no_call_is_sent_without_tls(name: str, tmp_path: Path) -> None:
    """The table holds every call of `Api`: what arrives first is a TLS handshake."""
    first: list[bytes] = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(look, "127.0.0.1", 0)
    host = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    context = client_context(authority().issue(tmp_path / "certificates"))
    (tmp_path / "archive").write_bytes(b"x")
    api = Api(DockerConfig(host, tmp_path, tmp_path, tls=context))
    try:
        with pytest.raises(EngineUnavailable):
            await finished(CALLS_AND_EVENTS[name](api, tmp_path / "archive"))
    finally:
        await api.close()
        server.close()
    assert set(first) == {b"\x16"}


async def _reason(host: str, certificates: Path, folder: Path) -> PlatformError:
    """Why an engine object at that address with those certificates does not answer."""
    config = DockerConfig(host, folder, folder, tls=client_context(certificates))
    engine = DockerEngine(config)
    try:
        with pytest.raises(EngineUnavailable) as caught:
            await engine.ping()
    finally:
        await engine.aclose()
    assert caught.value.code == "platform.engine_unavailable"
    assert "DOCKER_CERT_PATH" in caught.value.hint
    return caught.value


async def test_an_engine_of_another_authority_is_refused(tmp_path: Path) -> None:
    theirs = authority("theirs").issue(tmp_path / "server", "127.0.0.1")
    ours = authority("ours").issue(tmp_path / "client")
    async with tls_proxy(NO_ENGINE, theirs) as port:
        error = await _reason(f"tcp://127.0.0.1:{port}", ours, tmp_path)
    assert "certificate is refused: self-signed certificate in certificate chain" in error.message


async def test_an_engine_with_another_name_is_refused(tmp_path: Path) -> None:
    one = authority()
    server, client = one.issue(tmp_path / "server", "engine.example"), one.issue(tmp_path / "c")
    async with tls_proxy(NO_ENGINE, server) as port:
        by_address = await _reason(f"tcp://127.0.0.1:{port}", client, tmp_path)
        by_name = await _reason(f"https://localhost:{port}", client, tmp_path)
    assert "IP address mismatch" in by_address.message
    assert "Hostname mismatch" in by_name.message


async def test_an_engine_whose_certificate_expired_is_refused(tmp_path: Path) -> None:
    one = authority()
    server = one.issue(tmp_path / "server", "127.0.0.1", days=-1)
    async with tls_proxy(NO_ENGINE, server) as port:
        error = await _reason(f"tcp://127.0.0.1:{port}", one.issue(tmp_path / "c"), tmp_path)
    assert "certificate has expired" in error.message


@pytest.mark.parametrize("alerts", [True, False])
async def test_an_engine_that_refuses_the_client_says_so(tmp_path: Path, alerts: bool) -> None:
    """With a TLS alert, as the Docker engine sends one, and where the alert is lost."""
    one = authority("one")
    server = one.issue(tmp_path / "server", "127.0.0.1")
    client = authority("two").issue(tmp_path / "client")
    (client / "ca.pem").write_bytes(one.pem())
    if alerts:
        with refusing_server(server) as port:
            error = await _reason(f"tcp://127.0.0.1:{port}", client, tmp_path)
        assert "it refuses the client certificate" in error.message
    else:
        async with tls_proxy(NO_ENGINE, server) as port:
            error = await _reason(f"tcp://127.0.0.1:{port}", client, tmp_path)
        assert "may have refused the client certificate" in error.message


async def test_an_engine_without_tls_is_not_used_with_certificates(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    error = await _reason(f"tcp://127.0.0.1:{port}", authority().issue(tmp_path / "c"), tmp_path)
    server.close()
    assert "does not use TLS" in error.message
