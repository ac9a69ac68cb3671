"""The embedded servers come back after being killed, with what they had."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from chassis.embedded.process import wait_until


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rcm-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


def _count(url: str) -> int:
    with psycopg.connect(url) as conn:
        row = conn.execute("select count(*) from kept").fetchone()
    return int(row[0]) if row else -1


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_postgres_survives_being_killed(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg") as postgres:
        with psycopg.connect(postgres.owner_url) as conn:
            conn.execute("create table kept (a int)")
            conn.execute("insert into kept values (1)")
        first = postgres.pid
        _kill(first)
        assert wait_until(lambda: postgres.pid is None, within_s=10)
        assert (folder / "pg" / "postmaster.pid").exists()
        postgres.start()
        assert postgres.pid not in (None, first)
        assert _count(postgres.owner_url) == 1
        assert EmbeddedPostgres(folder / "pg").start().pid == postgres.pid
    assert postgres.pid is None


def test_a_pid_file_that_names_somebody_else_is_not_believed(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg", durable=False):
        pass
    stale = f"{os.getpid()}\n{folder / 'pg'}\n1\n5432\n{folder}\n\n0 0\nready\n"
    (folder / "pg" / "postmaster.pid").write_text(stale)
    postgres = EmbeddedPostgres(folder / "pg", durable=False)
    assert postgres.pid is None
    with postgres:
        assert postgres.pid not in (None, os.getpid())


def test_postgres_is_open_to_nobody_else(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg", durable=False) as postgres, psycopg.connect(postgres.owner_url) as conn:
        assert conn.execute("show listen_addresses").fetchone() == ("",)
        assert conn.execute("show max_connections").fetchone() == ("300",)
        sockets = Path(str(conn.info.host))
        assert sockets.stat().st_mode & 0o077 == 0
        assert postgres.url_for("claims-gateway").startswith("postgresql://claims_gateway@/")


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    postgres = EmbeddedPostgres(folder / ("deep" * 25) / "pg")
    assert len(postgres.owner_url.split("host=")[1]) <= 80


def test_failed_statements_leave_no_values_in_the_log(folder: Path) -> None:
    with EmbeddedPostgres(folder / "pg", durable=False) as postgres, psycopg.connect(postgres.owner_url) as conn:
        with pytest.raises(psycopg.DataError):
            conn.execute("select cast(%s as int)", ("DOE^JANE",))
        conn.rollback()
    assert "DOE^JANE" not in (folder / "pg.log").read_text()


def test_nats_keeps_its_port_when_killed(folder: Path) -> None:
    with EmbeddedNats(folder / "nats") as nats:
        url, first = nats.url, nats.pid
        _kill(first)
        assert wait_until(lambda: nats.pid is None, within_s=10)
        nats.start()
        assert (nats.url, nats.pid == first) == (url, False)
        assert EmbeddedNats(folder / "nats").start().pid == nats.pid
        with socket.create_connection(("127.0.0.1", nats.port), timeout=5) as conn:
            assert b'"jetstream":true' in conn.makefile("rb").readline()
    assert nats.pid is None
