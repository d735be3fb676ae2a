"""Threads, and how a message was sent: see 0008_threads.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0008"
down_revision = "0007"
upgrade = sql_beside(__file__)
