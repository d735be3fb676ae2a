"""Threads, and how a message was sent: see 0005_threads.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0005"
down_revision = "0004"
upgrade = sql_beside(__file__)
