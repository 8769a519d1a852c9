"""From the name that code imports to the distribution that installs it. Pure."""

from __future__ import annotations

import re

_DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,98}[A-Za-z0-9])?", re.ASCII)

_OWN_WORDS = """
app backend base client clients common config configs constants core data db helper helpers lib
libs llm logger memory models modules nodes prompt prompts schema schemas server service
services settings shared skills src state states tasks tool tools util utilities utils workflow
workflows
"""
_OWN = frozenset(_OWN_WORDS.split())
_OWN_FORM = re.compile(r"my_.*|.*_(tools|utils|helpers|prompts|config|settings)|(local|own)_.*")


def is_own(module: str) -> bool:
    """Whether a module is, by its name, a file of the author's rather than a package.

    To name such a one in the requirements would install a stranger's package.
    """
    top = module.partition(".")[0].lower()
    return top not in _NAMES and (top in _OWN or _OWN_FORM.fullmatch(top) is not None)


def distribution_of(module: str) -> str:
    """The distribution of a module, by a kept list and else by its own name.

    Empty for a name that no distribution can have.

    >>> distribution_of("yaml"), distribution_of("google.cloud.storage"), distribution_of("httpx")
    ('pyyaml', 'google-cloud-storage', 'httpx')
    """
    parts = module.split(".")
    for count in range(min(3, len(parts)), 0, -1):
        found = _NAMES.get(".".join(parts[:count]))
        if found:
            return found
    return parts[0] if _DISTRIBUTION.fullmatch(parts[0]) else ""


_TABLE = """
Bio biopython
Crypto pycryptodome
Cryptodome pycryptodomex
Levenshtein levenshtein
MySQLdb mysqlclient
OpenSSL pyopenssl
PIL pillow
Xlib python-xlib
a2a a2a-sdk
agents openai-agents
attr attrs
autogen ag2
autogen_agentchat autogen-agentchat
autogen_core autogen-core
autogen_ext autogen-ext
azure.ai.inference azure-ai-inference
azure.identity azure-identity
azure.search azure-search-documents
azure.storage.blob azure-storage-blob
bedrock_agentcore bedrock-agentcore
bs4 beautifulsoup4
crewai_tools crewai-tools
cv2 opencv-python-headless
dateutil python-dateutil
discord discord.py
docx python-docx
dotenv python-dotenv
duckduckgo_search duckduckgo-search
exa_py exa-py
faiss faiss-cpu
firecrawl firecrawl-py
fitz pymupdf
flask_cors flask-cors
git gitpython
github pygithub
google.adk google-adk
google.auth google-auth
google.cloud.aiplatform google-cloud-aiplatform
google.cloud.bigquery google-cloud-bigquery
google.cloud.firestore google-cloud-firestore
google.cloud.storage google-cloud-storage
google.genai google-genai
google.generativeai google-generativeai
google google-genai
google_auth_oauthlib google-auth-oauthlib
googleapiclient google-api-python-client
googlesearch googlesearch-python
haystack haystack-ai
jose python-jose
jwt pyjwt
langchain_anthropic langchain-anthropic
langchain_aws langchain-aws
langchain_chroma langchain-chroma
langchain_cohere langchain-cohere
langchain_community langchain-community
langchain_core langchain-core
langchain_experimental langchain-experimental
langchain_google_genai langchain-google-genai
langchain_groq langchain-groq
langchain_huggingface langchain-huggingface
langchain_mcp_adapters langchain-mcp-adapters
langchain_mistralai langchain-mistralai
langchain_ollama langchain-ollama
langchain_openai langchain-openai
langchain_postgres langchain-postgres
langchain_tavily langchain-tavily
langchain_text_splitters langchain-text-splitters
langgraph_supervisor langgraph-supervisor
langgraph_swarm langgraph-swarm
llama_cpp llama-cpp-python
llama_index llama-index
llama_index.core llama-index-core
llama_parse llama-parse
magic python-magic
mem0 mem0ai
mysql.connector mysql-connector-python
nacl pynacl
notion_client notion-client
opentelemetry opentelemetry-api
opentelemetry.sdk opentelemetry-sdk
pandas_ta pandas-ta
phi phidata
pkg_resources setuptools<81
pptx python-pptx
psycopg2 psycopg2-binary
pydantic_ai pydantic-ai
pydantic_settings pydantic-settings
PyPDF2 pypdf2
qdrant_client qdrant-client
ruamel ruamel.yaml
semantic_kernel semantic-kernel
sentence_transformers sentence-transformers
serial pyserial
serpapi google-search-results
skimage scikit-image
sklearn scikit-learn
slack_bolt slack-bolt
slack_sdk slack-sdk
slugify python-slugify
socks pysocks
speech_recognition speechrecognition
strands strands-agents
strands_tools strands-agents-tools
tavily tavily-python
telegram python-telegram-bot
tree_sitter tree-sitter
vertexai google-cloud-aiplatform
weaviate weaviate-client
websocket websocket-client
wikipediaapi wikipedia-api
win32com pywin32
yaml pyyaml
youtube_transcript_api youtube-transcript-api
zmq pyzmq
"""

_ROWS = [line.partition(" ") for line in _TABLE.splitlines() if line]
_NAMES = {name: package for name, _, package in _ROWS}
"""Import names, as far as they differ from the distribution's or lie below a shared name."""
