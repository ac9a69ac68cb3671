"""Marks inside the line: facts that nobody can handle, calls that are refused, and a database that echoes values."""

from __future__ import annotations

import asyncio
import importlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import rcm
from bus.flow import DEAD_PREFIX, subject_of
from bus.jetstream import connect
from canary_marks import Marks, Place
from chassis import open_channel
from cli.client import Place as Address
from cli.stack import Stack
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from rcm.engine.v1.engine_pb2 import EncounterFinished
from rcm.event.v1.envelope_pb2 import Envelope

# Which service answers for a package of protos.
OWNERS = {
    "engine": "interface-engine", "eligibility": "eligibility", "priorauth": "prior-auth", "coding": "coding",
    "charge": "charge-capture", "claims": "claims-gateway", "remittance": "remittance", "journey": "journey",
}  # fmt: skip
HEARD = ("coding", "journey")
ECHO = """
create or replace function public.canary_echo() returns trigger language plpgsql as $$
declare
    said text := new::text;
    word text := tg_argv[0];
    code text := tg_argv[1];
begin
    if position(word in said) > 0 or position(encode(convert_to(word, 'utf8'), 'hex') in said) > 0 then
        raise exception using
            errcode = code,
            message = 'duplicate key value violates unique constraint "canary": ' || word,
            detail = 'Key (value)=(' || said || ') already exists.', hint = word;
    end if;
    return new;
end $$
"""


def marked(marks: Marks, kind: type[Message], key: str, depth: int = 0) -> Message:
    """A message with a mark in every text and every bytes field."""
    made = kind()
    for one in kind.DESCRIPTOR.fields:
        name = f"{key}.{one.name}"
        if one.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            text: Any = marks.word(name) if one.type == FieldDescriptor.TYPE_STRING else marks.word(name).encode()
            _set(made, one, text)
        elif one.type == FieldDescriptor.TYPE_MESSAGE and depth < 3 and not _is_map(one):
            inner = marked(marks, GetMessageClass(one.message_type), key, depth + 1)
            if inner.ByteSize():
                (getattr(made, one.name).append if _many(one) else getattr(made, one.name).CopyFrom)(inner)
    return made


def _many(one: FieldDescriptor) -> bool:
    return bool(one.is_repeated) if hasattr(one, "is_repeated") else one.label == FieldDescriptor.LABEL_REPEATED


def _is_map(one: FieldDescriptor) -> bool:
    return bool(one.message_type.GetOptions().map_entry)


def _set(made: Message, one: FieldDescriptor, value: Any) -> None:
    if _many(one):
        getattr(made, one.name).append(value)
    else:
        setattr(made, one.name, value)


def procedures() -> Iterator[tuple[str, MethodDescriptor]]:
    """Every procedure of every service, and who answers it."""
    modules = {f"rcm.{file.parent.parent.name}.{file.parent.name}.{file.stem}" for root in rcm.__path__
               for file in Path(root).glob("*/v1/*_pb2.py")}  # fmt: skip
    for module in sorted(modules):
        found = importlib.import_module(module).DESCRIPTOR
        for service in found.services_by_name.values():
            owner = OWNERS[found.package.split(".")[1]]
            yield from ((owner, method) for method in service.methods)


@dataclass
class Calls:
    """Calls every procedure with marks in it and keeps what the refusals say, trailing metadata included."""

    stack: Stack
    marks: Marks
    said: list[Place]
    sent: list[bytes]
    refused: int = 0

    async def run(self) -> None:
        address = Address.read(self.stack.folder / "stack.json")
        channels = {name: open_channel(place) for name, place in address.grpc.items()}
        try:
            for owner, method in procedures():
                if not (method.client_streaming or method.server_streaming):
                    await self._call(channels[owner], method)
        finally:
            await asyncio.gather(*(channel.close() for channel in channels.values()))

    async def _call(self, channel: grpc.aio.Channel, method: MethodDescriptor) -> None:
        kind, path = GetMessageClass(method.input_type), f"/{method.containing_service.full_name}/{method.name}"
        call = channel.unary_unary(
            path,
            request_serializer=kind.SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        tenants = {"known": "demo", "of another": self.marks.word("tenant").lower(), "not named": ""}
        for label, tenant in tenants.items():
            metadata = (("rcm-tenant", tenant), ("idempotency-key", self.marks.word("grpc key"))) if tenant else ()
            request = marked(self.marks, kind, f"grpc.{method.name}")
            self.sent.append(request.SerializeToString() + repr(metadata).encode())
            try:
                await call(request, timeout=10, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                self.refused += 1
                trailing = error.trailing_metadata() or ()
                text = "\n".join(
                    [str(error.code()), str(error.details()), *(f"{key}={value!r}" for key, value in trailing)]
                )
                self.said.append(Place("gRPC error", f"{path} ({label})", text.encode()))


def strange_facts(marks: Marks) -> Iterator[tuple[str, bytes]]:
    """Messages on the stream that no service can take: a name for each, and the bytes."""

    def envelope(name: str, **more: Any) -> bytes:
        made: dict[str, Any] = {
            "event_id": str(uuid.uuid4()),
            "type": "encounter.finished",
            "tenant": "demo",
            "ordering_key": f"Encounter/{marks.word(f'fact.{name}.key')}",
            "schema_version": 1,
        }
        if "body" not in more:
            made["body"] = marked(marks, EncounterFinished, f"fact.{name}").SerializeToString()
        return Envelope(**(made | more)).SerializeToString()

    word = marks.word
    yield "unknown version", envelope("unknown version", schema_version=99)
    yield "unknown type", envelope("unknown type", type=f"patient.{word('fact.type').lower()}")
    yield "marked id", envelope("marked id", event_id=word("fact.id"), schema_version=99)
    yield "marked tenant", envelope("marked tenant", tenant=word("fact.tenant"), schema_version=99)
    yield "unreadable body", envelope("unreadable body", body=b"\x0a\xff" + word("fact.unreadable").encode())
    yield "marked body", envelope("marked body", journey_id=uuid.uuid4().hex)
    yield "marked journey", envelope("marked journey", journey_id=word("fact.journey").lower())
    yield "lost body", envelope("lost body", body=b"", body_ref=word("fact.body reference"))
    yield "no envelope", f"{word('fact.no envelope')} {word('fact.really none')}".encode()
    yield (
        "empty envelope",
        Envelope(type=word("fact.only type"), body=word("fact.only body").encode()).SerializeToString(),
    )


async def publish_strange(stack: Stack, marks: Marks) -> list[bytes]:
    """Puts them on the stream; the bytes that went."""
    client = await connect(stack.nats_url, "canary")
    try:
        sent = [raw for _, raw in strange_facts(marks)]
        for raw in sent:
            await client.jetstream().publish(subject_of("encounter.finished", "x"), raw)
        return sent
    finally:
        await client.close()


async def deaths(stack: Stack) -> int:
    """How many messages lie in the dead-letter stream."""
    client = await connect(stack.nats_url, "canary")
    try:
        info = await client.jetstream().stream_info("RCM_DEAD", subjects_filter=f"{DEAD_PREFIX}.>")
        return int(info.state.messages)
    finally:
        await client.close()


def _code(program: str) -> str:
    """A unique violation; the engine's own writes meet those every day and are done again, so there it is another."""
    return "23514" if program == "interface-engine" else "23505"


async def make_database_echo(stack: Stack, marks: Marks) -> dict[str, str]:
    """From now on every table of a service refuses rows that hold its word, with the row in the error's text."""
    words = {}
    connection = await asyncpg.connect(stack.owner_url)
    try:
        await connection.execute(ECHO)
        await connection.execute("grant execute on function public.canary_echo() to public")
        for program in stack.programs():
            schema = program.replace("-", "_")
            words[program] = marks.word(f"echo.{program}")
            tables = await connection.fetch("select tablename from pg_tables where schemaname = $1", schema)
            for row in tables:
                await connection.execute(
                    f'create trigger canary before insert or update on {schema}."{row["tablename"]}" '
                    f"for each row execute function public.canary_echo('{words[program]}', '{_code(program)}')"
                )
    finally:
        await connection.close()
    return words
