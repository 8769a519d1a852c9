# An exception with a text of many megabytes, chained a hundred times.
def run(query):
    error = None
    for number in range(100):
        last, error = error, ValueError(f"boom {number} " * 20_000)
        error.__cause__ = last
    raise error
