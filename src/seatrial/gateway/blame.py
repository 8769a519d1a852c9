"""Maps what an upstream did to the failure catalogue. Pure."""

from __future__ import annotations

import asyncio

import aiohttp

from .addresses import AddressRefused
from .providers.base import error_text, parse_object

UNREACHABLE = "model.unreachable"
LOST = "model.lost_mid_stream"
SERVER_ERROR = "model.server_error"
RATE_LIMITED = "model.rate_limited"
QUOTA = "model.quota"

_BY_STATUS = {
    400: "model.bad_request",
    401: "model.auth_failed",
    402: QUOTA,
    403: "model.access_denied",
    404: "model.not_found",
    405: "model.bad_request",
    413: "model.bad_request",
    415: "model.bad_request",
    422: "model.bad_request",
    429: RATE_LIMITED,
    503: RATE_LIMITED,
    529: RATE_LIMITED,
}
_QUOTA_WORDS = ("insufficient_quota", "exceeded your current quota", "credit balance is too low")


def of_status(status: int, body: bytes) -> str | None:
    """The catalogue entry for an answer; None when it is no error.

    `body` is the beginning of the answer: some services tell a used-up quota from a rate
    limit only there.
    """
    if status < 400:
        return None
    if status in {403, 429} and any(word.encode() in body for word in _QUOTA_WORDS):
        return QUOTA
    return _BY_STATUS.get(status, SERVER_ERROR if status >= 500 else "model.bad_request")


def message_of(status: int, body: bytes) -> str:
    """What the provider said about its error, at most 500 characters."""
    value = parse_object(body)
    told = error_text(value) if value is not None else None
    if told is None and value is not None and isinstance(value.get("message"), str):
        told = value["message"]
    text = told or body.decode("utf-8", "replace").strip()
    return f"{status}: {text[:500]}" if text else str(status)


def of_connection(error: BaseException, address: str) -> str:
    """One sentence about why an upstream did not answer."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        if isinstance(error.os_error, AddressRefused):
            return f"No call may go to {address}: {error.os_error}."
        return f"The name in {address} cannot be resolved."
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return f"No trusted TLS connection to {address}: {error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"Nothing answers at {address} ({error.strerror or error})."
    if isinstance(error, asyncio.TimeoutError):
        return f"{address} did not answer in time."
    return f"{address} closed the connection before it answered."
