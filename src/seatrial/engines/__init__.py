"""Where containers run: a folder per engine, their registry, and an engine of our own."""
