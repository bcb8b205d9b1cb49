"""Runs the migrations on the connection that `Database.upgrade` gives, in one transaction."""

from alembic import context
from sqlalchemy import text

from serving.store.tables import Table

UPGRADE_LOCK = 7323  # of PostgreSQL: two processes that start together upgrade one after the other
UPGRADE_SECONDS = 3600.0  # that one step may take there

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Table.metadata, transactional_ddl=True)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        connection.connection.driver_connection.answer_seconds = UPGRADE_SECONDS
        connection.execute(text(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})"))
    context.run_migrations()
