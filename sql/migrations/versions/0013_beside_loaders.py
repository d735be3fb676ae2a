"""Dispositions wait for loaders, and loaders for them: see 0013_beside_loaders.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0013"
down_revision = "0012"
upgrade = sql_beside(__file__)
