"""What parts hold: nested messages, reports, events, packed files: see 0007_content.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0007"
down_revision = "0006"
upgrade = sql_beside(__file__)
