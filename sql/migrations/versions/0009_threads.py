"""Threads, and how a message was sent: see 0009_threads.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0009"
down_revision = "0008"
upgrade = sql_beside(__file__)
