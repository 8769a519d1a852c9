"""Tells webhooks that tests have ended: signed, again and again for a while, and nobody else.

What is to be told stands in the database, so a restart forgets nothing; a message may come
twice, always with the same `webhook-id`. No redirect is followed and no proxy is used: the
connection goes to the address that was checked.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import httpx

from seatrial.domain.addresses import forbidden
from seatrial.domain.errors import NotFound, PlatformError
from seatrial.domain.ports import Store
from seatrial.domain.webhooks import Delivery, body_of, headers_of, pause_after, secret_of

log = logging.getLogger(__name__)

AT_ONCE = 16
_SECONDS = 10.0
_HOLD_SECONDS = 60.0
_GONE = 410


class Refused(Exception):
    """The webhook may not or will not be told, now or later; the text says why."""


class WebhookSender:
    """Sends what is due, as long as `run` runs."""

    def __init__(self, store: Store, key: bytes, *, may_be_private: bool) -> None:
        """Signs with secrets that follow from `key`; `may_be_private` allows private addresses."""
        self._store = store
        self._key = key
        self._may_be_private = may_be_private
        self._sending = 0
        self._trusted = ssl.create_default_context()

    async def run(self) -> None:
        """Send until cancelled. What is cut off then is sent again by whoever runs next."""
        async with asyncio.TaskGroup() as tasks, aclosing(self._store.wakeups()) as wakeups:
            async for _ in wakeups:
                for delivery in await self._due():
                    self._sending += 1
                    tasks.create_task(self._deliver(delivery))

    async def _due(self) -> Sequence[Delivery]:
        room = AT_ONCE - self._sending
        try:
            return (
                await self._store.due_webhooks(limit=room, hold_seconds=_HOLD_SECONDS)
                if room
                else ()
            )
        except PlatformError as error:
            log.warning("webhooks wait for the database: %s", error)
            return ()

    async def _deliver(self, delivery: Delivery) -> None:
        """One attempt and its report."""
        try:
            await self._report(delivery, *await self._attempt(delivery))
        except NotFound:
            log.info("test %s was removed before its webhook was told", delivery.test_id)
        except PlatformError as error:
            # The hold runs out by itself, and it is due again.
            log.warning("the webhook of %s waits for the database: %s", delivery.test_id, error)
        finally:
            self._sending -= 1

    async def _attempt(self, delivery: Delivery) -> tuple[int | None, str, bool]:
        """The answer's status, what went wrong, and whether trying again may help."""
        body = body_of(await self._store.test(delivery.owner, delivery.test_id))
        secret = secret_of(self._key, delivery.owner)
        headers = headers_of(secret, delivery.test_id, datetime.now(UTC), body)
        try:
            async with asyncio.timeout(_SECONDS):
                status = await self._post(httpx.URL(delivery.url), headers, body)
        except Refused as error:
            return None, str(error), False
        except TimeoutError:
            return None, f"It did not answer within {_SECONDS:.0f} s.", True
        except (httpx.HTTPError, OSError, ValueError) as error:
            return None, f"It could not be reached ({type(error).__name__}).", True
        if 200 <= status < 300:
            return status, "", True
        return status, f"It answered with status {status}.", status != _GONE

    async def _post(self, url: httpx.URL, headers: dict[str, str], body: bytes) -> int:
        address = await self._address(url)
        headers = {**headers, "host": url.netloc.decode("ascii"), "user-agent": "seatrial"}
        client = httpx.AsyncClient(
            verify=self._trusted, follow_redirects=False, trust_env=False, timeout=_SECONDS
        )
        # The certificate is checked against the name although the address is connected to.
        names = {"sni_hostname": url.host}
        async with (
            client,
            client.stream(
                "POST", url.copy_with(host=address), headers=headers, content=body, extensions=names
            ) as answer,
        ):
            return answer.status_code

    async def _address(self, url: httpx.URL) -> str:
        """The address to connect to. Refused when any that the name has may not be reached."""
        loop = asyncio.get_running_loop()
        port = url.port or (443 if url.scheme == "https" else 80)
        found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            reason = forbidden(address, may_be_private=self._may_be_private)
            if reason:
                raise Refused(
                    f"Its host has {reason}, which webhooks may not have here{_setting(address)}."
                )
        return addresses[0]

    async def _report(
        self, delivery: Delivery, status: int | None, wrong: str, again: bool
    ) -> None:
        if not wrong and status is not None:
            await self._store.webhook_delivered(delivery, status=status)
            return
        pause = pause_after(delivery.attempt) if again else None
        log.info("the webhook of %s was not told: %s", delivery.test_id, wrong)
        await self._store.webhook_failed(delivery, wrong, status=status, again_in=pause)


def _setting(address: str) -> str:
    """What would allow the address; "" for one that stays closed whatever is set."""
    if forbidden(address, may_be_private=True):
        return ""
    return " (SEATRIAL_PRIVATE_BASE_URLS=1 allows private addresses)"
