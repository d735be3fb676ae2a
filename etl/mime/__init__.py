"""Bytes to rows: headers, addresses, dates, parts, text, defects. No I/O, no SQL.

`reading.read` takes a whole message, `large` one of any size while it streams; neither ever raises,
whatever the bytes are.
"""
