"""Many tests through faults that a seed chooses; what must hold afterwards holds for each."""
