"""Which engine is used, and what is said when there is none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.domain.data_folder import LONGEST_SOCKET
from seatrial.domain.errors import SetupFailed
from seatrial.engines import install as installing
from seatrial.engines.install import Kind, install_plan
from seatrial.engines.private import PrivateEngine, find_socket, missing_kind
from seatrial.engines.registry import create_engine
from seatrial.engines.sockets import answers, socket_of
from seatrial.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("SEATRIAL_DOCKER_HOST", raising=False)
    return Settings(data_dir=tmp_path)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    path = socket_of(tmp_path / "engine" / "podman")
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield path


def test_the_setting_comes_before_the_variable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    assert find_socket(settings) == "tcp://192.0.2.1:2375"
    named = settings.model_copy(update={"docker_host": "unix:///x.sock"})
    assert find_socket(named) == "unix:///x.sock"


def test_a_socket_without_a_listener_is_no_engine(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    assert path.exists()
    assert not answers(path)


def test_the_private_engine_is_found_in_the_data_folder(
    settings: Settings, listening: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_ours(path: Path) -> bool:
        return path == listening

    monkeypatch.setattr("seatrial.engines.sockets.answers", only_ours)
    assert find_socket(settings) == f"unix://{listening}"


def test_an_unknown_engine_is_named_with_those_that_exist(settings: Settings) -> None:
    with pytest.raises(SetupFailed) as caught:
        create_engine(settings.model_copy(update={"engine": "lxc"}))
    assert "docker" in caught.value.hint


def test_the_plan_names_packages_where_apt_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def there(name: str) -> str:
        return f"/usr/bin/{name}"

    monkeypatch.setattr(installing, "_root_prefix", tuple)
    monkeypatch.setattr(installing.shutil, "which", there)
    plan = install_plan("podman")
    assert plan.possible
    assert {"podman", "runc"} <= set(plan.packages)
    assert "policy-rc.d" in plan.command[2]


@pytest.mark.parametrize(("system", "words"), [("Darwin", "Docker Desktop"), ("Linux", "dnf")])
def test_the_plan_says_what_to_do_where_it_cannot_be_done(
    monkeypatch: pytest.MonkeyPatch, system: str, words: str
) -> None:
    monkeypatch.setattr(installing.platform, "system", lambda: system)

    def nowhere(_: str) -> None:
        return None

    monkeypatch.setattr(installing.shutil, "which", nowhere)
    plan = install_plan()
    assert not plan.possible
    assert words in plan.text


def test_a_private_engine_below_a_long_path_has_its_sockets_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    kinds: tuple[Kind, ...] = ("docker", "podman")
    for kind in kinds:
        engine = PrivateEngine(kind, folder / kind)
        assert len(str(engine.socket)) <= LONGEST_SOCKET
        assert engine.socket == socket_of(folder / kind)
        assert not engine.socket.is_relative_to(folder)


def test_nothing_is_to_be_installed_where_an_engine_is_configured(settings: Settings) -> None:
    named = settings.model_copy(update={"docker_host": "unix:///x.sock"})
    assert missing_kind(named) is None


def test_a_machine_without_any_engine_is_told_which_one_it_could_have(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_: object) -> None:
        return None

    monkeypatch.setattr("seatrial.engines.private.find_socket", nothing)
    monkeypatch.setattr("seatrial.engines.private.private_engine", nothing)
    assert missing_kind(settings) in {"docker", "podman"}
