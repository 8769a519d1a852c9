"""Examples and headers for the description of the API."""

from __future__ import annotations

from typing import Any

from fastapi.openapi.models import Example

REQUESTS: dict[str, Example] = {
    "smallest": {
        "summary": "An agent without a model",
        "value": {
            "files": {"agent.py": "def run(query):\n    return query.upper()\n"},
            "model": "none",
            "query": "hello",
        },
    },
    "complete": {
        "summary": "An agent with requirements, a model and limits",
        "value": {
            "files": {
                "agent.py": (
                    "import ollama\n\n\ndef run(query):\n"
                    "    messages = [{'role': 'user', 'content': query}]\n"
                    "    return ollama.chat('llama3.2', messages).message.content\n"
                )
            },
            "requirements": "ollama>=0.4\n",
            "python": "3.11",
            "model": "ollama:llama3.2",
            "query": "Why is the sky blue?",
            "entry_point": "agent.py:run",
            "timeout_seconds": 120,
            "limits": {"memory_mb": 512, "cpus": 1.0},
            "egress": ["api.example.com:443"],
            "name": "sky",
        },
    },
}

CREDENTIALS: dict[str, Example] = {
    "openai": {
        "summary": "OpenAI",
        "value": {"provider": "openai", "api_key": "the key"},
    },
    "bedrock": {
        "summary": "AWS Bedrock",
        "value": {
            "provider": "bedrock",
            "access_key_id": "the access key id",
            "secret_access_key": "the secret access key",
            "region": "us-east-1",
        },
    },
}

RETRIES: dict[str, Example] = {
    "same": {"summary": "The same again", "value": {}},
    "replay": {"summary": "Answered from its recording", "value": {"replay": True}},
    "query": {"summary": "With another query", "value": {"query": "Why is the sea blue?"}},
}

PACKAGES: dict[str, Example] = {
    "default": {"summary": "For the target that fits the provider", "value": {}},
    "lambda": {"summary": "For AWS Lambda", "value": {"target": "lambda"}},
}

EMBEDDING: dict[str, Example] = {
    "hour": {"summary": "For an hour", "value": {"origins": ["https://app.example"]}},
    "minutes": {
        "summary": "For ten minutes",
        "value": {"origins": ["https://app.example"], "lifetime_seconds": 600},
    },
}

CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "The queued test",
        "headers": {
            "Location": {"description": "The test's own address", "schema": {"type": "string"}}
        },
    }
}
