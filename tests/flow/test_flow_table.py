"""What really listens on the broker, and what really is confirmed, is what the flow table says."""

from __future__ import annotations

import asyncio

from bus.flow import FLOW, PARTITIONS, STREAM, SUBJECT_PREFIX, heard_by
from bus.jetstream import connect
from flow_types import Line200
from nats.js.errors import NotFoundError
from stack import query

SERVICES = sorted({service for flow in FLOW for service in flow.heard_by()})


async def filters(line: Line200, durable: str) -> set[str]:
    """The subjects that a durable consumer takes; empty when there is no such consumer."""
    client = await connect(line.stack.nats_url, "test")
    try:
        info = await client.jetstream().consumer_info(STREAM, durable)
    except NotFoundError:
        return set()
    finally:
        await client.close()
    config = info.config
    return set(config.filter_subjects or [config.filter_subject])


async def test_every_service_takes_what_the_table_says_and_nothing_else(line: Line200) -> None:
    for service in SERVICES:
        for partition in range(PARTITIONS):
            wanted = {f"{SUBJECT_PREFIX}.{flow.event}.{partition}" for flow in heard_by(service)}
            assert await filters(line, f"{service}-{partition}") == wanted


async def test_what_all_consumers_have_taken_in_is_confirmed_in_every_outbox(line: Line200) -> None:
    schemas = [program.replace("-", "_") for program in line.stack.programs() if program != "simulator"]
    waiting = {}
    for _ in range(40):
        waiting = {
            schema: rows[0]["n"]
            for schema in schemas
            if (
                rows := await query(
                    line.stack.owner_url, f"select count(*) n from {schema}.outbox where confirmed_at is null"
                )
            )
            and rows[0]["n"]
        }
        if not waiting:
            break
        await asyncio.sleep(1)
    assert waiting == {}
