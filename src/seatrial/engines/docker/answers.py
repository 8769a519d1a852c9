"""What an engine answers, as far as it is read. Docker and Podman differ in what they leave out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Flavour = Literal["docker", "podman"]


def _empty_for_none(value: Any) -> Any:
    """Go writes an empty list or map as null."""
    return value if value is not None else {}


def _list_for_none(value: Any) -> Any:
    return value if value is not None else []


Labels = Annotated[dict[str, str], BeforeValidator(_empty_for_none)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_list_for_none)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Component(_Answer):
    """A part of the engine, such as its runtime."""

    name: str = Field("", alias="Name")
    version: str = Field("", alias="Version")
    details: Labels = Field(default_factory=dict, alias="Details")


class Version(_Answer):
    """`GET /version`."""

    version: str = Field("", alias="Version")
    api_version: str = Field("", alias="ApiVersion")
    architecture: str = Field("", alias="Arch")
    components: Annotated[tuple[Component, ...], BeforeValidator(_list_for_none)] = Field(
        (), alias="Components"
    )

    @property
    def flavour(self) -> Flavour:
        """Podman calls itself so among its components."""
        podman = any("podman" in component.name.lower() for component in self.components)
        return "podman" if podman else "docker"


class Info(_Answer):
    """`GET /info`. Limits that an engine does not speak of are taken to work."""

    rootless: bool = Field(default=False, alias="Rootless")
    security: Texts = Field((), alias="SecurityOptions")
    cgroup_version: str = Field("1", alias="CgroupVersion")
    memory_limit: bool = Field(default=True, alias="MemoryLimit")
    pids_limit: bool = Field(default=True, alias="PidsLimit")
    cpu_quota: bool = Field(default=True, alias="CpuCfsQuota")
    runtimes: Annotated[dict[str, Any], BeforeValidator(_empty_for_none)] = Field(
        default_factory=dict[str, Any], alias="Runtimes"
    )
    cpus: int = Field(0, alias="NCPU")
    memory_bytes: int = Field(0, alias="MemTotal")


class State(_Answer):
    """How a container is. Podman also knows configured, initialized, stopped, stopping."""

    status: str = Field("", alias="Status")
    exit_code: int = Field(0, alias="ExitCode")
    oom_killed: bool = Field(default=False, alias="OOMKilled")
    pid: int = Field(0, alias="Pid")


class Container(_Answer):
    """`GET /containers/{id}/json`."""

    id: str = Field(alias="Id")
    state: State = Field(alias="State")

    @property
    def never_started(self) -> bool:
        """It was created only: its maker was lost before it started it."""
        return self.state.status in {"created", "initialized", "configured"}

    @property
    def has_ended(self) -> bool:
        """It ran and is over."""
        return is_end(self.state.status)


class Listed(_Answer):
    """One of `GET /containers/json`."""

    id: str = Field(alias="Id")
    names: Texts = Field((), alias="Names")
    labels: Labels = Field(default_factory=dict, alias="Labels")
    state: str = Field("", alias="State")
    created: int = Field(0, alias="Created")


class Volume(_Answer):
    """One of `GET /volumes`."""

    name: str = Field(alias="Name")
    labels: Labels = Field(default_factory=dict, alias="Labels")


class ImageConfig(_Answer):
    """What an image sets for its containers."""

    environment: Texts = Field((), alias="Env")
    volumes: Annotated[dict[str, Any], BeforeValidator(_empty_for_none)] = Field(
        default_factory=dict[str, Any], alias="Volumes"
    )


class Image(_Answer):
    """`GET /images/{name}/json`."""

    id: str = Field(alias="Id")
    digests: Texts = Field((), alias="RepoDigests")
    """Its names by digest in registries; Podman gives one also to what never was in any."""
    config: Annotated[ImageConfig, BeforeValidator(_empty_for_none)] = Field(
        ImageConfig.model_validate({}), alias="Config"
    )


class Distributed(_Answer):
    """`GET /distribution/{name}/json`: what a registry has under a name."""

    class _Descriptor(_Answer):
        kind: str = Field("", alias="mediaType")

    descriptor: _Descriptor = Field(alias="Descriptor")


class Manifest(_Answer):
    """Podman's `GET /libpod/manifests/{name}/json`: the same."""

    kind: str = Field("", alias="mediaType")


class _Actor(_Answer):
    id: str = Field("", alias="ID")
    attributes: Labels = Field(default_factory=dict, alias="Attributes")


class Event(_Answer):
    """One line of `GET /events`."""

    action: str = Field("", alias="Action")
    actor: _Actor = Field(alias="Actor")

    @property
    def is_end(self) -> bool:
        """The container ended or is gone. Podman has words of its own."""
        return self.action in {"die", "died", "destroy", "remove"}

    @property
    def exit_code(self) -> int | None:
        """The code, when the event tells it. Podman writes 0 into those that cannot know it."""
        if self.action not in {"die", "died"}:
            return None
        attributes = self.actor.attributes
        code = attributes.get("exitCode", attributes.get("containerExitCode", ""))
        return int(code) if code.isdigit() else None


class Progress(_Answer):
    """One line of a pull."""

    status: str = ""
    id: str = ""
    progress: str = ""


class Built(_Answer):
    """One line of the building of an image."""

    stream: str = ""
    error: str = ""


def is_end(status: str) -> bool:
    """Whether a container of that status is over."""
    return status.lower() in {"exited", "stopped", "dead", "removing"}
