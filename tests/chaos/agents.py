"""The agents of a chaos run, and what each has to leave."""

from __future__ import annotations

from tests.support import agents

from .plan import Kind, Planned

ASKS = '''
import json, os, time, urllib.request

def run(query):
    """Ask the model three times and say so."""
    body = {"model": os.environ["SEATRIAL_MODEL"], "stream": False,
            "messages": [{"role": "user", "content": "hello"}]}
    for number in range(3):
        request = urllib.request.Request(os.environ["OLLAMA_HOST"] + "/api/chat",
                                         json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            json.load(answer)["message"]["content"]
        print("answer", number, flush=True)
        time.sleep(int(query) / 30)
    return "asked with " + query
'''

RAISES = '''
import time

def run(query):
    """Fail by itself, a little later."""
    time.sleep(int(query) / 10)
    raise KeyError("its own fault")
'''

_SOURCES: dict[Kind, str] = {
    "counts": agents.SLOW,
    "installs": agents.SLOW,
    "is cancelled": agents.SLOW,
    "overruns": agents.SLOW,
    "asks": ASKS,
    "raises": RAISES,
}
MODEL = "ollama:scripted"
OVERRUN_TICKS = 6000
OVERRUN_SECONDS = 2
CANCELLED_TICKS = 100


def fields(planned: Planned) -> dict[str, object]:
    """What is submitted for it."""
    return {
        "files": {"agent.py": _SOURCES[planned.kind]},
        "query": str(_ticks(planned)),
        "name": f"{planned.number}: {planned.kind}",
        "model": MODEL if planned.kind == "asks" else "none",
        "requirements": f"{planned.requirements}\n" if planned.requirements else "",
        "timeout_seconds": OVERRUN_SECONDS if planned.kind == "overruns" else 120,
    }


def output(planned: Planned) -> str:
    """Everything that it prints, when nothing ends it early."""
    if planned.kind == "asks":
        return "".join(f"answer {number}\n" for number in range(3))
    if planned.kind == "raises":
        return ""
    return "".join(f"tick {tick}\n" for tick in range(_ticks(planned)))


def response(planned: Planned) -> str:
    """What it answers in the end."""
    return f"{'asked with' if planned.kind == 'asks' else 'counted to'} {_ticks(planned)}"


def _ticks(planned: Planned) -> int:
    if planned.kind == "overruns":
        return OVERRUN_TICKS
    return CANCELLED_TICKS if planned.kind == "is cancelled" else planned.ticks
