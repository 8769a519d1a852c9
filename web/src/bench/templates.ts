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

/** All of them; each runs unchanged with a model of its provider. */
export const TEMPLATES: readonly Template[] = [DEFAULT_TEMPLATE];
