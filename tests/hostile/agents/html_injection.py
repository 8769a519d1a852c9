# Markup where a page could show it.
EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)"></textarea><a href="javascript:alert(3)">x</a>'
def run(query):
    print(EVIL, flush=True)
    return EVIL
