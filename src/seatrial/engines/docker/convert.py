"""Our values to the engine's JSON and back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seatrial.domain.ports import (
    ContainerExit,
    ContainerInfo,
    ContainerSpec,
    EngineInfo,
    Mount,
    Tmpfs,
    VolumeInfo,
    VolumeMount,
)

from .advisories import warnings_for
from .answers import Container, Flavour, Info, Listed, Version, Volume
from .image_facts import ImageFacts

Json = dict[str, Any]

_MB = 1 << 20
_CPU_PERIOD = 100_000
_PROCESSES_OF_A_USER = 4096
"""RLIMIT_NPROC counts a user's processes over all containers: `pids-limit` is the real limit,
this one only has to be given (Podman adds 1,048,576 otherwise, which fails without
CAP_SYS_RESOURCE)."""
_CAPABILITIES = ["SETUID", "SETGID", "KILL"]
"""What process 1 needs to start the agent as another user and to end it."""
_PODMAN_WRITABLE = ("/run", "/tmp", "/var/tmp")  # noqa: S108 paths inside a container
"""Where Podman puts large memory file systems of its own over a read-only root."""
_CLOSED = "ro,noexec,nosuid,nodev,size=64k,mode=755"
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
"""What process 1 of every container has besides the variables of its spec."""
_FEWEST_INODES = 4096
_INODES_OF_A_MB = 512
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_GONE = 137
_GVISOR_THREADS = 512


@dataclass(frozen=True)
class PrivateFiles:
    """Host paths of what every container sees in place of the engine's own."""

    hosts: str
    resolv_conf: str
    seccomp: str
    """The profile as the engine wants it: inline JSON (Docker) or a path (Podman)."""


def container_body(
    spec: ContainerSpec,
    flavour: Flavour,
    files: PrivateFiles,
    runtime: str = "",
    *,
    facts: ImageFacts,
    piped: bool = False,
) -> Json:
    """The request that creates the container with all of its hardening.

    Of what the image sets for its containers nothing counts: not its variables, entry point,
    command, user, folder, volumes or health check, which the engine would run as root.
    `piped`: with a standard input that ends when whoever is attached to it goes away.
    """
    return {
        "Image": spec.image,
        "Entrypoint": list(spec.argv[:1]),
        "Cmd": list(spec.argv[1:]),
        **_environment(spec, flavour, facts),
        "Healthcheck": {"Test": ["NONE"]},
        "WorkingDir": spec.working_directory,
        "Labels": dict(spec.labels),
        "User": "0:0",
        "Hostname": "agent",
        "AttachStdin": piped,
        "OpenStdin": piped,
        "StdinOnce": piped,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "StopSignal": "SIGKILL",  # an engine that shuts down need not wait for the agent
        "HostConfig": _host_config(spec, flavour, files, facts) | _runtime(spec, runtime),
    }


def _environment(spec: ContainerSpec, flavour: Flavour, facts: ImageFacts) -> Json:
    """Our variables alone. Docker removes those that are named without a value."""
    ours = {**_ENVIRONMENT, **spec.environment}
    entries = [f"{name}={value}" for name, value in ours.items()]
    if flavour == "podman":
        return {"Env": entries, "UnsetEnvAll": True}
    return {"Env": [*entries, *(name for name in facts.variables if name not in ours)]}


def _host_config(
    spec: ContainerSpec, flavour: Flavour, files: PrivateFiles, facts: ImageFacts
) -> Json:
    limits = spec.limits
    return {
        "NetworkMode": "none",
        "IpcMode": "private",
        "CapDrop": ["ALL"],
        "CapAdd": _CAPABILITIES,
        "SecurityOpt": ["no-new-privileges", f"seccomp={files.seccomp}"],
        "ReadonlyRootfs": True,
        "Privileged": False,
        "LogConfig": {"Type": "none"},
        "Memory": limits.memory_mb * _MB,
        "MemorySwap": limits.memory_mb * _MB,
        "CpuPeriod": _CPU_PERIOD,
        "CpuQuota": max(1000, round(limits.cpus * _CPU_PERIOD)),
        "PidsLimit": limits.processes,
        "ShmSize": 4 * _MB,
        "Ulimits": [
            _ulimit("core", 0),
            _ulimit("nofile", limits.open_files),
            _ulimit("nproc", _PROCESSES_OF_A_USER),
            _ulimit("fsize", limits.file_mb * _MB),
        ],
        "Tmpfs": _tmpfs(spec, flavour, facts),
        "Mounts": [
            _mount(mount)
            for mount in (
                Mount(files.hosts, "/etc/hosts"),
                Mount(files.resolv_conf, "/etc/resolv.conf"),
                *spec.mounts,
            )
        ]
        + [_volume_mount(volume) for volume in spec.volumes],
    }


def _runtime(spec: ContainerSpec, runtime: str) -> Json:
    """Another runtime than the engine's own. gVisor's kernel has threads that count too."""
    if not runtime:
        return {}
    more = _GVISOR_THREADS if runtime.startswith("runsc") else 0
    return {"Runtime": runtime, "PidsLimit": spec.limits.processes + more}


def _ulimit(name: str, value: int) -> Json:
    return {"Name": name, "Soft": value, "Hard": value}


def _mount(mount: Mount) -> Json:
    return {
        "Type": "bind",
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "BindOptions": {"Propagation": "rprivate"},
    }


def _volume_mount(volume: VolumeMount) -> Json:
    return {
        "Type": "volume",
        "Source": volume.volume,
        "Target": volume.target,
        "ReadOnly": volume.read_only,
        "VolumeOptions": {"NoCopy": True},
    }


def _tmpfs(spec: ContainerSpec, flavour: Flavour, facts: ImageFacts) -> dict[str, str]:
    """What the spec asks for; read-only ones over the image's volumes, which would be writable.

    For Podman also over the places that it would fill.
    """
    mounted = {tmpfs.target: _tmpfs_options(tmpfs, flavour) for tmpfs in spec.tmpfs}
    taken = {mount.target for mount in (*spec.mounts, *spec.volumes)} | set(mounted)
    closed = (*facts.volumes, *(_PODMAN_WRITABLE if flavour == "podman" else ()))
    return mounted | {target: _CLOSED for target in closed if target not in taken}


def _tmpfs_options(tmpfs: Tmpfs, flavour: Flavour) -> str:
    """Podman does not know `nr_inodes`: there the memory limit is what ends too many files."""
    execution = "exec" if tmpfs.executable else "noexec"
    options = f"rw,{execution},nosuid,nodev,size={tmpfs.size_mb}m,mode={tmpfs.mode:o}"
    return options if flavour == "podman" else f"{options},nr_inodes={_inodes(tmpfs.size_mb)}"


def _inodes(size_mb: int) -> int:
    return max(_FEWEST_INODES, size_mb * _INODES_OF_A_MB)


def exit_of(
    inspected: Container | None, *, told: int | None = None, evidence: str
) -> ContainerExit:
    """How it ended; `told` is the code of the event, for one that is gone meanwhile."""
    if inspected is None:
        return ContainerExit(_GONE if told is None else told, evidence=evidence)
    state = inspected.state
    code = state.exit_code if inspected.has_ended or told is None else told
    return ContainerExit(code, oom_killed=state.oom_killed, evidence=evidence)


def container_info(listed: Listed) -> ContainerInfo:
    """One line of a list."""
    return ContainerInfo(
        id=listed.id,
        name=(listed.names or ("",))[0].removeprefix("/"),
        labels=listed.labels,
        running=listed.state == "running",
        created_at=datetime.fromtimestamp(listed.created, UTC),
    )


def volume_info(volume: Volume) -> VolumeInfo:
    """One line of a list."""
    return VolumeInfo(name=volume.name, labels=volume.labels)


def engine_info(version: Version, info: Info, runtime: str = "") -> EngineInfo:
    """Who answers and what it enforces."""
    rootless = info.rootless or any("rootless" in option for option in info.security)
    unenforced = _unenforced(info, rootless=rootless)
    return EngineInfo(
        name="Podman" if version.flavour == "podman" else "Docker",
        version=version.version,
        api_version=version.api_version,
        rootless=rootless,
        architecture=_ARCHITECTURES.get(version.architecture, version.architecture),
        cpus=info.cpus,
        memory_bytes=info.memory_bytes,
        unenforced=unenforced,
        warnings=_warnings(version, info, unenforced, runtime),
        runtime=runtime,
    )


def _unenforced(info: Info, *, rootless: bool) -> tuple[str, ...]:
    """The limits that the engine says it does not enforce. Rootless cgroup v1 enforces none."""
    limits = not (rootless and info.cgroup_version == "1")
    enforced = {
        "memory": limits and info.memory_limit,
        "processes": limits and info.pids_limit,
        "CPU": limits and info.cpu_quota,
    }
    return tuple(name for name, held in enforced.items() if not held)


def _warnings(
    version: Version, info: Info, unenforced: tuple[str, ...], runtime: str
) -> tuple[str, ...]:
    found = list(warnings_for(version))
    if runtime and info.runtimes and runtime not in info.runtimes:
        known = ", ".join(sorted(info.runtimes))
        found.append(f"The engine has no runtime {runtime!r}; it has {known}.")
    if unenforced:
        found.append(
            f"The engine enforces no limit of {', '.join(unenforced)} (rootless with control "
            "groups version 1, or a kernel without them): run it as root, or with version 2."
        )
    if not any("seccomp" in option for option in info.security):
        found.append("The engine filters no system calls (seccomp is off).")
    return tuple(found)
