"""The test request: what a user submits. Shapes only; the rules are in `validation`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

NO_MODEL = "none"
"""The model of a request that offers its agent no model at all."""

TEST_MODEL = "testmodel"
"""The model of a request that wants the built-in test model."""


DEFAULT_MODEL = "default"
"""What the history calls the model of a request that names none. No request can name it."""

MAX_MODEL_CHARACTERS = 300


USUAL_TIMEOUT_SECONDS = 180
"""Time for one attempt when a request says nothing of it."""


class Limits(BaseModel):
    """What one test may use. The operator's maxima cap each of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory_mb: int = Field(default=512, description="Memory of the container, in MiB.")
    cpus: float = Field(default=1.0, description="CPU cores.")
    processes: int = Field(default=128, description="Processes and threads at one time.")
    disk_mb: int = Field(
        default=64, description="Size of the working directory, /tmp and home, in MiB each."
    )
    open_files: int = Field(default=1024, description="Files and connections open in one process.")
    log_kb: int = Field(default=4096, description="Log text that is kept, in KiB: head and tail.")
    response_kb: int = Field(default=1024, description="Largest response, in KiB.")
    model_calls: int = Field(
        default=1000, description="Calls to models; each attempt of an SDK is one."
    )
    model_tokens: int = Field(
        default=0,
        description="Tokens in and out together, as providers report them; "
        "0: as many as the operator allows.",
    )
    traffic_mb: int = Field(
        default=512, description="Bytes to and from models and allowed hosts, in MiB."
    )
    concurrent_calls: int = Field(
        default=16, description="Calls that are answered at one time; further ones wait."
    )


@dataclass(frozen=True)
class LimitRange:
    """One limit: what a request gets that names none, and the least and most that it may name."""

    usual: int | float
    least: int | float
    most: int | float


class TestRequest(BaseModel):
    """One agent to test: its files, what it needs and what to ask it."""

    __test__: ClassVar[bool] = False
    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[str, str] = Field(
        description="Text files by relative path; must hold agent.py, or the file that "
        "entry_point names."
    )
    requirements: str = Field(default="", description="The text of a requirements.txt.")
    python: str | None = Field(default=None, description='Python version, for example "3.11".')
    model: str | None = Field(
        default=None,
        description="`provider:model`, `testmodel`, `none`; omitted: the configured default. "
        "Several models stand with commas between them, the first is the main one.",
    )
    query: str = Field(description="What the agent is asked.")
    entry_point: str | None = Field(
        default=None,
        description="`file.py:name` when it shall not be detected; `folder/file.py` when the "
        "agent is not in agent.py.",
    )
    timeout_seconds: int = Field(
        default=USUAL_TIMEOUT_SECONDS, description="Time for one attempt, 1 to 3600 seconds."
    )
    limits: Limits = Limits()
    egress: tuple[str, ...] = Field(
        default=(), description="Hosts that may be reached, `host:port`."
    )
    allow: tuple[str, ...] = Field(
        default=(),
        description="What the model service may do beyond answering: `hosted-tools`, "
        "`stored-objects`, `routing`, `urls=HOST`, `s3=BUCKET`, `secret=VARIABLE`, "
        "`unlisted=NAME`. Omitted: nothing; such a call is refused.",
    )
    name: str | None = Field(default=None, description="A name to find the test by.")
    credential: str | None = Field(
        default=None,
        description="Name of the stored credential to use; omitted: `default`, else the only one.",
    )
    webhook: str | None = Field(
        default=None, description="Address that is told of the test's end by a signed POST."
    )
    env: dict[str, str] = Field(
        default={},
        description="Variables of the agent's process. They are stored and shown: no secrets.",
    )
    secrets: dict[str, str] = Field(
        default={},
        description="Variables that hold a stored secret: the names of your credentials of the "
        "provider `secret`. The agent has them in the clear.",
    )
    record: bool = Field(
        default=False,
        description="Record the model calls, so that a retry can be answered from them.",
    )
    replay_of: str | None = Field(
        default=None,
        description="Id of a recorded test of yours: model calls are answered from its recording.",
    )


class LimitChanges(BaseModel):
    """Limits that a retry changes; those left out stay as they were."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory_mb: int | None = None
    cpus: float | None = None
    processes: int | None = None
    disk_mb: int | None = None
    open_files: int | None = None
    log_kb: int | None = None
    response_kb: int | None = None
    model_calls: int | None = None
    model_tokens: int | None = None
    traffic_mb: int | None = None
    concurrent_calls: int | None = None


class RetryChanges(BaseModel):
    """What a retry does otherwise than the test it comes from.

    A field that is left out or null stays as it was. `files` replaces and adds files by their
    paths and keeps the others; a path with null is removed. So do `env` and `secrets` by the
    names of variables, and a variable of the one replaces that of the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[str, str | None] | None = None
    requirements: str | None = None
    python: str | None = None
    model: str | None = None
    query: str | None = None
    entry_point: str | None = None
    timeout_seconds: int | None = None
    limits: LimitChanges | None = None
    egress: tuple[str, ...] | None = None
    allow: tuple[str, ...] | None = None
    name: str | None = None
    credential: str | None = None
    webhook: str | None = None
    env: dict[str, str | None] | None = None
    secrets: dict[str, str | None] | None = None
    record: bool | None = None
    replay: bool | None = Field(
        default=None,
        description="True: answer model calls from the recording of the test it comes from, or "
        "of the one that test replayed. False: ask the model again.",
    )

    def applied_to(self, request: TestRequest) -> TestRequest:
        """The request of the retry, but for `replay`; `request` itself is not changed."""
        merged_apart = {"files", "env", "secrets", "replay"}
        changes = self.model_dump(exclude_none=True, exclude=merged_apart)
        limits = request.limits.model_copy(update=changes.pop("limits", {}))
        env, secrets = self.env or {}, self.secrets or {}
        merged = {
            "files": _merged(request.files, self.files or {}),
            "env": _merged(request.env, {**dict.fromkeys(_set(secrets)), **env}),
            "secrets": _merged(request.secrets, {**dict.fromkeys(_set(env)), **secrets}),
        }
        return request.model_copy(update={**changes, "limits": limits, **merged})


def _merged(old: dict[str, str], new: Mapping[str, str | None]) -> dict[str, str]:
    """The old entries with the new ones; None removes one."""
    merged = {**old, **new}
    return {name: value for name, value in merged.items() if value is not None}


def _set(entries: Mapping[str, str | None]) -> list[str]:
    return [name for name, value in entries.items() if value is not None]


def sent_texts(request: TestRequest) -> Iterator[str]:
    """Every text of the request that a package of it would hold."""
    yield from request.files
    yield from request.files.values()
    yield from request.env.values()
    yield from (request.requirements, request.query, request.name or "")


def model_names(model: str) -> tuple[str, ...]:
    """The models of a request's `model`, which may hold several with commas between them.

    >>> model_names("ollama:llama3.2,openai:gpt-4o-mini")
    ('ollama:llama3.2', 'openai:gpt-4o-mini')
    """
    return tuple(model.split(","))


class ModelRef(BaseModel):
    """A model at a provider, written `provider:model`."""

    model_config = ConfigDict(frozen=True)

    provider: str
    name: str

    @classmethod
    def parse(cls, text: str) -> ModelRef:
        """Read `provider:model`; the model's own name may hold further colons.

        Raises ValueError when there is no provider or no model in it.
        """
        provider, colon, name = text.partition(":")
        if not (provider and colon and name):
            raise ValueError(f"{text!r} is not of the form provider:model")
        return cls(provider=provider, name=name)

    def __str__(self) -> str:
        """Write it back as `provider:model`."""
        return f"{self.provider}:{self.name}"
