"""Text is stored once, small attachments as blobs too: see 0002_text_once.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0002"
down_revision = "0001"
upgrade = sql_beside(__file__)
