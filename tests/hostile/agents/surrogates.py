# Halves of characters, which no JSON text may hold.
import os, sys
def run(query):
    sys.stdout.reconfigure(errors="surrogatepass")
    print("printed \ud83d half", flush=True)
    os.write(1, b"\xed\xa0\xbd raw\n")
    return {"half \udfff": "value \ud800", "whole": "\U0001F600"}
