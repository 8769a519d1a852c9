"""Programs that run inside containers as agents do. Sent there as text, never imported here."""
