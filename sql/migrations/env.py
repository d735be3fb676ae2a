"""Alembic's way in: it runs on the connection that `etl.archive.migrations` hands it."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], version_table="migration", version_table_schema="ops"
)
with context.begin_transaction():
    context.run_migrations()
