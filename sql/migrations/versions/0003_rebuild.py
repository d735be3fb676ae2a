"""Rebuilding what was read from the bytes: see 0003_rebuild.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0003"
down_revision = "0002"
upgrade = sql_beside(__file__)
