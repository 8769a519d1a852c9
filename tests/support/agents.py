"""Agents that the end-to-end tests send: no requirements unless they say so."""

from __future__ import annotations

ASK = '''
import json, os, urllib.request

def run(query):
    """Ask the offered model once, with nothing but the standard library."""
    print("asking", os.environ["SEATRIAL_MODEL"], flush=True)
    body = {"model": os.environ["SEATRIAL_MODEL"], "stream": False,
            "messages": [{"role": "user", "content": query}],
            "options": {"temperature": 0, "num_predict": 24}}
    request = urllib.request.Request(os.environ["OLLAMA_HOST"] + "/api/chat",
                                     json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["message"]["content"]
'''

ECHO = """
def run(query):
    print("working on", query, flush=True)
    return "echo: " + query
"""

SLOW = '''
import time

def run(query):
    """Count tenths of seconds aloud, as many as the query says."""
    for tick in range(int(query)):
        print("tick", tick, flush=True)
        time.sleep(0.1)
    return "counted to " + query
'''

STUBBORN = """
import signal, time

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)

def run(query):
    print("not stopping", flush=True)
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""

OLLAMA = """
import os
import ollama

def run(query):
    answer = ollama.chat(model=os.environ["SEATRIAL_MODEL"], stream=False,
                         messages=[{"role": "user", "content": query}],
                         options={"temperature": 0, "num_predict": 24})
    return answer.message.content
"""


def files(source: str) -> dict[str, str]:
    """The files of a request with only an agent.py."""
    return {"agent.py": source}
