"""Everything of a running stack that somebody could observe without being allowed to see patients.

What belongs to the databases themselves (tables, the bodies of facts, object contents) is left out: it is guarded as
patient data. Their names, subjects, headers and logs are not.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
from bus.jetstream import connect
from canary_marks import Place
from cli.stack import Stack
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo
from nats.js.errors import NotFoundError

DATABASES = ("postgres", "nats/jetstream")
PAGE = 500
# Tables whose columns are metadata of facts and of their deaths: names and reasons, never bodies.
METADATA = {
    "outbox": "type, subject, trace",
    "dead_letter": "type, reason",
    "timer": "kind, trace",
}


def files(folder: Path, kind: str, pattern: str = "*") -> Iterator[Place]:
    """What stands in the files of a folder."""
    for file in sorted(folder.glob(pattern)):
        if file.is_file():
            yield Place(kind, file.name, file.read_bytes())


def names(stack: Stack) -> Place:
    """Names of files and folders, those inside the databases apart."""
    inside = tuple(str(stack.folder / one) + "/" for one in DATABASES)
    found = [str(path) for path in stack.folder.rglob("*")]
    streams = (stack.folder / "nats" / "jetstream").glob("*/*/*")
    shown = [name for name in found if not name.startswith(inside)] + [str(path) for path in streams]
    return Place("file names", "of the stack", "\n".join(shown).encode())


def processes(stack: Stack) -> Place:
    """Command lines of all processes that this one has started, and of the servers with their children."""
    parents: dict[int, int] = {}
    lines: dict[int, bytes] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat, line = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
        lines[int(folder.name)] = line.replace(b"\0", b" ")
    ours = {os.getpid(), *(process.pid for process in stack.processes.values())}
    ours |= {pid for pid, line in lines.items() if str(stack.folder).encode() in line}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    ours.discard(os.getpid())
    return Place("command lines", "of all processes", b"\n".join(lines.get(pid, b"") for pid in sorted(ours)))


async def metrics(stack: Stack) -> list[Place]:
    """What every service tells a scraper, in both texts."""
    found = []
    async with httpx.AsyncClient(timeout=20) as http:
        for file in sorted(stack.run_dir.glob("*.json")):
            port = json.loads(file.read_text()).get("metrics")
            for accept in ("text/plain", "application/openmetrics-text") if port else ():
                answer = await http.get(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
                found.append(Place("metrics", f"{file.stem} ({accept})", answer.content))
    return found


async def broker(stack: Stack) -> list[Place]:
    """Streams, consumers, subjects, headers, message ids, buckets and the names of objects; bodies are not looked at,
    except the advisories', which the server itself writes."""
    client = await connect(stack.nats_url, "canary")
    try:
        js = client.jetstream()
        return [place for info in await js.streams_info() async for place in _stream(client, js, info)]
    finally:
        await client.close()


async def _stream(client: Client, js: JetStreamContext, info: StreamInfo) -> AsyncIterator[Place]:
    name = str(info.config.name)
    consumers = await js.consumers_info(name)
    said = [repr(info.config), *(repr(one.config) + str(one.name) for one in consumers)]
    yield Place("stream and consumers", name, "\n".join(said).encode())
    told, headers, bodies = [], [], []
    async for subject, header, body in _messages(js, name):
        told.append(subject.encode())
        headers.append(json.dumps(header).encode())
        if name == "RCM_ADVISORIES" or (subject.startswith("$O.") and ".M." in subject):
            bodies.append(body)
    yield Place("subjects", name, b"\n".join(told))
    yield Place("headers and message ids", name, b"\n".join(headers))
    yield Place("advisories and object names", name, b"\n".join(bodies))


async def _messages(js: JetStreamContext, stream: str) -> AsyncIterator[tuple[str, dict[str, str], bytes]]:
    """All messages of a stream, by a consumer that is gone afterwards."""
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, inactive_threshold=30)
    left = (await js.stream_info(stream)).state.messages
    if not left:
        return
    made = await js.add_consumer(stream, config)
    puller = await js.pull_subscribe_bind(consumer=str(made.name), stream=stream)
    try:
        while left > 0:
            for message in await puller.fetch(min(left, PAGE), timeout=5):
                left -= 1
                yield message.subject, dict(message.headers or {}), message.data
    except TimeoutError:
        return  # what was counted has been pruned meanwhile
    finally:
        try:
            await js.delete_consumer(stream, str(made.name))
        except NotFoundError:
            left = 0


async def metadata(stack: Stack) -> list[Place]:
    """Subjects, reasons and trace contexts beside facts in the database, and what its activity view shows."""
    connection = await asyncpg.connect(stack.owner_url)
    try:
        found = [
            Place(
                "activity", "queries", await _text(connection, "select query, application_name from pg_stat_activity")
            )
        ]
        tables = await connection.fetch(
            "select schemaname, tablename from pg_tables where tablename = any($1)", [*METADATA]
        )
        for schema, table in tables:
            text = await _text(connection, f"select {METADATA[table]} from {schema}.{table}")
            found.append(Place("metadata", f"{schema}.{table}", text))
        return found
    finally:
        await connection.close()


async def _text(connection: asyncpg.Connection, sql: str) -> bytes:
    rows = await connection.fetch(sql)
    return "\n".join(" ".join(str(value) for value in row) for row in rows).encode()


async def everything(stack: Stack) -> list[Place]:
    """All of it, as it is now."""
    return [
        *files(stack.traces_dir, "span file"),
        *files(stack.logs_dir, "log"),
        *files(stack.folder, "log", "*.log"),
        *files(stack.folder / "nats", "log", "*.log"),
        *files(stack.run_dir, "ready file", "*.json"),
        names(stack),
        processes(stack),
        *await metrics(stack),
        *await broker(stack),
        *await metadata(stack),
    ]
