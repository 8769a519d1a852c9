"""LangChain: chains (LCEL) and executors, but not the parts they are made of."""

from typing import Any

from .answers import Answer, text_of, usage_of
from .base import Adapter, Emit, class_names, comes_from_family, has

PARTS = {
    "BaseLanguageModel",
    "BaseOutputParser",
    "BasePromptTemplate",
    "BaseRetriever",
    "BaseTool",
    "Embeddings",
}
"""Runnables that a file defines on the way to its chain."""


def matches(value: Any) -> bool:
    """A runnable that is more than a part."""
    return (
        comes_from_family(value, "langchain")
        and has(value, "invoke", "stream")
        and not class_names(value) & PARTS
    )


async def call(chain: Any, query: str, emit: Emit) -> Answer:
    """Stream and add the chunks up."""
    total: Any = None
    async for chunk in chain.astream(_question(chain, query)):
        total = chunk if total is None else total + chunk
        emit(text_of(getattr(chunk, "content", chunk)) or "")
    usage = usage_of(getattr(total, "usage_metadata", None))
    content = getattr(total, "content", None)
    return Answer(total) if content is None else Answer(None, text_of(content), usage)


def _question(chain: Any, query: str) -> Any:
    keys: Any = getattr(chain, "input_keys", None)
    return {keys[0]: query} if keys else query


ADAPTER = Adapter("langchain", matches, call)
