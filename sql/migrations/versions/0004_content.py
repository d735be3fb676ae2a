"""What parts hold: nested messages, reports, events, packed files: see 0004_content.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0004"
down_revision = "0003"
upgrade = sql_beside(__file__)
