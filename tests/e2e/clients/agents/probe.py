"""Sent along with every agent here: the models, the tool, and the notes that become its answer."""

import asyncio
import inspect
import json
import subprocess
import sys
import time

CLAUDE = "eu.anthropic.claude-sonnet-4-6-v1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0"
TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-multilingual-v3"

HELLO = "hello"
WRONG = "hello [mode: bad_request]"
"""The service refuses this question."""


def endless(client):
    """A question whose answer stops after its first piece; it names who asked."""
    return f"for {client} [mode: gated]"


def weather(city: str) -> str:
    """The weather in a city."""
    return f"21 degrees in {city}"


PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
"""The schema of `weather`, for clients that want it written."""


class Notes:
    """What each client did, by client and kind of call."""

    def __init__(self):
        self._found = {}

    def take(self, client, **calls):
        """Make the calls; what one raises is what it did."""
        found = self._found.setdefault(client, {})
        for kind, call in calls.items():
            try:
                found[kind] = call()
            except Exception as error:
                found[kind] = f"{type(error).__module__}.{type(error).__name__}: {told(error)}"

    async def take_async(self, client, **calls):
        """The same for coroutines."""
        found = self._found.setdefault(client, {})
        for kind, call in calls.items():
            try:
                value = call()
                found[kind] = await value if inspect.isawaitable(value) else value
            except Exception as error:
                found[kind] = f"{type(error).__module__}.{type(error).__name__}: {told(error)}"

    def written(self):
        """All of it."""
        return json.dumps(self._found)


def told(error):
    """The text of an exception and of those that caused it."""
    texts = []
    while error is not None and len(texts) < 5:
        texts.append(str(error))
        error = error.__cause__ or error.__context__
    return " | ".join(texts)


def leave_after_first(pieces, close):
    """Read one piece, close the stream; the time of day at which that was."""
    next(iter(pieces))
    close()
    return time.time()


async def leave_after_first_async(pieces):
    """The same for an asynchronous stream, whose own end closes what it reads from."""
    async for _ in pieces:
        break
    await pieces.aclose()
    return time.time()


async def leave_by_cancelling(pieces):
    """Cancel the task that reads, once the first piece is there."""
    first = asyncio.Event()

    async def read():
        async for _ in pieces:
            first.set()

    task = asyncio.create_task(read())
    await first.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return time.time()


def leave_by_dying(code):
    """Run code in an interpreter of its own, and kill it once it has printed: it has its piece.

    A fork would not do: the clients' threads hold locks that nobody in the child gives back.
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        printed = child.stdout.read(1)
        child.kill()
    if not printed:
        raise RuntimeError("it ended before its first piece")
    return time.time()
