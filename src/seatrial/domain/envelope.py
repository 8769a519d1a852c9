"""How a sealed credential is written down. Pure: who seals and who opens do their own sums.

`seatrial1.KEY.EPHEMERAL.BOX`, each part after the version in base64url without padding (the key's
id as it is). The box is ChaCha20-Poly1305 under a key used once: HKDF-SHA256 of the X25519
agreement between a fresh ephemeral key and the gateway's, salted with both public keys. Since
no key is used twice the nonce is zero. Whom and what it is for is authenticated with it, so a
box moved to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

VERSION = "seatrial1"
PURPOSE = b"seatrial credential 1"
"""What the key is derived for."""

NONCE = bytes(12)
KEY_BYTES = 32


@dataclass(frozen=True)
class Envelope:
    """The parts of a sealed credential."""

    key_id: str
    ephemeral: bytes
    box: bytes

    def __str__(self) -> str:
        """Write it."""
        return ".".join((VERSION, self.key_id, encoded(self.ephemeral), encoded(self.box)))

    @classmethod
    def parse(cls, text: str) -> Envelope:
        """Read it. ValueError when it is none, or one of another version."""
        parts = text.split(".")
        if len(parts) != 4 or parts[0] != VERSION:
            raise ValueError("this is no sealed credential of a known version")
        ephemeral, box = decoded(parts[2]), decoded(parts[3])
        if len(ephemeral) != KEY_BYTES:
            raise ValueError("this sealed credential is damaged")
        return cls(parts[1], ephemeral, box)


def key_id(public: bytes) -> str:
    """A public key's id: the beginning of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def bound_to(owner: str, name: str, provider: str, key: str) -> bytes:
    """What is authenticated with a box: whose it is and what for."""
    return json.dumps([VERSION, owner, name, provider, key]).encode()


def encoded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """The bytes of base64, in either alphabet, padded or not. ValueError."""
    plain = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise ValueError("this is not base64") from None
