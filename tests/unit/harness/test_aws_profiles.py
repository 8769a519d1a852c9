"""Profiles that code names get the container's keys."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from botocore.session import Session

from seatrial.harness import aws_profiles
from seatrial.harness.sdk_env import AWS_ACCESS_KEY, PLACEHOLDER, sdk_environment


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('boto3.Session(profile_name="dev")', {"dev"}),
        ("Session(region_name='eu-west-1', profile_name = 'my.team-1')", {"my.team-1"}),
        ('os.environ["AWS_PROFILE"] = "prod"', {"prod"}),
        ("os.environ.setdefault('AWS_DEFAULT_PROFILE', 'x')", {"x"}),
        ('os.getenv("AWS_PROFILE", "fallback")', {"fallback"}),
        ('PROFILE: str = "typed"\nSession(profile_name=PROFILE)', {"typed"}),
        ('ChatBedrock(credentials_profile_name="lc")', {"lc"}),
        ('{"aws_profile": "sdk"}', {"sdk"}),
        ('profile = "two words"', set[str]()),
        ('profile_name="a]\\n[b"', set[str]()),
        ('print("no profile here")', set[str]()),
    ],
)
def test_a_profile_is_found_wherever_code_names_it(source: str, names: set[str]) -> None:
    assert aws_profiles.named(source) == names


def test_botocore_takes_the_containers_keys_from_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, home = tmp_path / "code", tmp_path / "home"
    (code / "inner").mkdir(parents=True)
    home.mkdir()
    (code / "inner" / "aws.py").write_text('a = Session(profile_name="dev", x="default_profile")')
    (code / "agent.py").write_text('b = "AWS_PROFILE", "default"')
    aws_profiles.write(str(code), {**sdk_environment(region="eu-west-1"), "HOME": str(home)})
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / ".aws" / "config"))
    for name in ("dev", "default"):
        session = Session(profile=name)
        found = session.get_credentials()
        assert found is not None
        assert (found.access_key, found.secret_key) == (AWS_ACCESS_KEY, PLACEHOLDER)
        assert session.get_scoped_config()["region"] == "eu-west-1"
    assert stat.S_ISREG((home / ".aws" / "config").stat().st_mode)


def test_nothing_is_written_for_code_without_profiles(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("def run(query): return query")
    aws_profiles.write(str(tmp_path), {**sdk_environment(), "HOME": str(tmp_path)})
    assert not (tmp_path / ".aws").exists()


def test_a_home_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text('Session(profile_name="dev")')
    (tmp_path / "home").write_text("a file")
    aws_profiles.write(str(tmp_path), {**sdk_environment(), "HOME": str(tmp_path / "home")})
    assert (tmp_path / "home").read_text() == "a file"
