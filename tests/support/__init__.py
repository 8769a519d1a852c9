"""Real servers for tests to run against, as fixtures."""
