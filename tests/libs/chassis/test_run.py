"""A whole service as its own process: it starts, rides out its database and broker, stops in order, or says why not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import psycopg
import pytest
from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from chassis.embedded.process import wait_until
from chassis.migrations import migrate
from platform_fixture import Platform

APP = '''
"""Only in tests."""
import asyncio
import grpc
from chassis import Parts, Runtime, Service, ServiceSettings, call_of, http_app, run

async def build(runtime: Runtime) -> Parts:
    class Notes:
        async def write(self, request, context):
            async with runtime.database.unit(call_of(context).tenant) as unit:
                await unit.conn.execute("insert into note (note_id) values ($1)", request.decode())
                return str(await unit.conn.fetchval("select count(*) from note")).encode()

    def add(servicer, server):
        method = grpc.unary_unary_rpc_method_handler(servicer.write)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("probe.v1.Notes", {"Write": method}),))

    rounds = []
    async def stumble():
        rounds.append(1)
        if len(rounds) < 3:
            raise RuntimeError("DOE^JANE")
        runtime.log.info("background goes on", count=len(rounds))
        await asyncio.sleep(3600)

    async def note_due(unit, timer):
        await unit.conn.execute("insert into note (note_id) values ($1)", timer.key)

    return Parts(grpc=((add, Notes()),), grpc_names=("probe.v1.Notes",), http=http_app(runtime, "probe"),
                 background=(stumble,), timers={"note": note_due})

SERVICE = Service("probe-service", ServiceSettings, build, "probe_service.migrations")

if __name__ == "__main__":
    run(SERVICE)
'''


@dataclass
class Running:
    """One service process and what it has written."""

    process: subprocess.Popen[bytes]
    ready_file: Path
    log_file: Path

    def ports(self) -> dict[str, int]:
        assert wait_until(lambda: self.ready_file.exists() or self.process.poll() is not None, 40), self.log_text()
        assert self.process.poll() is None, self.log_text()
        found: dict[str, int] = json.loads(self.ready_file.read_text())
        return found

    def log_text(self) -> str:
        return self.log_file.read_text()

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log_text().splitlines()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


Start = Callable[..., Running]


@pytest.fixture
def start(probe_package: Path, tmp_path: Path) -> Iterator[Start]:
    (probe_package.parent.parent / "__main__.py").write_text(APP)
    started: list[Running] = []

    def begin(**settings: str) -> Running:
        path = os.pathsep.join([str(probe_package.parent.parent.parent), *filter(None, sys.path)])
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RCM_")}
        environment = clean | {"PYTHONPATH": path, "RCM_RUN_DIR": str(tmp_path / "run")} | settings
        log_file = tmp_path / f"log-{len(started)}"
        with log_file.open("wb") as out:
            command = [sys.executable, "-m", "probe_service"]
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        started.append(Running(process, tmp_path / "run" / "probe-service.json", log_file))
        return started[-1]

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait(10)


def _write(port: int, note: str, tenant: str = "demo", within_s: float = 5.0) -> int:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/probe.v1.Notes/Write")
        return int(call(note.encode(), timeout=within_s, metadata=[("rcm-tenant", tenant)]))


TRY_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def _is_away(port: int) -> bool:
    """Whether a write is put off. Connections of a killed server may live on for a moment."""
    try:
        _write(port, f"meanwhile-{time.monotonic_ns()}")
    except grpc.RpcError as error:
        assert error.code() in TRY_AGAIN, error  # type: ignore[attr-defined]
        return True
    return False


@pytest.mark.parametrize(("sql_spans", "name"), [("transaction", "transaction"), ("statement", "insert")])
def test_it_starts_serves_and_stops(
    start: Start, probe: str, platform: Platform, tenant: str, tmp_path: Path, sql_spans: str, name: str
) -> None:
    traces = tmp_path / "traces"
    servers = {"RCM_POSTGRES_URL": probe, "RCM_NATS_URL": platform.nats_url}
    running = start(**servers, RCM_TRACES_DIR=str(traces), RCM_SQL_SPANS=sql_spans)
    ports = running.ports()
    assert ports["pid"] == running.process.pid
    assert httpx.get(f"http://127.0.0.1:{ports['http']}/healthz", timeout=5).status_code == 200
    assert [_write(ports["grpc"], note, tenant) for note in ("a", "b")] == [1, 2]
    assert _write(ports["grpc"], "a", f"{tenant}-other") == 1
    _schedule(platform, tenant)
    assert wait_until(lambda: _notes(platform, tenant) == 3, 10)
    assert wait_until(lambda: "background goes on" in running.events(), 10)
    assert running.stop() == 0
    assert not running.ready_file.exists()
    assert running.events()[-2:] == ["stopping", "stopped"]
    assert running.events().count("task failed") == 2
    assert "DOE^JANE" not in running.log_text()
    spans = [json.loads(line) for line in (traces / "probe-service.jsonl").read_text().splitlines()]
    calls = [span for span in spans if span["name"] == "/probe.v1.Notes/Write"]
    queries = [span for span in spans if span["name"].lower() == name]
    assert len(calls) == 3
    assert {query["trace_id"] for query in queries} >= {call["trace_id"] for call in calls}
    assert not any("db.query.text" in span["attributes"] or "db.statement" in span["attributes"] for span in spans)


def test_it_shows_its_metrics_on_a_port_of_their_own(
    start: Start, probe: str, platform: Platform, tenant: str, tmp_path: Path
) -> None:
    servers = {"RCM_POSTGRES_URL": probe, "RCM_NATS_URL": platform.nats_url, "RCM_TRACES_DIR": str(tmp_path / "traces")}
    running = start(**servers)
    ports = running.ports()
    assert _write(ports["grpc"], "a", tenant) == 1
    address = f"http://127.0.0.1:{ports['metrics']}"
    assert httpx.get(f"{address}/healthz", timeout=5).status_code == 200

    def page() -> str:
        return httpx.get(f"{address}/metrics", headers={"accept": "application/openmetrics-text"}, timeout=5).text

    assert wait_until(lambda: "rcm_bus_outbox_pending 0" in page(), 10), page()
    lines = page().splitlines()
    called = 'rpc_server_duration_seconds_count{rpc_method="Write",rpc_response_status_code="OK",rpc_service='
    assert sum(line.startswith(called) for line in lines) == 1
    assert any(line.startswith("rpc_server_duration_seconds_bucket") and "trace_id=" in line for line in lines)
    assert {'rcm_db_pool_used{rcm_pool="app"} 0.0', 'rcm_timer_overdue{rcm_timer_kind="note"} 0.0'} <= set(lines)
    assert any(line.startswith("target_info{") and 'service_name="probe-service"' in line for line in lines)
    assert tenant not in page()
    assert running.stop() == 0


def test_metrics_may_be_off(start: Start, probe: str, platform: Platform) -> None:
    running = start(RCM_POSTGRES_URL=probe, RCM_NATS_URL=platform.nats_url, RCM_METRICS="off")
    assert running.ports()["metrics"] is None
    assert running.stop() == 0


def test_it_rides_out_a_collector_that_never_answers(start: Start, probe: str, platform: Platform, tenant: str) -> None:
    servers = {"RCM_POSTGRES_URL": probe, "RCM_NATS_URL": platform.nats_url}
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections wait in its backlog for ever
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        running = start(**servers, RCM_OTLP_ENDPOINT=url)
        port = running.ports()["grpc"]
        assert [_write(port, str(number), tenant) for number in range(200)] == list(range(1, 201))
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0, running.log_text()
    events = [json.loads(line) for line in running.log_text().splitlines()]
    assert sum("logger" in event for event in events) <= 3, events
    assert running.events()[-1] == "stopped"


def _schedule(platform: Platform, tenant: str) -> None:
    with psycopg.connect(platform.owner_url) as conn:
        insert = "insert into probe_service.timer (tenant, kind, key, due_at) values (%s, 'note', 'later', now())"
        conn.execute(insert, (tenant,))


def _notes(platform: Platform, tenant: str) -> int:
    with psycopg.connect(platform.owner_url) as conn:
        row: Any = conn.execute("select count(*) from probe_service.note where tenant = %s", (tenant,)).fetchone()
    return int(row[0])


def test_it_rides_out_its_database_and_its_broker(start: Start, probe_package: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="rcm-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        postgres, nats = EmbeddedPostgres(Path(name) / "pg", durable=False), EmbeddedNats(Path(name) / "nats")
        with postgres, nats:
            migrate(postgres.owner_url, ["probe-service"])
            running = start(RCM_POSTGRES_URL=postgres.url_for("probe-service"), RCM_NATS_URL=nats.url)
            port = running.ports()["grpc"]
            assert _write(port, "before") == 1
            for server in (postgres, nats):
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
            assert wait_until(lambda: _is_away(port), 20), running.log_text()
            postgres.start()
            nats.start()
            assert wait_until(lambda: not _is_away(port), 40), running.log_text()
            assert running.process.poll() is None
            assert running.stop() == 0


def _refusal(running: Running) -> str:
    assert running.process.wait(40) == 2, running.log_text()
    return running.log_text().splitlines()[-1]


def test_it_starts_without_a_broker(start: Start, probe: str, tenant: str) -> None:
    running = start(RCM_POSTGRES_URL=probe, RCM_NATS_URL="nats://127.0.0.1:1")
    assert _write(running.ports()["grpc"], "a", tenant) == 1
    assert running.stop() == 0


def test_a_missing_setting_is_one_line(start: Start) -> None:
    running = start(RCM_POSTGRES_URL="postgresql://nowhere")
    line = _refusal(running)
    assert line.startswith("cannot start: RCM_NATS_URL is not set")
    assert len(running.log_text().splitlines()) == 1


def test_a_wrong_revision_is_refused(start: Start, probe: str, later_version: str) -> None:
    line = _refusal(start(RCM_POSTGRES_URL=probe, RCM_NATS_URL="nats://127.0.0.1:1"))
    assert "probe_service is at revision 0001" in line
    assert f"needs {later_version}" in line
    assert "throughline migrate" in line


def test_a_login_that_is_not_there_is_refused(start: Start, platform: Platform) -> None:
    url = platform.login_url.format(user="nobody_we_know")
    assert "throughline migrate" in _refusal(start(RCM_POSTGRES_URL=url, RCM_NATS_URL="nats://127.0.0.1:1"))


def test_a_database_that_never_comes_is_refused(start: Start) -> None:
    url = "postgresql://probe_service@127.0.0.1:1/throughline"
    running = start(RCM_POSTGRES_URL=url, RCM_NATS_URL="nats://127.0.0.1:1", RCM_CONNECT_TIMEOUT_S="1")
    assert "did not answer within 1 s" in _refusal(running)


def test_a_signal_while_starting_ends_it(start: Start) -> None:
    running = start(RCM_POSTGRES_URL="postgresql://probe_service@127.0.0.1:1/x", RCM_NATS_URL="nats://127.0.0.1:1")
    assert wait_until(lambda: "waiting for postgres" in running.log_text(), 30)
    assert running.stop() == 0
