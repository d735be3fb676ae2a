"""README says of the servers what the tests declare and prove."""

from tests.servers.every import PLACE, README, proved_on


def test_readme_has_the_table_that_the_servers_declare():
    """Where it differs, `python -m tests.servers.every` writes it anew."""
    assert PLACE.findall(README.read_text()) == [proved_on()]
