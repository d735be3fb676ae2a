"""The archive, its ledger and its search: see 0001_archive.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0001"
down_revision = None
upgrade = sql_beside(__file__)
