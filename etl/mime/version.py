"""What rows say they were read by. Importing it loads no parser."""

from importlib.metadata import version

# Raise the last number when a reading changes.
PARSER = f"mail-parser {version('mail-parser')}, popvault 9"
