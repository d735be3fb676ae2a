"""Groups of addresses, and where defects lie: see 0005_dates.sql beside this file."""

from etl.archive.migrations import sql_beside

revision = "0005"
down_revision = "0004"
upgrade = sql_beside(__file__)
