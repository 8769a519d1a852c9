"""Messages of AWS's event streams, encoded; botocore itself only decodes them."""

from __future__ import annotations

import binascii
import json
import struct
from collections.abc import Mapping
from typing import Any


def encode_event(kind: str, payload: Mapping[str, Any], *, exception: bool = False) -> bytes:
    """One message of an event stream, with both its sums."""
    names = (":exception-type", "exception") if exception else (":event-type", "event")
    headers = {":message-type": names[1], names[0]: kind, ":content-type": "application/json"}
    head = b"".join(
        bytes([len(name)])
        + name.encode()
        + b"\x07"
        + struct.pack("!H", len(value))
        + value.encode()
        for name, value in headers.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    whole = prelude + struct.pack("!I", binascii.crc32(prelude)) + head + body
    return whole + struct.pack("!I", binascii.crc32(whole))
