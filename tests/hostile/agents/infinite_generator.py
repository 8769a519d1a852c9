# An answer without an end.
def run(query):
    while True: yield "again and " * 1000
