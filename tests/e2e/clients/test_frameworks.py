"""A real agent of each framework, detected as its users write it, on the real small model."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.domain.events import ResponseEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import Limits, TestRequest
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.model, pytest.mark.timeout(600)]

REQUIREMENTS = (Path(__file__).parent / "requirements.txt").read_text()
AGENTS = {
    "strands": """
import os
from strands import Agent
from strands.models.ollama import OllamaModel

model = OllamaModel(host="http://localhost:11434", model_id=os.environ["SEATRIAL_MODEL"],
                    temperature=0, max_tokens=24)
agent = Agent(model=model, callback_handler=None)
""",
    "langgraph": """
import os
from langchain.agents import create_agent
from langchain_ollama import ChatOllama

graph = create_agent(ChatOllama(model=os.environ["SEATRIAL_MODEL"], temperature=0,
                                num_predict=24), [])
""",
    "pydantic_ai": """
import os
from pydantic_ai import Agent

agent = Agent("ollama:" + os.environ["SEATRIAL_MODEL"],
              model_settings={"temperature": 0, "max_tokens": 24})
""",
    "openai_agents": """
import os
from agents import Agent, ModelSettings

assistant = Agent(name="a", model=os.environ["SEATRIAL_MODEL"],
                  model_settings=ModelSettings(temperature=0, max_tokens=24))
""",
}


@pytest.mark.spec("US1-2", "US1-3", "FR-002")
@pytest.mark.parametrize("framework", AGENTS)
def test_an_unmodified_agent_answers_and_streams(served: Serving, framework: str) -> None:
    request = TestRequest(
        files={"agent.py": AGENTS[framework]},
        requirements=REQUIREMENTS,
        query="Name the capital of France.",
        model="testmodel",
        limits=Limits(memory_mb=1024),
    )
    with served.client() as client:
        done = client.wait(client.submit(request).id)
        events = list(client.events(done.id, follow=False))

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.result is not None
    assert "Paris" in done.result.response
    assert done.result.framework == framework
    assert done.metrics is not None
    assert done.metrics.model_calls >= 1
    streamed = "".join(e.data.text for e in events if isinstance(e.data, ResponseEvent))
    assert streamed.strip() == done.result.response.strip()
