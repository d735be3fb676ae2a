"""Search by lists of messages for each term, labels, saved searches: see 0002_search.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0002"
down_revision = "0001"
upgrade = sql_beside(__file__)
