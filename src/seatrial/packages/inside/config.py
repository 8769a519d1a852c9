"""What the package says about its agent: `agent.json` beside this folder."""

import json
import os
from dataclasses import dataclass, field
from typing import Any, Optional


@dataclass(frozen=True)
class Config:
    """How the agent is called. `name` is empty for a script.

    `env` are variables with their tested values; `secrets` are the names of those that must be
    given where it runs. `openai_by_ollama`: OpenAI's SDK shall find Ollama. `query_first`: the
    file reads its arguments while it is loaded, so it is loaded only when the query is there.
    `root` is the folder of the agent's files.
    """

    root: str
    file: str
    name: str
    timeout_seconds: float
    response_bytes: int
    concurrency: int = 1
    env: dict[str, str] = field(default_factory=dict[str, str])
    secrets: tuple[str, ...] = ()
    openai_by_ollama: bool = False
    query_first: bool = False

    @property
    def is_script(self) -> bool:
        """Whether the file is run as a program, with the query on stdin and as its argument."""
        return not self.name


def read_config(path: Optional[str] = None) -> Config:
    """The package's configuration; raises OSError or ValueError when it is not whole."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(path or os.path.join(folder, "agent.json"), encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    found["secrets"] = tuple(found["secrets"])
    return Config(**found)
