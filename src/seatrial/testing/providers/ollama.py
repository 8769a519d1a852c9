"""A scripted Ollama: its own API, and under `/v1` OpenAI's chat completions and embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from . import ollama_pull, openai, openai_chat
from .base import ScriptedProvider, SeenRequest
from .modes import Mode
from .script import INPUT_TOKENS, OUTPUT_TOKENS, VECTOR, Tool, Turn, last_of, listed, next_turn
from .wire import NOW, SCRIPTED, json_answer, ndjson, sse

_DURATIONS = {
    "total_duration": 4_000_000,
    "load_duration": 1_000_000,
    "prompt_eval_duration": 1_000_000,
    "eval_duration": 2_000_000,
}
_FAILED = "the runner has terminated"
_STREAMS = frozenset({"/api/chat", "/api/generate", "/api/pull"})


class ScriptedOllama(ScriptedProvider):
    """Ollama's chat, generate, embed, embeddings, tags, show, ps, version and pull, and `/v1`.

    It pulls what stands in `library`, and then lists it among its models.
    """

    def __init__(
        self,
        models: tuple[str, ...] = ("scripted:latest",),
        library: tuple[str, ...] = ("pullable:latest", "somebody/pullable:1b"),
    ) -> None:
        """See ScriptedProvider. `library` names with tags what it can pull."""
        super().__init__(models)
        self.library = library
        self.pull_error = "max retries exceeded: unexpected EOF"
        """What it says in a pull's stream in `Mode.STREAM_ERROR`."""

    def stream_type(self, seen: SeenRequest) -> str:
        """See ScriptedProvider."""
        return "text/event-stream" if _is_openai(seen) else "application/x-ndjson"

    def error(self, status: int, message: str) -> Mapping[str, Any]:
        """See ScriptedProvider."""
        return {"error": message}

    def check(self, seen: SeenRequest) -> web.Response | None:
        """See ScriptedProvider. What it does not list it does not show."""
        if seen.path == "/api/pull" and not ollama_pull.is_name(ollama_pull.named(seen.json)):
            return self.refusal(400, "invalid model name")
        if seen.path != "/api/show" or self.mode is not Mode.OK:
            return None
        named = seen.json.get("model") or seen.json.get("name")
        if named in self.models or f"{named}:latest" in self.models:
            return None
        return self.refusal(404, f"model '{named}' not found")

    def metadata(self, seen: SeenRequest) -> web.Response:
        """See ScriptedProvider."""
        if seen.path == "/":
            return web.Response(text="Ollama is running", headers=SCRIPTED)
        if seen.path == "/api/version":
            return json_answer({"version": "0.0.0-scripted"})
        if seen.path == "/v1/models":
            return openai.listing(self.models)
        return json_answer({"models": [{"name": name, "model": name} for name in self.models]})

    def streams(self, seen: SeenRequest) -> bool:
        """See ScriptedProvider. Ollama's own calls stream unless they are told not to."""
        if _is_openai(seen):
            return seen.json.get("stream", False)
        return seen.path in _STREAMS and seen.json.get("stream", True)

    def whole(self, seen: SeenRequest) -> Mapping[str, Any]:
        """See ScriptedProvider. The older `embeddings` tells no usage, as Ollama's does not."""
        if _is_openai(seen):
            embeds = seen.path.endswith("/embeddings")
            return openai.embeddings(seen.json) if embeds else openai_chat.whole(seen.json)
        if seen.path == "/api/show":
            return {"details": {"family": "scripted"}, "model_info": {}, "capabilities": ["tools"]}
        if seen.path == "/api/pull":
            self.ends(seen)
            return ollama_pull.ending(self._in_library(seen))
        if seen.path == "/api/embed":
            return _embedded(seen.json)
        if seen.path == "/api/embeddings":
            return {"embedding": list(VECTOR)}
        turn = _turn(seen)
        return _line(seen, Turn((turn.text,), turn.call), done=True)

    def pieces(self, seen: SeenRequest) -> tuple[list[bytes], bytes]:
        """See ScriptedProvider. A tool's call comes in one line, as Ollama parses it whole."""
        if _is_openai(seen):
            return openai_chat.pieces(seen.json)
        if seen.path == "/api/pull":
            wanted = self._in_library(seen)
            lines = ollama_pull.progress(wanted)
            return [ndjson(line) for line in lines], ndjson(ollama_pull.ending(wanted))
        turn = _turn(seen)
        turns = [Turn((text,)) for text in turn.pieces] if turn.call is None else [turn]
        lines = [ndjson(_line(seen, part, done=False)) for part in turns]
        return lines, ndjson(_line(seen, Turn(()), done=True))

    def ends(self, seen: SeenRequest) -> None:
        """See ScriptedProvider. A model is there before its pull says so."""
        wanted = self._in_library(seen) if seen.path == "/api/pull" else None
        if wanted is not None:
            self.models = tuple(dict.fromkeys((*self.models, wanted)))

    def _in_library(self, seen: SeenRequest) -> str | None:
        """The whole name of the model that is to be pulled; None when there is none."""
        wanted = ollama_pull.canonical(ollama_pull.named(seen.json))
        return wanted if wanted in self.library else None

    def stream_error(self, seen: SeenRequest) -> bytes:
        """See ScriptedProvider."""
        if seen.path == "/api/pull":
            return ndjson({"error": self.pull_error})
        return sse(openai.error(500, _FAILED)) if _is_openai(seen) else ndjson({"error": _FAILED})


def _is_openai(seen: SeenRequest) -> bool:
    return seen.path.startswith("/v1/")


def _turn(seen: SeenRequest) -> Turn:
    if seen.path != "/api/chat":
        return next_turn((), None)
    functions = [tool["function"] for tool in listed(seen.json.get("tools"))]
    tools = [Tool(f["name"], f.get("parameters") or {}) for f in functions]
    last = last_of(seen.json.get("messages"))
    return next_turn(tools, last["content"] if last.get("role") == "tool" else None)


def _line(seen: SeenRequest, turn: Turn, *, done: bool) -> Mapping[str, Any]:
    line: dict[str, Any] = {"model": seen.json["model"], "created_at": NOW, "done": done}
    if seen.path == "/api/chat":
        line["message"] = {"role": "assistant", "content": turn.text, **_called(turn)}
    else:
        line["response"] = turn.text
    if done:
        counts = {"prompt_eval_count": INPUT_TOKENS, "eval_count": OUTPUT_TOKENS}
        line |= {"done_reason": "stop", **counts, **_DURATIONS}
    return line


def _called(turn: Turn) -> Mapping[str, Any]:
    if turn.call is None:
        return {}
    function = {"name": turn.call.name, "arguments": turn.call.arguments}
    return {"tool_calls": [{"function": function}]}


def _embedded(call: Any) -> Mapping[str, Any]:
    texts = listed(call["input"]) or [call["input"]]
    vectors = [list(VECTOR) for _ in texts]
    return {"model": call["model"], "embeddings": vectors, "prompt_eval_count": INPUT_TOKENS}
