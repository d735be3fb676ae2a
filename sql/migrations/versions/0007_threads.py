"""Threads, and how a message was sent: see 0007_threads.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0007"
down_revision = "0006"
upgrade = sql_beside(__file__)
