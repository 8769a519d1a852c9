# A result whose structured value nests deeper than anybody reads.
import json, os, struct
def run(query):
    data = {"response": "first", "value_json": "[" * 100000 + "]" * 100000, "usage": {}, "too_large_bytes": None}
    body = json.dumps({"kind": "result", "data": data}).encode()
    for fd in range(3, 256):
        try: os.write(fd, struct.pack(">I", len(body)) + body)
        except OSError: pass
    return "second"
