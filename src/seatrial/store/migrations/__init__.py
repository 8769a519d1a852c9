"""The migrations of the database, run by `migrate.upgrade`."""
