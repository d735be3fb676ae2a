"""Threads, and how a message was sent: see 0002_threads.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0002"
down_revision = "0001"
upgrade = sql_beside(__file__)
