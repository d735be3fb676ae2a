"""Addresses found by a tree: see 0014_addresses.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0014"
down_revision = "0013"
upgrade = sql_beside(__file__)
