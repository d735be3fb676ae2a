"""What is disposed of leaves the index of words: see 0010_erasure.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0010"
down_revision = "0009"
upgrade = sql_beside(__file__)
