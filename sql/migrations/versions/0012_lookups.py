"""Messages by the hexadecimal of their hash, attachments by name: see 0012_lookups.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0012"
down_revision = "0011"
upgrade = sql_beside(__file__)
