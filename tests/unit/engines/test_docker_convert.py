"""What is asked of an engine, and what its answers mean."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from seatrial.domain.ports import ContainerLimits, ContainerSpec, Mount, Tmpfs, VolumeMount
from seatrial.engines.docker import convert
from seatrial.engines.docker.advisories import ADVISORIES, is_open, warnings_for
from seatrial.engines.docker.answers import Container, Event, Flavour, Info, Listed, Version
from seatrial.engines.docker.image_facts import ImageFacts

FLAVOURS: tuple[Flavour, ...] = ("docker", "podman")
FILES = convert.PrivateFiles("/state/hosts", "/state/resolv.conf", "{}")
SPEC = ContainerSpec(
    name="seatrial-1",
    image="sha256:1",
    argv=("python3", "-c", "pass"),
    limits=ContainerLimits(memory_mb=256, cpus=0.5, processes=64, open_files=100, file_mb=2),
    labels={"seatrial": "t", "seatrial.installation": "i"},
    mounts=(Mount("/host", "/inside"),),
    tmpfs=(Tmpfs("/tmp", 32), Tmpfs("/home/agent", 8, 0o755, executable=True)),
    environment={"A": "b=c"},
)
FACTS = ImageFacts("sha256:1", variables=("PATH", "LD_PRELOAD", "A"), volumes=("/data", "/tmp"))
RUNC = '{"Components": [{"Name": "runc", "Version": "%s", "Details": {"GitCommit": "%s"}}]}'


def test_every_container_is_hardened() -> None:
    body = convert.container_body(SPEC, "docker", FILES, facts=FACTS)
    host = body["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == ["SETUID", "SETGID", "KILL"]
    assert host["SecurityOpt"] == ["no-new-privileges", "seccomp={}"]
    assert host["ReadonlyRootfs"] is True
    assert host["LogConfig"] == {"Type": "none"}
    assert host["Memory"] == host["MemorySwap"] == 256 << 20
    assert (host["CpuQuota"], host["CpuPeriod"], host["PidsLimit"]) == (50_000, 100_000, 64)
    assert {"AutoRemove", "Init", "Binds"}.isdisjoint(host)
    assert body["Labels"] == dict(SPEC.labels)
    assert body["Healthcheck"] == {"Test": ["NONE"]}


PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def test_no_variable_of_the_image_is_left() -> None:
    docker = convert.container_body(SPEC, "docker", FILES, facts=FACTS)
    podman = convert.container_body(SPEC, "podman", FILES, facts=FACTS)
    assert docker["Env"] == [PATH, "LANG=C.UTF-8", "A=b=c", "LD_PRELOAD"]
    assert podman["Env"] == [PATH, "LANG=C.UTF-8", "A=b=c"]
    assert podman["UnsetEnvAll"] is True


def test_no_volume_of_the_image_can_be_written() -> None:
    for flavour in FLAVOURS:
        tmpfs = convert.container_body(SPEC, flavour, FILES, facts=FACTS)["HostConfig"]["Tmpfs"]
        assert tmpfs["/data"].startswith("ro,")
        assert tmpfs["/tmp"].startswith("rw,")


def test_nofile_and_nproc_are_always_given_together() -> None:
    limits = convert.container_body(SPEC, "podman", FILES, facts=FACTS)["HostConfig"]["Ulimits"]
    assert {limit["Name"]: limit["Hard"] for limit in limits} == {
        "core": 0,
        "nofile": 100,
        "nproc": 4096,
        "fsize": 2 << 20,
    }


def test_tmpfs_are_exactly_those_of_the_spec_on_docker() -> None:
    assert convert.container_body(SPEC, "docker", FILES, facts=FACTS)["HostConfig"]["Tmpfs"] == {
        "/tmp": "rw,noexec,nosuid,nodev,size=32m,mode=1777,nr_inodes=16384",
        "/home/agent": "rw,exec,nosuid,nodev,size=8m,mode=755,nr_inodes=4096",
        "/data": "ro,noexec,nosuid,nodev,size=64k,mode=755",
    }


def test_podman_gets_read_only_ones_where_it_would_put_its_own() -> None:
    tmpfs = convert.container_body(SPEC, "podman", FILES, facts=FACTS)["HostConfig"]["Tmpfs"]
    assert tmpfs["/run"].startswith("ro,")
    assert tmpfs["/var/tmp"].startswith("ro,")
    assert tmpfs["/tmp"].startswith("rw,")


def test_own_hosts_and_resolv_conf_come_before_the_mounts_of_the_spec() -> None:
    mounts = convert.container_body(SPEC, "docker", FILES, facts=FACTS)["HostConfig"]["Mounts"]
    assert [mount["Target"] for mount in mounts] == ["/etc/hosts", "/etc/resolv.conf", "/inside"]
    assert all(mount["ReadOnly"] for mount in mounts)


def test_podman_is_known_by_its_components() -> None:
    assert Version.model_validate({"Components": [{"Name": "Podman Engine"}]}).flavour == "podman"
    assert Version.model_validate({"Components": None}).flavour == "docker"


@pytest.mark.parametrize(
    ("info", "unenforced"),
    [
        ({"CgroupVersion": "1"}, ()),
        ({"CgroupVersion": "1", "Rootless": True}, ("memory", "processes", "CPU")),
        (
            {"CgroupVersion": "1", "SecurityOptions": ["name=rootless"]},
            ("memory", "processes", "CPU"),
        ),
        ({"CgroupVersion": "2", "Rootless": True}, ()),
        ({"CgroupVersion": "2", "MemoryLimit": False}, ("memory",)),
        ({"CgroupVersion": "2", "PidsLimit": False}, ("processes",)),
        ({"CgroupVersion": "2", "CpuCfsQuota": False}, ("CPU",)),
    ],
)
def test_limits_are_not_claimed_where_the_engine_ignores_them(
    info: dict[str, object], unenforced: tuple[str, ...]
) -> None:
    described = convert.engine_info(Version.model_validate({}), Info.model_validate(info))
    assert described.unenforced == unenforced
    said = [warning for warning in described.warnings if "enforces no limit of" in warning]
    assert [all(name in text for name in unenforced) for text in said] == [True] * bool(unenforced)


def test_a_container_that_is_gone_ended_with_137() -> None:
    assert convert.exit_of(None, evidence="x").code == 137


def test_the_state_counts_more_than_the_event_once_it_is_settled() -> None:
    ended = Container.model_validate({"Id": "c", "State": {"Status": "exited", "ExitCode": 7}})
    lagging = Container.model_validate({"Id": "c", "State": {"Status": "running"}})
    assert convert.exit_of(ended, told=3, evidence="").code == 7
    assert convert.exit_of(lagging, told=3, evidence="").code == 3


def test_a_listed_container_is_read_in_both_dialects() -> None:
    listed = Listed.model_validate(
        {"Id": "c", "Names": ["/n"], "Labels": None, "State": "running", "Created": 0}
    )
    info = convert.container_info(listed)
    assert (info.name, dict(info.labels), info.running, info.created_at.year) == (
        "n",
        {},
        True,
        1970,
    )


def test_only_a_death_tells_the_exit_code() -> None:
    def event(action: str) -> Event:
        attributes = {"containerExitCode": "5"}
        actor = {"ID": "c", "Attributes": attributes}
        return Event.model_validate_json(json.dumps({"Action": action, "Actor": actor}))

    assert event("die").exit_code == 5
    assert event("remove").is_end
    assert event("remove").exit_code is None
    assert not event("exec_die").is_end


@pytest.mark.parametrize(
    ("version", "commit", "holes"),
    [
        ("1.1.5+ds1", "1.1.5+ds1-1", 2),
        ("1.1.5+ds1", "1.1.5+ds1-1+deb12u1", 1),
        ("1.1.15", "", 1),
        ("1.2.8", "", 0),
        ("1.3.2", "", 1),
        ("1.4.0", "", 0),
        ("unknown", "", 0),
    ],
)
def test_a_runtime_with_known_escapes_is_warned_of(version: str, commit: str, holes: int) -> None:
    assert len(list(warnings_for(Version.model_validate_json(RUNC % (version, commit))))) == holes


def test_podmans_way_of_naming_its_runtime_is_understood() -> None:
    component = {"Name": "OCI Runtime (runc)", "Version": "runc version 1.0.0\ncommit: x"}
    (first, *_) = warnings_for(Version.model_validate({"Components": [component]}))
    assert "CVE-2024-21626" in first


def test_every_advisory_is_closed_by_its_own_fix() -> None:
    for advisory in ADVISORIES:
        for fix in advisory.fixed:
            assert not is_open(advisory, ".".join(map(str, fix)))


def test_a_volume_is_mounted_beside_folders_and_a_pipe_ends_with_its_holder() -> None:
    spec = replace(SPEC, volumes=(VolumeMount("seatrial-1", "/door"),))
    plain, piped = (
        convert.container_body(spec, "podman", FILES, facts=FACTS, piped=piped)
        for piped in (False, True)
    )
    assert plain["HostConfig"]["Mounts"][-1] == {
        "Type": "volume",
        "Source": "seatrial-1",
        "Target": "/door",
        "ReadOnly": True,
        "VolumeOptions": {"NoCopy": True},
    }
    names = ("AttachStdin", "OpenStdin", "StdinOnce")
    assert [plain[name] for name in names] == [False] * 3
    assert [piped[name] for name in names] == [True] * 3
