"""Programs that Seatrial starts do not inherit keys: each is started, and its environment read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seatrial.domain.errors import SeatrialError
from seatrial.engines import install as installing
from seatrial.engines.docker import debian
from seatrial.engines.install import InstallPlan, install
from seatrial.engines.private import Kind, PrivateEngine
from seatrial.slots.self_test import on_the_host
from seatrial.slots.targets import targets
from seatrial.testmodel.process import TestModelProcess
from seatrial.worker.linting import lint

CANARY = "canary-5f1e-of-the-operator"
KEYS = (
    *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("SEATRIAL_CREDENTIALS_KEY", "SEATRIAL_DATABASE_URL", "SEATRIAL_TOKEN", "PGPASSWORD"),
    *("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"),
    *("GITHUB_TOKEN", "PIP_INDEX_URL", "NPM_TOKEN", "ANYTHING_ELSE"),
)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process's environment is full of them."""
    for name in KEYS:
        monkeypatch.setenv(name, CANARY)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Programs that write their environment down, before every other one in PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dockerd", "podman", "mmdebstrap", "cfn-lint", "runsc"):
        program = folder / name
        program.write_text(f"#!/bin/sh\nexec cat /proc/$$/environ > {tmp_path / name}.environ\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path


def environment(path: Path) -> dict[str, str]:
    """What was written down, or what /proc holds of a running process."""
    lines = path.read_bytes().decode().split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def is_clean(found: dict[str, str]) -> bool:
    return "PATH" in found and CANARY not in "".join(found.values())


@pytest.mark.parametrize("kind", ["docker", "podman"])
async def test_an_engine_gets_none(programs: Path, kind: Kind, short_folder: Path) -> None:
    if kind == "docker" and os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    with pytest.raises(SeatrialError):
        await PrivateEngine(kind, short_folder / kind).start()
    program = "dockerd" if kind == "docker" else "podman"
    assert is_clean(environment(programs / f"{program}.environ"))


async def test_a_real_engine_gets_none(own_engine: PrivateEngine) -> None:
    pid = (own_engine.folder / "engine.pid").read_text().strip()
    assert is_clean(environment(Path(f"/proc/{pid}/environ")))


async def test_what_builds_base_images_gets_none(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "SUITES", {"3.11": "bookworm"})
    with pytest.raises((SeatrialError, OSError)):
        await debian.archive("3.11", programs, lambda _: None, because="a test")
    assert is_clean(environment(programs / "mmdebstrap.environ"))


async def test_what_installs_packages_gets_none(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (str(programs / "bin" / "cfn-lint"),)

    def missing(_: Kind) -> bool:
        return False

    def plan(_: Kind) -> InstallPlan:
        return InstallPlan(True, "", (), command)

    monkeypatch.setattr(installing, "is_installed", missing)
    monkeypatch.setattr(installing, "install_plan", plan)
    with pytest.raises(SeatrialError):
        await install("docker", lambda _: None)
    assert is_clean(environment(programs / "cfn-lint.environ"))


async def test_the_linter_gets_none(programs: Path) -> None:
    await lint(b"{}")
    assert is_clean(environment(programs / "cfn-lint.environ"))


async def test_the_test_model_gets_none() -> None:
    process = TestModelProcess()
    await process.start()
    try:
        assert is_clean(environment(Path(f"/proc/{process.pid}/environ")))
    finally:
        await process.stop()


async def test_the_probe_on_the_host_gets_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from seatrial.slots import self_test

    source = f"import shutil; shutil.copyfile('/proc/self/environ', '{tmp_path / 'environ'}')\n"
    source += 'print(\'{"open": {}, "door": true}\')\n'
    monkeypatch.setattr(self_test, "_source", lambda: source)
    async with targets("") as aims:
        await on_the_host(aims)
    assert is_clean(environment(tmp_path / "environ"))
