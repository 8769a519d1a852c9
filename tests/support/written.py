"""Every way in which a test writes a secret, to look for it afterwards."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import quote, quote_plus


def ways(secret: str) -> Mapping[str, str]:
    """The secret as it is written by name of the encoding; worked out apart from the product."""
    raw = secret.encode()
    found = {
        "raw": secret,
        "reversed": secret[::-1],
        "lower case": secret.lower(),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "hex with colons": raw.hex(":"),
        "url": quote(secret, safe=""),
        "url form": quote_plus(secret),
        "percent": "".join(f"%{byte:02X}" for byte in raw),
        "json": json.dumps(secret),
        "json in json": json.dumps(json.dumps(secret)),
        "unicode escapes": "".join(f"\\u{ord(c):04x}" for c in secret),
        "UNICODE ESCAPES": "".join(f"\\u{ord(c):04X}" for c in secret),
        "python escapes": "".join(f"\\x{ord(c):02x}" for c in secret),
        "a list": str(list(secret)),
        "over lines": "\n".join(secret),
        "in a box": "\n".join(f"│ {secret[i : i + 4]} │" for i in range(0, len(secret), 4)),
    }
    for before in ("", "k", "k="):
        text = f"{before}{secret}&more".encode()
        found[f"base64 after {len(before)}"] = base64.b64encode(text).decode()
        found[f"urlsafe base64 after {len(before)}"] = base64.urlsafe_b64encode(text).decode()
        found[f"wrapped base64 after {len(before)}"] = base64.encodebytes(text * 3).decode()
    return found


def traces(secret: str) -> frozenset[bytes]:
    """What must stand nowhere: pieces long enough to betray the secret, lower case where hex."""
    raw = secret.encode()
    whole = [secret, secret[::-1], raw.hex(), raw.hex().upper(), quote(secret, safe="")]
    whole += ["".join(f"\\u{ord(c):04x}" for c in secret)]
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode()
        inner = coded[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        whole += [inner, inner.replace("+", "-").replace("/", "_")]
    return frozenset(text.encode() for text in whole)
