"""The real test model, started once for all tests of this folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import ollama
import openai
import pytest

from seatrial.testmodel import available

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.model)


@pytest.fixture(scope="session")
def model_url() -> Iterator[str]:
    """URL of a test model that runs for the whole session."""
    if not available():
        pytest.skip("the extra `testmodel` is not installed")
    command = [sys.executable, "-m", "seatrial.testmodel", "--port", "0", "--exit-with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()


@pytest.fixture
async def ollama_client(model_url: str) -> AsyncIterator[ollama.AsyncClient]:
    """Ollama's own client, unmodified."""
    client = ollama.AsyncClient(host=model_url)
    yield client
    await client.close()


@pytest.fixture
async def openai_client(model_url: str) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's own client, unmodified; no retries, so that every error is seen."""
    url = f"{model_url}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client
