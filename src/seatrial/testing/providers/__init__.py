"""Scripted model services that speak the real protocols. They invent their answers and say so.

Every answer carries the header `X-Seatrial-Scripted: yes`; what it says stands in `script`. They
are real HTTP servers on a loopback port: what talks to them talks to a service.

    async with ScriptedOllama() as ollama:
        ollama.mode = Mode.RATE_LIMITED
        ... call ollama.url ...
        assert ollama.requests[-1].path == "/api/chat"

One file per service and, where services share one or have several, one per dialect.
"""

from .anthropic import ScriptedAnthropic
from .base import Departure, ScriptedProvider, SeenRequest
from .bedrock import ScriptedBedrock
from .bedrock_control import ScriptedBedrockControl
from .bedrock_events import encode_event
from .modes import Mode, cue
from .ollama import ScriptedOllama
from .openai import ScriptedOpenAI
from .script import ARGUMENT, INPUT_TOKENS, OUTPUT_TOKENS, TEXT, VECTOR
from .sts import ScriptedSts

__all__ = [
    "ARGUMENT",
    "INPUT_TOKENS",
    "OUTPUT_TOKENS",
    "TEXT",
    "VECTOR",
    "Departure",
    "Mode",
    "ScriptedAnthropic",
    "ScriptedBedrock",
    "ScriptedBedrockControl",
    "ScriptedOllama",
    "ScriptedOpenAI",
    "ScriptedProvider",
    "ScriptedSts",
    "SeenRequest",
    "cue",
    "encode_event",
]
