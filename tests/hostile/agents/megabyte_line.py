# One line of a megabyte.
def run(query):
    print("begin" + "m" * 1_000_000 + "end", flush=True)
    return "done"
