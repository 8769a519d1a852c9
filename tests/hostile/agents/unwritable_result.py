# A result that refers to itself, nests without end and refuses to be shown.
class Refuses:
    def __str__(self): raise RuntimeError("not shown")
    __repr__ = __str__
def run(query):
    nested = []
    for _ in range(100_000): nested = [nested]
    loop = {}; loop["self"] = loop
    return [nested, loop, Refuses(), float("nan"), 10**5000]
