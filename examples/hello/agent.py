"""The smallest agent: one function that asks its model once."""

import os

import ollama


def run(query: str) -> str:
    """Answer the query with the model that the test offers."""
    print(f"Asking {os.environ['SEATRIAL_MODEL']}: {query}")
    answer = ollama.chat(
        model=os.environ["SEATRIAL_MODEL"],
        messages=[{"role": "user", "content": query}],
        options={"temperature": 0, "num_predict": 60},
    )
    return answer.message.content
