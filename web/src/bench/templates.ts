import type { Draft } from "./draft";

/** An agent to start from. */
export interface Template {
  name: string;
  about: string;
  parts: Pick<Draft, "files" | "requirements" | "query">;
}

const QUERY = "Name the capital of France.";

function template(name: string, about: string, requirements: string, code: string): Template {
  return { name, about, parts: { files: { "agent.py": code }, requirements, query: QUERY } };
}

export const DEFAULT_TEMPLATE = template(
  "Ollama",
  "Its own client, a function",
  "ollama\n",
  `import os

from ollama import chat

MODEL = os.environ["SEATRIAL_MODEL"]  # the model that this test names


def run(query: str) -> str:
    """Answer the query. Seatrial calls this function."""
    print(f"Asking {MODEL} …")
    answer = chat(model=MODEL, messages=[{"role": "user", "content": query}])
    return answer.message.content
`,
);

const OPENAI = template(
  "OpenAI",
  "Its own client; also for compatible services",
  "openai\n",
  `import os

from openai import OpenAI

MODEL = os.environ["SEATRIAL_MODEL"]
client = OpenAI()  # the service's address and key are set for it


def run(query: str) -> str:
    answer = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": query}]
    )
    return answer.choices[0].message.content
`,
);

const ANTHROPIC = template(
  "Anthropic",
  "Its own client",
  "anthropic\n",
  `import os

from anthropic import Anthropic

MODEL = os.environ["SEATRIAL_MODEL"]
client = Anthropic()


def run(query: str) -> str:
    answer = client.messages.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": query}]
    )
    return answer.content[0].text
`,
);

const BEDROCK = template(
  "AWS Bedrock",
  "boto3 and the Converse API",
  "boto3\n",
  `import os

import boto3

MODEL = os.environ["SEATRIAL_MODEL"]
bedrock = boto3.client("bedrock-runtime")


def run(query: str) -> str:
    messages = [{"role": "user", "content": [{"text": query}]}]
    answer = bedrock.converse(modelId=MODEL, messages=messages)
    return answer["output"]["message"]["content"][0]["text"]
`,
);

const STRANDS = template(
  "Strands",
  "An agent on Ollama",
  "strands-agents[ollama]\n",
  `import os

from strands import Agent
from strands.models.ollama import OllamaModel

model = OllamaModel(host=None, model_id=os.environ["SEATRIAL_MODEL"])

# Seatrial finds the agent and streams what it says.
agent = Agent(model=model, system_prompt="Answer in one sentence.", callback_handler=None)
`,
);

const LANGGRAPH = template(
  "LangGraph",
  "An agent of LangChain on Ollama",
  "langchain\nlangchain-ollama\n",
  `import os

from langchain.agents import create_agent
from langchain_ollama import ChatOllama

model = ChatOllama(model=os.environ["SEATRIAL_MODEL"])

# Seatrial finds the graph and streams what it says.
graph = create_agent(model, tools=[], system_prompt="Answer in one sentence.")
`,
);

const PYDANTIC_AI = template(
  "PydanticAI",
  "An agent on an OpenAI-compatible service",
  "pydantic-ai-slim[openai]\n",
  `import os

from pydantic_ai import Agent

MODEL = os.environ["SEATRIAL_MODEL"]

# Seatrial finds the agent and streams what it says.
agent = Agent(f"openai-chat:{MODEL}", instructions="Answer in one sentence.")
`,
);

const OPENAI_AGENTS = template(
  "OpenAI Agents",
  "The Agents SDK on chat completions",
  "openai-agents\n",
  `import os

from agents import Agent, OpenAIChatCompletionsModel, set_tracing_disabled
from openai import AsyncOpenAI

set_tracing_disabled(True)
model = OpenAIChatCompletionsModel(os.environ["SEATRIAL_MODEL"], AsyncOpenAI())

# Seatrial finds the agent and runs it.
agent = Agent(name="assistant", instructions="Answer in one sentence.", model=model)
`,
);

const SCRIPT = template(
  "A plain script",
  "The query on stdin, the answer on stdout",
  "ollama\n",
  `import os
import sys

from ollama import chat

query = sys.stdin.read()
messages = [{"role": "user", "content": query}]
for part in chat(model=os.environ["SEATRIAL_MODEL"], messages=messages, stream=True):
    print(part.message.content, end="", flush=True)
`,
);

/** All of them; each runs as it is with a model of its provider. */
export const TEMPLATES: readonly Template[] = [
  DEFAULT_TEMPLATE,
  OPENAI,
  ANTHROPIC,
  BEDROCK,
  STRANDS,
  LANGGRAPH,
  PYDANTIC_AI,
  OPENAI_AGENTS,
  SCRIPT,
];
