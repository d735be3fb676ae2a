"""All servers, and README's table of what was proved on them: `python -m tests.servers.every` writes it anew."""

import re
from pathlib import Path

from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.mailutils import Mailutils
from tests.servers.popa3d import Popa3d
from tests.servers.server import COLUMNS, Server
from tests.servers.solid import SolidPop3d

SERVERS: tuple[type[Server], ...] = (Dovecot, Courier, Cyrus, Mailutils, Popa3d, SolidPop3d)
README = Path(__file__).parents[2] / "README.md"
PLACE = re.compile(r"(?<=<!-- proved on -->\n).*?(?=<!-- end -->)", re.DOTALL)


def proved_on() -> str:
    """The table, as the servers declare it."""
    rows = [("server", "version", *COLUMNS, "what it does to mail by itself")]
    rows.append(("---",) * len(rows[0]))
    for server in SERVERS:
        cells = ("yes" if column in server.proves else "no" for column in COLUMNS)
        rows.append((server.name, server.version, *cells, server.alters))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    README.write_text(PLACE.sub(proved_on(), README.read_text()))
