"""Which index is used, from the operator's configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seatrial.domain.errors import SetupFailed
from seatrial.environments.index import PUBLIC_INDEX, Index, find_certificates, find_index


def found(
    tmp_path: Path,
    environ: dict[str, str] | None = None,
    *,
    setting: str | None = None,
    pip: str = "",
    uv: str = "",
) -> Index:
    (tmp_path / "pip.conf").write_text(pip)
    (tmp_path / "uv.toml").write_text(uv)
    return find_index(
        setting,
        environ or {},
        pip_files=[tmp_path / "absent.conf", tmp_path / "pip.conf"],
        uv_files=[tmp_path / "uv.toml"],
    )


def test_without_any_configuration_it_is_the_public_one(tmp_path: Path) -> None:
    index = found(tmp_path)
    assert index == Index(PUBLIC_INDEX)
    assert index.hosts == {("pypi.org", 443), ("files.pythonhosted.org", 443)}


def test_the_setting_goes_before_everything(tmp_path: Path) -> None:
    index = found(
        tmp_path,
        {"PIP_INDEX_URL": "https://pip.example/simple", "UV_INDEX": "https://more.example/simple"},
        setting="https://set.example:8443/simple",
    )
    assert index.hosts == {("set.example", 8443)}


@pytest.mark.parametrize(
    ("environ", "pip", "uv"),
    [
        ({"PIP_INDEX_URL": "https://a.example/s"}, "[global]\nindex-url=https://b.example/s", ""),
        ({"UV_DEFAULT_INDEX": "https://a.example/s"}, "", 'index-url = "https://b.example/s"'),
        ({"UV_INDEX_URL": "https://a.example/s"}, "", ""),
        ({}, "[global]\nindex-url = https://a.example/s\n", 'index-url = "https://b.example/s"'),
        (
            {},
            "[global]\nindex_url = https://b.example/s\n[install]\nindex-url=https://a.example/s",
            "",
        ),
        ({}, "", 'index-url = "https://a.example/s"'),
        ({}, "", '[pip]\nindex-url = "https://a.example/s"'),
        ({}, "", '[[index]]\nurl = "https://a.example/s"\ndefault = true'),
    ],
)
def test_every_usual_place_is_read(
    tmp_path: Path, environ: dict[str, str], pip: str, uv: str
) -> None:
    assert found(tmp_path, environ, pip=pip, uv=uv).url == "https://a.example/s"


def test_further_indexes_are_kept_in_order_and_those_on_disk_left_out(tmp_path: Path) -> None:
    index = found(
        tmp_path,
        {"UV_INDEX": "company=https://c.example/s https://d.example/s"},
        pip="[global]\nextra-index-url = file:///opt/simple\n  https://e.example/s\n"
        "  http://plain.example/s\n",
        uv='[[index]]\nurl = "https://f.example/s"\n',
    )
    assert index.extra == (
        "https://c.example/s",
        "https://d.example/s",
        "https://e.example/s",
        "https://f.example/s",
    )
    assert ("e.example", 443) in index.hosts


@pytest.mark.parametrize("url", ["http://plain.example/simple", "file:///opt/simple", "nonsense"])
def test_a_main_index_that_builds_cannot_reach_is_refused_with_a_hint(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(SetupFailed) as caught:
        found(tmp_path, {"PIP_INDEX_URL": url})
    assert "SEATRIAL_INDEX_URL" in caught.value.hint


def test_a_password_is_known_and_never_shown(tmp_path: Path) -> None:
    index = found(tmp_path, setting="https://ada:canary@pip.example/simple")
    assert index.has_password
    assert index.public_urls == ("https://pip.example/simple",)
    assert "canary" not in repr(index)
    with pytest.raises(SetupFailed) as caught:
        found(tmp_path, setting="http://ada:canary@pip.example/simple")
    assert "canary" not in str(caught.value)


def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupFailed, match=r"pip\.conf"):
        found(tmp_path, pip="index-url without a section")
    with pytest.raises(SetupFailed, match=r"uv\.toml"):
        found(tmp_path, uv="index-url =")


def test_pip_configured_to_read_no_file_reads_none(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url=https://x.example/s"
    )
    assert find_index(None, environ, uv_files=[]).url == PUBLIC_INDEX


def test_certificates_of_every_place_are_joined_without_repeats(tmp_path: Path) -> None:
    own, company = tmp_path / "own.pem", tmp_path / "company.pem"
    own.write_text("OWN")
    company.write_text("COMPANY")
    (tmp_path / "pip.conf").write_text(f"[global]\ncert = {company}\n")
    environ = {"SSL_CERT_FILE": str(own), "PIP_CERT": str(own), "CURL_CA_BUNDLE": "/absent.pem"}
    bundle = find_certificates(environ, pip_files=[tmp_path / "pip.conf"])
    assert bundle.startswith(b"OWN\nCOMPANY")
    assert bundle.count(b"OWN") == 1
