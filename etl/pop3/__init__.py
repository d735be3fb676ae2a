"""All we know of POP3 (RFC 1939, 2449, 2595), and nothing of archives.

`framing`, `replies` and `protocol` are sans-I/O: bytes in, events out. `connection`
moves the bytes, `auth` chooses how to log in, `session` is what the pipeline uses.
"""
