"""What parts hold: nested messages, reports, events, packed files: see 0008_content.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0008"
down_revision = "0007"
upgrade = sql_beside(__file__)
