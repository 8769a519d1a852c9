# gets EOF at once, does not hang
try: print("got",repr(input("password: ")))
except EOFError as e: print("EOF")
