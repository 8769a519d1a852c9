# A result frame in proper form whose numbers are absurd, then an honest one.
import json, os, struct
def run(query):
    data = {"response": "first", "value_json": "[" * 5000 + "]" * 5000, "usage": {"input_tokens": 2**62, "\x1b[31m": -1},
            "too_large_bytes": None, "from_stdout": False}
    body = json.dumps({"kind": "result", "data": data}).encode()
    for fd in range(3, 256):
        try: os.write(fd, struct.pack(">I", len(body)) + body)
        except OSError: pass
    return "second"
