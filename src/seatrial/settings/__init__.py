"""Every setting of Seatrial: its default, its environment variable and its help text.

A field `lease_seconds` is set by `SEATRIAL_LEASE_SECONDS`. The docstring under a field is its
help text everywhere: in `--help`, in the docs and in error hints. Provider keys are not here:
only the gateway reads them.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from seatrial.domain.data_folder import default_data_dir, server_socket


class Settings(BaseSettings):
    """What the operator decides. Read once at start; frozen after that."""

    model_config = SettingsConfigDict(
        env_prefix="SEATRIAL_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    data_dir: Path = Field(default_factory=default_data_dir)
    """Folder of the database, environments, images and the private engine. Where its path leaves no
    room for a socket, the sockets are in a folder of this user below /var/tmp."""

    database_url: str | None = None
    """`postgresql://…` for many machines; without it SQLite in the data folder."""

    host: str = "127.0.0.1"
    """Address that `serve` listens on besides its socket. Others than loopback need accounts
    (SEATRIAL_REQUIRE_TOKEN=1)."""

    port: int = 8710
    """Port that `serve` listens on."""

    operators: str = ""
    """Names of users, with commas, who may read what concerns all users, as this machine's own user
    may: metrics, the whole queue, every environment, addresses of model services."""

    require_token: bool | None = None
    """What the port asks for. Unset, the one local token that `serve` prints; `1` gives users
    accounts, each with API tokens; `0` asks for nothing: every user and program of this machine
    can use the port as you."""

    engine: str = "auto"
    """`auto`, `docker` (Docker or Podman) or `fake`."""

    docker_host: str | None = None
    """Socket of the engine, for example `unix:///run/docker.sock`; without it DOCKER_HOST, then
    the usual places, then Seatrial's private engine. For `tcp://host:port`, DOCKER_TLS_VERIFY and
    DOCKER_CERT_PATH ask for TLS."""

    container_runtime: str = ""
    """Runtime of the engine to use instead of its own: `runsc` is gVisor, a kernel in between."""

    allow_unenforced_limits: bool = False
    """Run tests although the engine does not enforce memory or process limits, or filters no system
    calls. The receipt of every test lists what was not enforced. A way out of a container is
    refused regardless."""

    door: Literal["auto", "socket", "relay"] = "auto"
    """How a container's sockets reach it: `socket` mounts this machine's, `relay` carries them
    through a container beside it (Docker Desktop, podman machine); `auto` tries it out."""

    registry: str = "docker.io/library"
    """Where base images are pulled from."""

    python: str = "3.11"
    """Python version of a test that names none."""

    index_url: str | None = None
    """Package index; without it the one that pip is configured with, else the public one."""

    default_model: str | None = None
    """Model of a request that names none; without it the first of the local Ollama, else the
    built-in test model."""

    ollama_url: str | None = None
    """The Ollama to use; without it OLLAMA_HOST, else http://127.0.0.1:11434."""

    ollama_pull: bool | None = None
    """Let users have that Ollama pull models, which fills its disk; without it, those who are
    asked for no token: this machine's own user."""

    openai_base_url: str | None = None
    """Base URL of an OpenAI-compatible service; without it OPENAI_BASE_URL."""

    anthropic_base_url: str | None = None
    """Base URL of the Anthropic service, without /v1; without it ANTHROPIC_BASE_URL."""

    aws_region: str | None = None
    """Region of AWS Bedrock; without it AWS_REGION, AWS_DEFAULT_REGION or the AWS profile's."""

    aws_sts_url: str | None = None
    """Endpoint of AWS STS, which gives the keys of roles; without it AWS_ENDPOINT_URL_STS, else
    the region's own."""

    aws_assumable_roles: str = ""
    """Roles that users' credentials may name without keys of their own: the worker's AWS identity
    assumes them. ARNs with commas, `*` for any text; none unless set. Every user may use every
    one of them."""

    preflight_cache_seconds: float = Field(default=60.0, ge=0)
    """A model that could be used with a credential is not asked about again for this time before
    a test starts."""

    credentials_key: str | None = Field(default=None, repr=False)
    """Private key that stored credentials are opened with: 32 bytes in base64. Several, with
    commas, the current one first, change it. Without it, a file of the data folder. Workers that
    share a database need the same one; servers without a worker need none."""

    credentials_key_command: str | None = None
    """Command that prints that private key, or several, instead of the setting: the way to a KMS
    or a secret store. It runs without a shell at the worker's start, and again when the key is
    rotated."""

    private_base_urls: bool | None = None
    """Let users' credentials and webhooks name private addresses. Unset, they may where users have
    no accounts (SEATRIAL_REQUIRE_TOKEN). A worker of its own (`seatrial worker`) allows them only
    when either setting says so."""

    webhook_key: str | None = Field(default=None, repr=False)
    """Key that users' webhook secrets follow from, and that tokens for embedding are signed with:
    32 bytes in base64. Without it, a file of the data folder. Servers that share a database need
    the same one."""

    test_model: bool = True
    """Offer the built-in test model when its packages are installed."""

    recording_max_mb: float = Field(default=32.0, gt=0)
    """Size in MiB of one test's recorded model calls; a recording that is cut at it can't be
    replayed."""

    max_running: int = Field(default=0, ge=0)
    """Tests that this worker runs at one time; 0 takes a number that fits the machine."""

    max_per_user: int = 8
    """Tests of one user that run at one time."""

    max_queued: int = 1000
    """Tests that may wait; more are refused until there is room."""

    max_queued_per_user: int = Field(default=0, ge=0)
    """Tests of one user that may wait, once there is a second user; 0 takes a tenth of all that
    may wait, at least 20."""

    max_streams: int = Field(default=1000, ge=1)
    """Event streams that may be open on one server; each page that follows a test has one."""

    max_streams_per_user: int = Field(default=100, ge=1)
    """Event streams of one user that may be open while other users have some. A user alone may
    have all but this many of the total."""

    max_connections: int = Field(default=2000, ge=10)
    """Connections that may be open on one server; further ones are answered with 503."""

    max_tokens_per_user: int = Field(default=100, ge=1)
    """API tokens that one user may have."""

    max_timeout_seconds: int = 3600
    """Longest timeout that a request may ask for."""

    max_memory_mb: int = 4096
    """Most memory that a request may ask for."""

    max_cpus: float = Field(default_factory=lambda: float(os.cpu_count() or 1))
    """Most CPU cores that a request may ask for."""

    max_processes: int = 1024
    """Most processes that a request may ask for."""

    max_disk_mb: int = 1024
    """Largest writable folder that a request may ask for."""

    max_open_files: int = 4096
    """Most open files that a request may ask for."""

    max_model_calls: int = Field(default=10_000, ge=1)
    """Most model calls that a request may ask for."""

    max_model_tokens: int = Field(default=0, ge=0)
    """Most tokens that one test may use, in and out together, also when its request names no
    limit; 0 for no maximum."""

    max_traffic_mb: int = Field(default=8192, ge=1)
    """Most bytes to and from models and allowed hosts that a request may ask for."""

    max_concurrent_calls: int = Field(default=64, ge=1)
    """Most calls at one time that a request may ask for."""

    private_egress: bool = False
    """Let tests reach hosts at private addresses, this machine's own services among them, when
    they list them by name. For an installation that only you and people you trust use."""

    build_timeout_seconds: int = 600
    """Time for installing one set of requirements."""

    build_memory_mb: int = 2048
    """Memory for installing requirements."""

    build_max_mb: int = 8192
    """Disk that one set of requirements may take while it is downloaded and unpacked."""

    max_builds_per_user: int = Field(default=4, ge=1)
    """Sets of requirements of one user that a worker installs concurrently while other users have
    some. Each sets BUILD_MAX_MB of disk aside: without that much they wait for each other."""

    environments_max_gb: float = 20.0
    """Size at which the least recently used environments are removed."""

    grace_seconds: float = 10.0
    """A container without its worker ends its test after this time."""

    lease_seconds: float = 20.0
    """A worker that is silent for this long has lost its tests; longer than the grace, always."""

    engine_wait_seconds: float = 60.0
    """How long tests wait in the queue for a container engine that is away, before they fail for
    it. A worker of its own (`seatrial worker`) waits for ever: others may take the tests."""

    cleanup_seconds: float = 5.0
    """Time for removing a container before it is left to the reaper."""

    worker_name: str | None = None
    """Name of this worker; without it one that stays the same for the data folder."""

    retention_days: int = Field(default=30, ge=0)
    """Completed tests are removed after this time; 0 keeps them. Below 7 days every start says
    so."""

    history_max_gb: float = Field(default=20.0, ge=0)
    """Size of all completed tests, with their journals, at which the oldest are removed; 0 keeps
    them. Every user has an equal share, and what one leaves the others may use: the oldest tests
    of those above their share go first."""

    idle_exit_seconds: float = 0.0
    """`serve` ends by itself after this time without a test or a client; 0 never."""

    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`, for the log on standard error."""

    url: str | None = None
    """For clients: the server to use, instead of the local data folder's own."""

    token: str | None = Field(default=None, repr=False)
    """For clients: the API token."""

    @property
    def operator_names(self) -> frozenset[str]:
        """The users who may read what concerns all users."""
        return frozenset(name.strip() for name in self.operators.split(",") if name.strip())

    @property
    def has_accounts(self) -> bool:
        """Whether users have accounts here, so that those who ask may be strangers to the owner."""
        return self.require_token is True

    @property
    def has_open_port(self) -> bool:
        """Whether requests to the port need no token at all."""
        return self.require_token is False

    @property
    def allows_private_urls(self) -> bool:
        """Whether users' credentials and webhooks may lead into the network of this machine."""
        if self.private_base_urls is not None:
            return self.private_base_urls
        return not self.has_accounts

    @cached_property
    def socket_path(self) -> Path:
        """The Unix socket of the process that owns the data folder."""
        return server_socket(self.data_dir)

    @cached_property
    def store_url(self) -> str:
        """The database as SQLAlchemy names it."""
        url = self.database_url or f"sqlite:///{self.data_dir / 'seatrial.db'}"
        url = url.replace("postgres://", "postgresql://", 1)
        return url.replace("postgresql://", "postgresql+asyncpg://", 1).replace(
            "sqlite://", "sqlite+aiosqlite://", 1
        )
