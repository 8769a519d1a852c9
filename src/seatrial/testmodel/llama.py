"""Starts llama.cpp's own HTTP server inside this process, on a private Unix socket.

The only place that imports `xllamacpp`, a compiled module without type information.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .weights import MODEL_NAME

CONTEXT_TOKENS = 2048
"""Context of one request, prompt and answer together."""

_SLOTS = 4
# Requests beyond the slots wait inside llama.cpp, each holding one of its HTTP threads.
_HTTP_THREADS = 64


@dataclass(frozen=True)
class EngineSettings:
    """How to run the model."""

    weights: Path
    socket: Path
    """Where llama.cpp listens; must end in `.sock`, by which it tells a path from a host."""
    threads: int
    context: int = CONTEXT_TOKENS


def default_threads() -> int:
    """Half of the cores that this process may use, at least one.

    Inference threads meet at a barrier after every step: with a busy core among them all wait,
    so a machine that also runs containers answers faster with fewer threads.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // 2)


def start_engine(settings: EngineSettings) -> object:
    """Load the model and listen. Blocks until both are done (about half a second).

    The engine runs for as long as the returned object is held.
    """
    # Untyped: xllamacpp is a compiled module without stubs.
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params: Any = xllamacpp.CommonParams()
    params.model.path = str(settings.weights)
    params.model_alias = {MODEL_NAME}
    params.n_parallel = _SLOTS
    params.n_ctx = settings.context * _SLOTS  # llama.cpp divides it among the slots
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    _listen(params, settings.socket)
    _allow_embeddings(params, xllamacpp, settings.context)
    return xllamacpp.Server(params)


def _listen(params: Any, socket: Path) -> None:
    params.hostnames = [str(socket)]
    params.n_threads_http = _HTTP_THREADS
    params.ui = False
    params.endpoint_slots = False
    params.fit_params = False
    params.cache_ram_mib = 0  # the default may grow to 8 GB
    params.cache_idle_slots = False
    params.verbosity = 0


def _allow_embeddings(params: Any, xllamacpp: Any, context: int) -> None:
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_ubatch = context  # a text to embed must fit into one batch
