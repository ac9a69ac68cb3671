"""A collector that is away, silent or unwilling: the line does not notice. Each service has one of the three."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cli.demo import compare, equation_breaks
from cli.stack import PROGRAMS, Stack
from feed_messages import free_port
from stack import Run, doubled, query, run_stories, stories_of, unsent

SEED, ENCOUNTERS = 11, 40
MOST_COMPLAINTS = 20  # lines about the collector that one service may write, however much it has to tell
CLOSED, SILENT, UNWILLING = "closed", "silent", "unwilling"
# The busiest have the worst: one that takes the connection and never answers.
COLLECTOR_OF = {
    "interface-engine": SILENT, "journey": SILENT, "remittance": SILENT, "claims-gateway": CLOSED,
    "eligibility": CLOSED, "simulator": CLOSED, "coding": UNWILLING, "charge-capture": UNWILLING,
    "prior-auth": UNWILLING,
}  # fmt: skip


class SilentCollector:
    """Accepts, and never says anything."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self.connections.append(self._server.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._server.close()
        for one in self.connections:
            one.close()


class UnwillingCollector:
    """Answers 503 to everything, and counts."""

    def __init__(self) -> None:
        self.asked = Counter[str]()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(outer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                outer.asked[self.path] += 1
                self.send_response(503)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        return Handler

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Outage:
    """What came of the stories while nobody took the telemetry, and how the services ended."""

    run: Run
    asked: Counter[str]
    connections: int
    logs: dict[str, list[dict[str, Any]]]
    spans: int
    rows: dict[str, int]
    twice: list[str]
    restarts: dict[str, int]
    exits: dict[str, int | None] = field(default_factory=dict)


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    folder = tmp_path_factory.mktemp("outage")
    folder.chmod(0o711)
    with closing(SilentCollector()) as silent, closing(UnwillingCollector()) as unwilling:
        urls = {CLOSED: f"http://127.0.0.1:{free_port()}", SILENT: silent.url, UNWILLING: unwilling.url}
        extra = {name: {"RCM_OTLP_ENDPOINT": urls[kind]} for name, kind in COLLECTOR_OF.items()}
        stack = Stack(folder / "line", extra=extra)
        with stack:
            found = asyncio.run(_run(stack, folder))
            found.connections, found.asked = len(silent.connections), unwilling.asked
        found.logs = {name: _log(stack, name) for name in stack.programs()}
        found.exits = {name: process.returncode for name, process in stack.processes.items()}
        yield found


async def _run(stack: Stack, folder: Path) -> Outage:
    stories = await asyncio.to_thread(stories_of, folder / "stories", SEED, ENCOUNTERS)
    run = await run_stories(stack, stories, timeout_s=120)
    schemas = [name.replace("-", "_") for name in stack.programs() if name != "simulator"]
    async with asyncio.timeout(30):
        while await unsent(stack.owner_url, schemas):  # noqa: ASYNC110 - other processes are asked
            await asyncio.sleep(0.2)
    rows = {
        schema: (await query(stack.owner_url, f"select count(*) as n from {schema}.dead_letter"))[0]["n"]
        for schema in schemas
    }
    spans = sum(file.read_bytes().count(b"\n") for file in stack.traces_dir.glob("*.jsonl"))
    return Outage(run, Counter(), 0, {}, spans, rows, await doubled(stack.owner_url), dict(stack.restarts))


def _log(stack: Stack, name: str) -> list[dict[str, Any]]:
    """A line that is no JSON comes from a library that warned before logging was set up."""
    lines = (stack.logs_dir / f"{name}.log").read_text().splitlines()
    return [json.loads(line) if line.startswith("{") else {"logger": "none", "event": line} for line in lines]


def test_every_service_has_a_collector_that_does_not_work() -> None:
    assert COLLECTOR_OF.keys() == {program.name for program in PROGRAMS}
    assert set(COLLECTOR_OF.values()) == {CLOSED, SILENT, UNWILLING}


def test_every_encounter_settles_as_its_story_says(outage: Outage) -> None:
    assert outage.run.problems == []
    assert compare(outage.run.stories, outage.run.journeys) == []
    assert equation_breaks(outage.run.journeys) == []
    assert len(outage.run.journeys) == ENCOUNTERS


def test_nothing_is_lost_or_doubled_and_nobody_died(outage: Outage) -> None:
    assert outage.twice == []
    assert set(outage.rows.values()) == {0}
    assert outage.restarts == {}


def test_the_collectors_were_asked_and_the_files_were_written_all_the_same(outage: Outage) -> None:
    assert outage.connections > 0
    assert outage.asked["/v1/traces"] > 0
    assert outage.spans > ENCOUNTERS * 20


def test_the_logs_do_not_storm(outage: Outage) -> None:
    complaints = {
        name: sum("opentelemetry" in str(line.get("logger")) or "urllib3" in str(line.get("logger")) for line in lines)
        for name, lines in outage.logs.items()
    }
    assert {name: count for name, count in complaints.items() if count > MOST_COMPLAINTS} == {}


def test_every_service_stopped_by_itself(outage: Outage) -> None:
    assert outage.exits == dict.fromkeys(COLLECTOR_OF, 0), "a service that does not stop in time is killed: -9"
