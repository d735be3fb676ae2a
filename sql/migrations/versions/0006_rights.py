"""Rights, seals, verifications and dispositions: see 0006_rights.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0006"
down_revision = "0005"
upgrade = sql_beside(__file__)
