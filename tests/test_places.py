"""Lines of keys in a TOML text."""

from etl import places

TEXT = '''\
# head
[defaults]
host = "h"

[[mailbox]]
name = "a"
password.env = "X"
[mailbox.oauth]  # of a
scope = "s"
text = """
[[mailbox]]
name = "not a key"
"""

[[mailbox]]
"name" = "b"
password = { env = "X" }
'''


def test_each_key_has_its_line():
    """Tables, arrays of tables, sub-tables, dotted and quoted keys; not what stands in a string."""
    assert places.lines(TEXT) == {
        ("defaults",): 2,
        ("defaults", "host"): 3,
        ("mailbox", 0): 5,
        ("mailbox", 0, "name"): 6,
        ("mailbox", 0, "password", "env"): 7,
        ("mailbox", 0, "oauth"): 8,
        ("mailbox", 0, "oauth", "scope"): 9,
        ("mailbox", 0, "oauth", "text"): 10,
        ("mailbox", 1): 15,
        ("mailbox", 1, "name"): 16,
        ("mailbox", 1, "password"): 17,
    }


def test_what_has_no_line_has_that_of_the_table_around():
    """A key within an inline table, a key that is missing, a table that is none."""
    found = places.lines(TEXT)
    assert places.line(found, ("mailbox", 1, "password", "env")) == 17
    assert places.line(found, ("mailbox", 0, "host")) == 5
    assert places.line(found, ("nothing", "here")) is None
