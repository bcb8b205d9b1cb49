"""Alembic migrations of the database; `Database.upgrade` runs them."""
