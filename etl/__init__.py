"""popvault: POP3 mailboxes into a Postgres archive that can prove itself.

pipeline    the story: archive_shard(), archive_mailbox() from login to QUIT
listing     what a mailbox holds, and what of it the archive lacks; retrieval: what comes off the wire;
            visit: what both share
intake      between sockets and database; large: messages too large to hold; hosts: sessions at once
pop3/       all we know of POP3, without a clock or a database
mime/       bytes to headers, parts, addresses, dates, defects
archive/    all we know of Postgres: ledger, loader, search, verify
parsers     the processes that parse beside the download; parsing: what each of them does
config      the only reader of environment and files; places finds the line of a key
tokens      OAuth access tokens
cli         the popvault command; __main__ starts it
airflow/    the only folder that knows Airflow
"""

__version__ = "0.1.0"
