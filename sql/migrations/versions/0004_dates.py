"""Groups of addresses, and where defects lie: see 0004_dates.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0004"
down_revision = "0003"
upgrade = sql_beside(__file__)
