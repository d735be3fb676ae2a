"""The index of words in smaller rows: see 0015_words.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0015"
down_revision = "0014"
upgrade = sql_beside(__file__)
