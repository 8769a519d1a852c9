"""Programs that run inside build containers. Sent there as text, never imported here."""
