"""What a failed build says to change, changed: it goes on. On one engine, since uv is the same."""

from __future__ import annotations

import re
import secrets

import pytest
from environment_rig import Rig, Rigs
from tests.support.local_index import LocalIndex, wheel

from seatrial.domain.errors import FailureError
from seatrial.domain.failures import Failure

pytestmark = pytest.mark.engine


@pytest.fixture
def engine_url(docker_socket: str) -> str:
    """One engine is enough here."""
    return docker_socket


async def failure_of(rig: Rig, requirements: str) -> Failure:
    with pytest.raises(FailureError) as caught:
        await rig.prepare(requirements)
    return caught.value.failure


def tagged(name: str, version: str, tag: str, requires: tuple[str, ...] = ()) -> tuple[str, bytes]:
    """A wheel for another system or Python, by its name, which is what uv looks at."""
    file, content = wheel(name, version, {f"{name}.py": ""}, requires=requires)
    return file.replace("py3-none-any", tag), content


async def test_a_conflict_ends_with_the_line_that_it_names(rig: Rig, index: LocalIndex) -> None:
    index.add(wheel("pkga", "1.0", {}, requires=["pkgb<2"]))
    index.add(wheel("pkgb", "1.0", {}))
    index.add(wheel("pkgb", "2.0", {}))
    failure = await failure_of(rig, "pkga==1.0\npkgb>=2\n")
    found = re.match(r"Write (\S+) in place of (\S+) \(what pkga needs\)", failure.what_to_do)
    assert found, failure.what_to_do
    assert found[2] == "pkgb>=2"
    assert (await rig.prepare(f"pkga==1.0\n{found[1]}\n")).path


@pytest.mark.parametrize(
    ("tag", "system"),
    [
        ("cp311-cp311-win_amd64", "Windows"),
        ("py3-none-win32", "Windows"),
        ("cp311-cp311-macosx_11_0_arm64", "macOS"),
    ],
)
async def test_a_package_of_another_system_goes_on_with_its_marker(
    rig: Rig, index: LocalIndex, tag: str, system: str
) -> None:
    index.add(tagged("pkgw", "1.0", tag))
    failure = await failure_of(rig, "pkgw==1.0\n")
    assert failure.message == f"pkgw==1.0 is for {system} only; tests run on Linux."
    found = re.search(r"`(.+?)`", failure.what_to_do)
    assert found
    assert (await rig.prepare(f"{found[1]}\n")).lock.strip() == ""


async def test_a_package_that_needs_one_of_another_system_is_the_line_to_mark(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(tagged("pkgw", "1.0", "py3-none-win_amd64"))
    index.add(wheel("pkga", "1.0", {}, requires=["pkgw"]))
    failure = await failure_of(rig, "pkga\n")
    assert "which pkga needs, is for Windows only" in failure.message
    assert "`pkga; sys_platform == 'win32'`" in failure.what_to_do


async def test_a_version_for_older_pythons_goes_on_with_the_newest_for_this_one(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(tagged("pkgp", "1.0", "cp39-cp39-manylinux_2_17_x86_64"))
    index.add(wheel("pkgp", "2.0", {}))
    failure = await failure_of(rig, "pkgp==1.0\n")
    assert failure.code == "dependencies.python_mismatch"
    assert failure.fix == {"python": "3.9"}
    assert "or write pkgp==2.0, the newest for this Python" in failure.what_to_do
    assert (await rig.prepare("pkgp==2.0\n")).path


async def test_an_index_whose_issuer_is_unknown_goes_on_with_the_variable_that_is_named(
    rigs: Rigs, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(wheel("pkga", "1.0", {}))
    monkeypatch.delenv("SSL_CERT_FILE")
    failure = await failure_of(await rigs.open(), "pkga\n")
    assert failure.code == "dependencies.index_unreachable"
    assert "certificate" in failure.message
    assert "its issuer is not known" in failure.message
    assert "SSL_CERT_FILE" in failure.what_to_do
    monkeypatch.setenv("SSL_CERT_FILE", str(index.certificates))
    assert (await (await rigs.open()).prepare("pkga\n")).path


async def test_a_build_that_is_too_large_names_what_is_large_and_who_asks_for_it(
    rigs: Rigs, index: LocalIndex
) -> None:
    noise = secrets.token_hex(60 * 2**20)
    index.add(wheel("pkgbig", "1.0", {"pkgbig.txt": noise}))
    index.add(wheel("pkga", "1.0", {}, requires=["pkgbig"]))
    index.add(wheel("pkgb", "1.0", {}))
    rig = await rigs.open(build_max_mb=16)
    failure = await failure_of(rig, "pkga\npkgb\n")
    assert failure.code == "limit.build_size"
    assert "of the 16 MiB allowed" in failure.message
    assert re.search(r"The largest: pkgbig \(\d+ MiB, for pkga\)\.", failure.message)
    assert failure.what_to_do == "Remove pkga, or raise SEATRIAL_BUILD_MAX_MB."
    assert (await rig.prepare("pkgb\n")).path
