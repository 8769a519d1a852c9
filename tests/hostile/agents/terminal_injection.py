# Escape sequences, links, the clipboard, a title and bidirectional text, printed, raised and returned.
EVIL = ("\x1b]8;;http://evil.test/\x1b\\click\x1b]8;;\x1b\\ \x1b]52;c;ZXZpbA==\x07 \x1b]0;title\x07 \x1b[2J\x1b[31mred"
        " \x9b31mC1 \u202egnp.exe\u202c \u2066\u2069 back\b\b\b\b over\rwrite \x7f \x05 \u200b\u2028 \x1bP1$r\x1b\\")
def run(query):
    import sys
    print(EVIL, flush=True)
    sys.stderr.write(EVIL + "\n")
    return {"answer": EVIL, "\x1b[5mkey": EVIL}
