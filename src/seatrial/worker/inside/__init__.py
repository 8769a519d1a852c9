"""Programs of the worker that run inside a container."""
