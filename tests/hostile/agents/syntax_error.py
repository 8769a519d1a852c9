# outcome 'syntax error' with line, before any model call
def agent(x):
    return (x +
print("never"
