"""The popvault command. Each command is a few lines over the functions that the DAGs call too.

Exit codes: 0 all well, 1 something was left undone or did not verify, 2 wrong usage or configuration.

command     the command of which the others are parts; how errors are told
screen      what a person sees
archiving   init, check, run, enrol, status
finding     search, show, label, save
asking      query, dictionary, dsn, stop
proving     export, verify, rebuild
granting    grant, revoke, rights
"""

from etl.cli import archiving, asking, finding, granting, proving
from etl.cli.command import main

__all__ = ["archiving", "asking", "finding", "granting", "main", "proving"]
