"""A package's container reads its secret as the AWS SDK would, and says why when it cannot."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from seatrial.packages.inside import aws_secrets
from seatrial.packages.inside.aws_secrets import Keys, SecretUnavailable
from seatrial.packages.inside.config import Config
from seatrial.packages.inside.environment import MissingVariables, agent_environment

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:agent-AbCdEf"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-key"}


class SecretsManager(BaseHTTPRequestHandler):
    """Answers GetSecretValue to whoever signed it as botocore does."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = SigV4Auth(
            Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], "token"),
            "secretsmanager",
            "eu-west-1",
        )
        headers = {name.lower(): value for name, value in self.headers.items()}
        named = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        request = AWSRequest(
            "POST",
            f"http://{headers['host']}/",
            headers={name: headers[name] for name in named},
            data=body,
        )
        request.context["timestamp"] = headers["x-amz-date"]
        canonical = signed.canonical_request(request)
        expected = signed.signature(signed.string_to_sign(request, canonical), request)
        good = headers["authorization"].endswith(f"Signature={expected}")
        known = json.loads(body)["SecretId"] == ARN
        answer = {"SecretString": json.dumps({"WEATHER": "sunny"})} if known else {"__type": "No"}
        self._answer(200 if good and known else 400, answer)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _answer(self, status: int, answer: object) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), SecretsManager)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def config(*secrets: str, **env: str) -> Config:
    return Config("/agent", "agent.py", "run", 10, 1000, env=env, secrets=secrets)


def test_the_secret_is_read_with_a_signature_that_botocore_takes(endpoint: str) -> None:
    own = {
        **KEYS,
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint,
        "AGENT_SECRETS_ARN": ARN,
    }
    found = agent_environment(config("WEATHER", CITY="Bonn"), own)
    assert (found["WEATHER"], found["CITY"]) == ("sunny", "Bonn")
    assert "AGENT_SECRETS_ARN" not in found
    with pytest.raises(SecretUnavailable, match="answered 400"):
        aws_secrets.fetch(ARN, {**own, "AWS_SECRET_ACCESS_KEY": "wrong"})
    with pytest.raises(SecretUnavailable, match="not the ARN of a secret"):
        aws_secrets.fetch("weather", own)


def test_the_headers_of_a_call_without_a_session_have_no_token() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    headers = aws_secrets.signed("https://x.example", b"{}", "us-east-1", Keys("k", "s"), at)
    assert "x-amz-security-token" not in headers
    assert headers["x-amz-date"] == "20260102T030405Z"
    assert headers["host"] == "x.example"


def test_what_is_not_set_is_named_and_what_is_set_wins_over_the_tested_value() -> None:
    with pytest.raises(MissingVariables, match=r"Not set: A_KEY, B_KEY\."):
        agent_environment(config("A_KEY", "B_KEY"), {"B_KEY": ""})
    assert agent_environment(config(CITY="Bonn"), {"CITY": "Rome"})["CITY"] == "Rome"
    assert agent_environment(config(CITY="Bonn"), {"CITY": ""})["CITY"] == "Bonn"


def test_an_ollama_is_found_under_the_names_that_libraries_know() -> None:
    found = agent_environment(config(), {"OLLAMA_HOST": "models.local:11434"})
    assert found["OLLAMA_API_BASE"] == "http://models.local:11434"
    assert found["OLLAMA_BASE_URL"] == "http://models.local:11434/v1"
    assert "OPENAI_BASE_URL" not in found
