"""What the server says about its model, in Ollama's shapes: pure functions."""

from __future__ import annotations

from datetime import datetime

from .json_values import JsonObject, as_count, as_object
from .weights import FAMILY, LICENSE, MODEL_NAME, ModelFacts


def timestamp(moment: datetime) -> str:
    """`moment` in the form Ollama writes: RFC 3339 with a `Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def model_entry(facts: ModelFacts) -> JsonObject:
    """The model as `/api/tags` lists it."""
    return {
        "name": MODEL_NAME,
        "model": MODEL_NAME,
        "modified_at": timestamp(facts.modified_at),
        "size": facts.size_bytes,
        "digest": facts.digest,
        "details": model_details(facts),
    }


def model_details(facts: ModelFacts) -> JsonObject:
    """The `details` that Ollama repeats in tags, show and ps."""
    return {
        "parent_model": "",
        "format": "gguf",
        "family": FAMILY,
        "families": [FAMILY],
        "parameter_size": f"{facts.parameter_count / 1e6:.2f}M",
        "quantization_level": facts.quantization,
    }


def running_entry(facts: ModelFacts, expires_at: datetime) -> JsonObject:
    """The model as `/api/ps` lists it: always loaded, all of it in main memory."""
    entry = {name: value for name, value in model_entry(facts).items() if name != "modified_at"}
    return entry | {
        "expires_at": timestamp(expires_at),
        "size_vram": 0,
        "context_length": facts.context,
    }


def show_answer(facts: ModelFacts) -> JsonObject:
    """The answer to `/api/show`."""
    return {
        "license": LICENSE,
        "modelfile": f"# The built-in test model of Seatrial\nFROM {MODEL_NAME}\n",
        "parameters": "",
        "template": facts.chat_template,
        "details": model_details(facts),
        "model_info": {
            "general.architecture": FAMILY,
            "general.parameter_count": facts.parameter_count,
            "llama.context_length": facts.trained_context,
            "llama.embedding_length": facts.embedding_length,
            "llama.vocab_size": facts.vocabulary_size,
        },
        "capabilities": ["completion"],
        "modified_at": timestamp(facts.modified_at),
    }


def read_facts(
    file: tuple[int, str, datetime], models: JsonObject, props: JsonObject, context: int
) -> ModelFacts:
    """What the file and llama.cpp's `/v1/models` and `/props` say about the model."""
    data = models.get("data")
    meta = as_object(as_object(data[0] if isinstance(data, list) and data else None).get("meta"))
    return ModelFacts(
        *file,
        parameter_count=as_count(meta.get("n_params")) or 0,
        quantization=str(meta.get("ftype", "unknown")),
        trained_context=as_count(meta.get("n_ctx_train")) or 0,
        context=context,
        embedding_length=as_count(meta.get("n_embd")) or 0,
        vocabulary_size=as_count(meta.get("n_vocab")) or 0,
        chat_template=str(props.get("chat_template", "")),
    )
