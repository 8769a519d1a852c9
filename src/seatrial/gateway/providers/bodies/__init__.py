"""The closed descriptions of the bodies that each provider's operations take."""
