"""The embedded Postgres: made once, then stopped and started as often as one likes."""

import shutil
from pathlib import Path

import psycopg

from etl.archive.embedded import EmbeddedPostgres


def test_it_starts_again_with_what_it_held(tmp_path: Path):
    """Stopped and started anew, maybe on another port, it has the tables that it had."""
    server = EmbeddedPostgres(tmp_path / "a home")
    try:
        with psycopg.connect(server.start()) as connection:
            connection.execute("create table kept ()")
        assert server.stop()
        assert not server.stop()
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)
    finally:
        server.stop()
        shutil.rmtree((tmp_path / "a home" / "postgres").resolve())
