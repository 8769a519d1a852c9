"""Recording model calls as they pass a door, and answering from what was recorded."""
