"""Bytes to rows: headers, addresses, dates, parts, text, defects. No I/O, no SQL.

`reading.read` is the one entry: it never raises, whatever the bytes are.
"""
