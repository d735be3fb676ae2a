"""Search by lists of messages for each term, labels, saved searches: see 0007_search.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0007"
down_revision = "0006"
upgrade = sql_beside(__file__)
