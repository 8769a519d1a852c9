"""The use cases, one per file. They take ports and values and know no HTTP."""
