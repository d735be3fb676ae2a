"""Threads, and how a message was sent: see 0003_threads.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0003"
down_revision = "0002"
upgrade = sql_beside(__file__)
