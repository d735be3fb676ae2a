"""A disposition takes all that tells of a message: see 0011_traces.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0011"
down_revision = "0010"
upgrade = sql_beside(__file__)
