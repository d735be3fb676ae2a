"""All we know of POP3 (RFC 1939, 2449, 2595, 5034), and nothing of archives.

Sans-I/O: `framing`, `replies`, `refusals` and `protocol` turn bytes into events and values; `auth` and
`scram` choose how to log in and say what it takes; `presets` knows providers. `connection` moves the
bytes, `login` goes from the greeting to the mailbox, `session` is what the pipeline uses.
"""
