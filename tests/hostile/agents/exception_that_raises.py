# An exception that cannot be shown.
class Shy(Exception):
    def __str__(self): raise RuntimeError("no")
    __repr__ = __str__
def run(query):
    raise Shy
