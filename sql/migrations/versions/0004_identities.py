"""Two identities more beside the SHA-256 of the bytes: see 0004_identities.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0004"
down_revision = "0003"
upgrade = sql_beside(__file__)
