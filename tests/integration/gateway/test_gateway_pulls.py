"""The operator's Ollama pulls models: once for all who follow, for as long as somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import ollama
import pytest

from seatrial.domain.errors import (
    PullDiskFull,
    PullFailed,
    PullInterrupted,
    PullUnknownModel,
    PullUnreachable,
)
from seatrial.domain.pulls import PullProgress
from seatrial.gateway import OllamaPulls
from seatrial.settings import Settings
from seatrial.testing.providers import Mode, ScriptedOllama
from seatrial.testing.providers.ollama_pull import LAYERS

pytestmark = pytest.mark.timeout(60)

FULL = "write /models/blobs/sha256-0-partial: no space left on device"


def pulls_of(url: str) -> OllamaPulls:
    return OllamaPulls(Settings(data_dir=Path("unused"), ollama_url=url), environ={})


@pytest.fixture
def pulls(ollama_service: ScriptedOllama) -> OllamaPulls:
    return pulls_of(ollama_service.url)


async def every(steps: AsyncGenerator[PullProgress, None]) -> list[PullProgress]:
    return [step async for step in steps]


def asked(service: ScriptedOllama) -> list[str]:
    return [seen.path for seen in service.requests]


async def test_ollamas_own_client_pulls_from_the_scripted_service(
    ollama_service: ScriptedOllama,
) -> None:
    client: Any = ollama.AsyncClient(ollama_service.url)
    steps = [step async for step in await client.pull("pullable", stream=True)]
    assert steps[0].status == "pulling manifest"
    assert {(step.total, bool(step.digest)) for step in steps if step.total} == {
        (size, True) for size in LAYERS
    }
    assert [step.status for step in steps[-3:]] == [
        "verifying sha256 digest",
        "writing manifest",
        "success",
    ]
    assert "pullable:latest" in [one.model for one in (await client.list()).models]
    with pytest.raises(ollama.ResponseError, match="file does not exist"):
        [step async for step in await client.pull("unheard-of", stream=True)]


async def test_a_pull_says_how_far_it_is_until_the_model_is_there(
    pulls: OllamaPulls, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.GATED
    steps: list[PullProgress] = []
    async for step in pulls.pull("pullable"):
        steps.append(step)
        ollama_service.release.release()
    assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[0].status == "pulling manifest"
    assert steps[-1] == PullProgress(
        model="pullable",
        status="success",
        completed_bytes=sum(LAYERS),
        total_bytes=sum(LAYERS),
        done=True,
    )
    first = LAYERS[0]
    halves = [(step.completed_bytes, step.total_bytes) for step in steps]
    assert (0, first) in halves
    assert (first // 2, first) in halves
    assert halves == sorted(halves)
    assert ollama_service.models[-1] == "pullable:latest"
    assert ollama_service.requests[0].json == {"model": "pullable", "stream": True}


async def test_two_who_pull_the_same_model_share_one_pull_and_either_may_leave(
    pulls: OllamaPulls, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.GATED
    first, second = pulls.pull("pullable"), pulls.pull("pullable:latest")
    assert (await anext(first)).status == (await anext(second)).status == "pulling manifest"
    await first.aclose()
    ollama_service.mode = Mode.OK
    ollama_service.release.release()
    assert (await every(second))[-1].done
    assert asked(ollama_service) == ["/api/pull"]
    assert not ollama_service.abandoned.is_set()


async def test_the_last_who_leaves_ends_the_pull_and_the_next_begins_another(
    pulls: OllamaPulls, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.GATED
    async with aclosing(pulls.pull("pullable")) as steps:
        await anext(steps)
    await ollama_service.abandoned.wait()
    ollama_service.mode = Mode.OK
    assert (await every(pulls.pull("pullable")))[-1].done
    assert asked(ollama_service) == ["/api/pull", "/api/pull"]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (Mode.STREAM_ERROR, PullDiskFull),
        (Mode.CUT, PullInterrupted),
        (Mode.RESET, PullInterrupted),
        (Mode.UNFINISHED, PullInterrupted),
        (Mode.DROP, PullUnreachable),
        (Mode.UNAUTHORIZED, PullFailed),
        (Mode.BROKEN, PullFailed),
        (Mode.REDIRECT, PullFailed),
        (Mode.ECHO, PullFailed),
    ],
)
async def test_a_pull_that_fails_says_why_to_all_who_follow_and_can_be_tried_again(
    pulls: OllamaPulls, ollama_service: ScriptedOllama, mode: Mode, kind: type[PullFailed]
) -> None:
    ollama_service.mode = mode
    ollama_service.pull_error = FULL
    both = [every(pulls.pull("pullable")) for _ in range(2)]
    for error in await asyncio.gather(*both, return_exceptions=True):
        assert isinstance(error, PullFailed), error
        assert type(error) is kind
        assert error.hint
    ollama_service.mode = Mode.OK
    assert (await every(pulls.pull("pullable")))[-1].done


async def test_a_model_that_the_library_does_not_have_is_named(pulls: OllamaPulls) -> None:
    with pytest.raises(PullUnknownModel, match="unheard-of"):
        await every(pulls.pull("unheard-of"))


async def test_an_ollama_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(PullUnreachable, match=r"127\.0\.0\.1:9") as failed:
        await every(pulls_of("http://me:hidden@127.0.0.1:9").pull("pullable"))
    assert "hidden" not in failed.value.message
    assert "ollama serve" in failed.value.hint
