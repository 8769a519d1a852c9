"""The command line, one file per noun, written over the client.

A command says what it does through a `Screen`, which escapes everything: text from a container
never reaches the terminal as it is. Only `connection`, `serve`, `worker`, `doctor` and `users`
touch `seatrial.wiring`. Heavy imports are made inside the commands, so that help is fast.
"""
