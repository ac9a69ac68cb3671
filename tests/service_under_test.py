"""A real service process between a real database, a real broker and a clearinghouse that says what the test wants."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import asyncpg
from bus import Event, subject_of
from bus.event import encode
from bus.jetstream import connect, ensure_streams
from google.protobuf.message import Message
from kernel.identifiers import journey_id, uuid7

START_S = 60
WAIT_S = 30


class Clearinghouse:
    """Answers real-time questions as `answer` does: a text, or a status when it returns a number. Keeps what came."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[str], str | int] = lambda text: 503
        self.wait_s = 0.0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(outer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["content-length"])).decode()
                outer.asked.append(text)
                time.sleep(outer.wait_s)
                answer = outer.answer(text)
                body = answer.encode() if isinstance(answer, str) else b""
                self.send_response(200 if isinstance(answer, str) else answer)
                self.send_header("content-type", "application/edi-x12")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        return Handler


@dataclass
class ServiceUnderTest:
    """One running service with what surrounds it. `schema` is its name in snake_case."""

    schema: str
    grpc_port: int
    owner_url: str
    nats_url: str
    clearinghouse: Clearinghouse
    folder: Path

    def written(self) -> str:
        """Everything that the process has written to its log and its spans so far."""
        return "".join(file.read_text() for file in [self.folder / "log", *self.folder.glob("traces/*")])

    async def publish(self, kind: str, body: Message, tenant: str, key: str, **fields: Any) -> Event:
        """Puts a fact on the stream, as the relay of its producer would. `times` sends it more than once."""
        times, trace_id = fields.pop("times", 1), journey_id()
        event = Event(
            event_id=uuid7(),
            type=kind,
            tenant=tenant,
            journey_id=fields.pop("journey", journey_id()),
            ordering_key=key,
            version=fields.pop("version", 1),
            occurred_at=datetime.now(UTC),
            causation_id="",
            body=body,
            trace={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"},
        )
        client = await connect(self.nats_url, "test")
        await ensure_streams(client.jetstream())
        for _ in range(times):
            headers = {"Nats-Msg-Id": uuid7(), **event.trace}
            await client.jetstream().publish(subject_of(kind, key), encode(event), headers=headers)
        await client.close()
        return event

    async def rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """As the database's owner, who sees every tenant."""
        conn = await asyncpg.connect(self.owner_url, server_settings={"search_path": self.schema})
        try:
            found: list[asyncpg.Record] = await conn.fetch(query, *arguments)
            return found
        finally:
            await conn.close()

    async def told(self, tenant: str, count: int) -> list[asyncpg.Record]:
        """The facts of a tenant in order, as soon as there are so many."""
        query = "select type, envelope, trace from outbox where tenant = $1 order by position"
        async with asyncio.timeout(WAIT_S):
            while len(found := await self.rows(query, tenant)) < count:  # noqa: ASYNC110 - a database is asked
                await asyncio.sleep(0.1)
        return found


@contextmanager
def running_service(name: str, platform: Any, folder: Path, **settings: str) -> Iterator[ServiceUnderTest]:
    """Starts `python -m <package>` and stops it afterwards."""
    schema, clearinghouse = name.replace("-", "_"), Clearinghouse()
    ready, log = folder / "run" / f"{name}.json", folder / "log"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RCM_")} | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "RCM_POSTGRES_URL": platform.url_for(name),
        "RCM_NATS_URL": platform.nats_url,
        "RCM_RUN_DIR": str(folder / "run"),
        "RCM_TRACES_DIR": str(folder / "traces"),
        "RCM_CLEARINGHOUSE_URL": clearinghouse.url,
        **settings,
    }
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", schema], env=environment, stdout=out, stderr=out)
    try:
        port = _wait_until_ready(process, ready, log)
        yield ServiceUnderTest(schema, port, platform.owner_url, platform.nats_url, clearinghouse, folder)
    finally:
        process.terminate()
        process.wait(30)
        clearinghouse.close()


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> int:
    end = time.monotonic() + START_S
    while not ready.exists():
        assert process.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.05)
    return int(json.loads(ready.read_text())["grpc"])
