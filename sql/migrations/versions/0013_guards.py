"""Dispositions beside loaders, downloads and verifications; guards recorded: see 0013_guards.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0013"
down_revision = "0012"
upgrade = sql_beside(__file__)
