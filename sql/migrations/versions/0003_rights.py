"""Rights, seals, verifications and dispositions: see 0003_rights.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0003"
down_revision = "0001"
upgrade = sql_beside(__file__)
