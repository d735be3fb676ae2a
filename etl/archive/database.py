"""One way to a connection: the URL given, or the embedded server's."""

from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, make_url

from etl.errors import Misconfigured


def engine_for(url: str, role: str | None = None) -> Engine:
    """An engine for a Postgres URL, always by psycopg 3. role: as what its connections act, which the login may be.

    Raises Misconfigured for a URL that is none, or of another database.
    """
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except Exception as error:
        raise Misconfigured("POPVAULT_DATABASE_URL is no URL; write postgresql://user:password@host/name") from error
    if parsed.get_backend_name() != "postgresql":
        raise Misconfigured(f"POPVAULT_DATABASE_URL names {parsed.get_backend_name()}; popvault needs postgresql")
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        # A worker cut off by the network must lose its mailbox leases soon, not in two hours.
        connect_args={
            "connect_timeout": 10,
            "application_name": "popvault",
            "options": "-c timezone=UTC -c tcp_keepalives_idle=30"
            " -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3" + (f" -c role={role}" if role else ""),
        },
    )


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """psycopg's own connection below SQLAlchemy's, in the same transaction: for COPY."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found
