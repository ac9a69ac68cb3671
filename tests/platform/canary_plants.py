"""Leaks made on purpose, one at each kind of place that can be observed: what the search must see."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import asyncpg
import httpx
from bus.flow import DEAD_PREFIX, DEAD_STREAM
from bus.jetstream import connect
from canary_marks import Place
from canary_run import CanaryRun
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

Plant = Callable[[CanaryRun, JetStreamContext, AsyncExitStack, str], Awaitable[None]]


async def _span(run: CanaryRun, _js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    with (run.stack.traces_dir / "coding.jsonl").open("a") as out:
        out.write(json.dumps({"name": "process", "attributes": {"http.url": f"https://x/?name={mark}&y"}}) + "\n")


async def _log(run: CanaryRun, _js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    with (run.stack.logs_dir / "coding.log").open("a") as out:
        out.write(json.dumps({"event": f"could not read {mark}."}) + "\n")


async def _server_log(run: CanaryRun, _js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    with (run.stack.folder / "nats" / "nats.log").open("a") as out:
        out.write(f"[1] slow consumer {mark}\n")


async def _metric(run: CanaryRun, _js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    page = f'rcm_journey_ended_total{{rcm_feed="{mark}"}} 1\n'.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    file = run.stack.run_dir / "planted.json"
    file.write_text(json.dumps({"metrics": server.server_address[1]}))
    stack.callback(file.unlink)


async def _subject(_run: CanaryRun, js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    await js.publish(f"{DEAD_PREFIX}.{mark}", b"")


async def _header(_run: CanaryRun, js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    await js.publish(f"{DEAD_PREFIX}.x", b"", headers={"Rcm-Reason": f"no such {mark}"})


async def _message_id(_run: CanaryRun, js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    await js.publish(f"{DEAD_PREFIX}.x", b"", headers={"Nats-Msg-Id": f"coding:{mark}"})


async def _baggage(_run: CanaryRun, js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    await js.publish(f"{DEAD_PREFIX}.x", b"", headers={"baggage": f"patient={mark},x=y"})


async def _object(_run: CanaryRun, js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    bucket = await js.create_object_store("planted-objects")
    stack.push_async_callback(js.delete_object_store, "planted-objects")
    await bucket.put(mark, b"x")


async def _key(_run: CanaryRun, js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    bucket = await js.create_key_value(bucket="planted-keys")
    stack.push_async_callback(js.delete_key_value, "planted-keys")
    await bucket.put(mark, b"x")


async def _bucket(_run: CanaryRun, js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    await js.create_key_value(bucket=mark)
    stack.push_async_callback(js.delete_key_value, mark)


async def _durable(_run: CanaryRun, js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    await js.add_consumer(DEAD_STREAM, ConsumerConfig(durable_name=mark))
    stack.push_async_callback(js.delete_consumer, DEAD_STREAM, mark)


async def _error(run: CanaryRun, _js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    run.said.append(Place("gRPC error", "planted", f"no such patient: {mark}".encode()))


async def _collector(run: CanaryRun, _js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    async with httpx.AsyncClient() as http:
        await http.post(f"{run.outside.url}/v1/traces", content=b"\x0a\x0c" + mark.encode() + b"\x12\x01x")


async def _request_line(run: CanaryRun, _js: JetStreamContext, _stack: AsyncExitStack, mark: str) -> None:
    async with httpx.AsyncClient() as http:
        await http.get(f"{run.outside.url}/x12/mailbox/planted?kinds={mark}")


async def _file_name(run: CanaryRun, _js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    file = run.stack.folder / "interface-engine" / f"{mark}.hl7"
    file.parent.mkdir(exist_ok=True)
    file.touch()
    stack.callback(file.unlink)


async def _command_line(_run: CanaryRun, _js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)", mark)
    stack.push_async_callback(process.wait)
    stack.callback(process.kill)


async def _dead_letter(run: CanaryRun, _js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    connection = await asyncpg.connect(run.stack.owner_url)
    stack.push_async_callback(connection.close)
    columns = "tenant, event_id, type, reason, envelope, died_at"
    put = f"insert into coding.dead_letter ({columns}) values ('x', 'x', 'x', $1, '', now())"
    await connection.execute(put, mark)
    stack.push_async_callback(connection.execute, "delete from coding.dead_letter where tenant = 'x'")


async def _application(run: CanaryRun, _js: JetStreamContext, stack: AsyncExitStack, mark: str) -> None:
    connection = await asyncpg.connect(run.stack.owner_url, server_settings={"application_name": mark})
    stack.push_async_callback(connection.close)


# The kind of place under which each must be found.
PLANTS: tuple[tuple[str, Plant], ...] = (
    ("span file", _span), ("log", _log), ("log", _server_log), ("metrics", _metric), ("subjects", _subject),
    ("headers and message ids", _header), ("headers and message ids", _message_id),
    ("headers and message ids", _baggage), ("advisories and object names", _object), ("subjects", _key),
    ("stream and consumers", _bucket), ("stream and consumers", _durable), ("gRPC error", _error),
    ("collector", _collector), ("request lines and headers", _request_line), ("file names", _file_name),
    ("command lines", _command_line), ("metadata", _dead_letter), ("activity", _application),
)  # fmt: skip


@asynccontextmanager
async def planted(run: CanaryRun) -> AsyncIterator[None]:
    """All leaks are there, each with a mark of its own, named after its place; gone again afterwards."""
    client = await connect(run.stack.nats_url, "canary")
    try:
        async with AsyncExitStack() as stack:
            for number, (kind, plant) in enumerate(PLANTS):
                await plant(run, client.jetstream(), stack, run.planted.word(f"{kind} {number}"))
            await asyncio.sleep(0.2)
            yield
    finally:
        await client.close()
