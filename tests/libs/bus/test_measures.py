"""What the bus counts and watches, read from the page that a scrape would see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import structlog
from bus import Consumer, Database, Event, Relay, Subscription, Unit
from bus.flow import PARTITIONS, STREAM, heard_by, partition_of
from bus.measures import Measures, Watch, type_in
from chassis.metrics import Metrics, build_metrics
from chassis.metrics_page import Page
from chassis.supervise import Tasks
from chassis.telemetry import resource_of
from kernel.clock import SystemClock
from kernel.errors import Refused, Unavailable
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from prometheus_client.parser import text_string_to_metric_families
from rcm.engine.v1.engine_pb2 import EncounterCancelled

SERVICE, EVENT = "coding", "encounter.cancelled"


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    built = build_metrics(resource_of("probe"))
    yield built
    built.shutdown()


@pytest.fixture
async def database(  # type: ignore[no-untyped-def]
    platform, probe_schema: str, tenant: str, metrics: Metrics
) -> AsyncIterator[Database]:
    owner = await asyncpg.connect(platform.owner_url)
    await owner.execute("truncate busprobe.outbox, busprobe.inbox, busprobe.blocked, busprobe.timer, busprobe.effect")
    await owner.close()
    measures = Measures(metrics.meter("throughline.bus"))
    opened = Database(platform.url_for(probe_schema), probe_schema, SystemClock(), measures=measures)
    await opened.open()
    yield opened
    await opened.close()


def values(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Label values to value, of one sample name."""
    assert metrics.page is not None
    text = Page(metrics.page).text("")[0].decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for sample in samples
        if sample.name == name
    }


async def emit(database: Database, tenant: str, key: str, number: int) -> None:
    async with database.unit(tenant) as unit:
        body = EncounterCancelled(encounter=key, encounter_key=str(number))
        await unit.emit(EVENT, body, key=key, version=number)


async def until(question: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not question():  # noqa: ASYNC110 - a page is read
            await asyncio.sleep(0.05)


async def test_facts_are_counted_by_how_their_delivery_ended(
    database: Database, broker: Client, tenant: str, metrics: Metrics
) -> None:
    failures = iter([True, False])

    async def prepare(event: Event) -> None:
        if event.body.encounter_key == "0" and next(failures, False):
            raise Unavailable("payer-away", "later", retry_after_s=0.1)

    async def handle(unit: Unit, event: Event, _prepared: Any) -> None:
        if event.body.encounter_key == "2":
            raise Refused("never", "this one is refused")
        await unit.conn.execute("insert into effect (key, number) values ($1, 1)", event.body.encounter)

    handled = "rcm_bus_handled_total"
    consumer = Consumer(database, broker, SERVICE, [Subscription(EVENT, handle, prepare)])
    assert values(metrics, "rcm_bus_dead_letters_total") == {(EVENT,): 0}
    for number in range(3):
        await emit(database, tenant, f"{tenant}/{number}", number)
    tasks = Tasks(structlog.get_logger())
    for number, work in enumerate((Relay(database, broker, SERVICE).run, consumer.run)):
        tasks.start(f"work {number}", work)
    try:
        await until(lambda: values(metrics, handled).get((EVENT, "handled")) == 2)
        await until(lambda: values(metrics, handled).get((EVENT, "dead-letter")) == 1)
        await republish(broker, database)
        await until(lambda: values(metrics, handled).get((EVENT, "duplicate")) == 2)
    finally:
        await tasks.stop()
    assert values(metrics, handled)[(EVENT, "retry")] == 1
    assert values(metrics, handled)[(EVENT, "handled")] == 2
    assert values(metrics, "rcm_bus_redeliveries_total")[(EVENT,)] >= 1
    assert values(metrics, "rcm_bus_dead_letters_total")[(EVENT,)] >= 1
    assert values(metrics, "rcm_bus_published_total")[(EVENT,)] >= 3
    assert values(metrics, "rcm_bus_handle_duration_seconds_count")[(EVENT,)] >= 3
    assert values(metrics, "rcm_bus_prepare_duration_seconds_count")[(EVENT,)] >= 3
    assert metrics.page is not None
    assert tenant not in Page(metrics.page).text("application/openmetrics-text")[0].decode()


async def republish(broker: Client, database: Database) -> None:
    """Every envelope once more, under message ids of its own."""
    async with database.relay.acquire() as conn:
        rows = await conn.fetch("select event_id, subject, envelope from outbox")
    for row in rows:
        headers = {"Nats-Msg-Id": f"again-{row['event_id']}"}
        await broker.jetstream().publish(row["subject"], row["envelope"], headers=headers)


async def listen(broker: Client, tenant: str) -> None:
    """Consumers of our own that nobody reads."""
    for partition in range(PARTITIONS):
        durable = f"watched-{tenant}-{partition}"
        config = ConsumerConfig(
            durable_name=durable,
            filter_subjects=[f"rcm.v1.{EVENT}.{partition}"],
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.NEW,
        )
        await broker.jetstream().add_consumer(STREAM, config)


async def test_what_piles_up_is_seen(database: Database, broker: Client, tenant: str, metrics: Metrics) -> None:
    js, key = broker.jetstream(), f"{tenant}/1"
    place = str(partition_of(key))
    await listen(broker, tenant)
    for number in range(3):
        await js.publish(f"rcm.v1.{EVENT}.{place}", b"x", headers={"Nats-Msg-Id": f"{tenant}-{number}"})
        await emit(database, tenant, key, number)
    now = datetime.now(UTC)
    async with database.unit(tenant) as unit:
        await unit.schedule("late", "a", now - timedelta(minutes=5))
        await unit.schedule("late", "b", now - timedelta(seconds=5))
        await unit.schedule("early", "a", now + timedelta(minutes=5))
        await unit.conn.execute("insert into blocked (ordering_key, event_id) values ($1, 'e')", key)
    async with database.relay.acquire() as conn:
        await conn.execute("update outbox set created_at = created_at - interval '1 hour'")
    client: Client | None = broker
    watch = Watch(database, lambda: client, f"watched-{tenant}", ("early", "late"))
    await watch.look()
    assert values(metrics, "rcm_bus_consumer_lag") == {
        (str(partition),): 3.0 * (str(partition) == place) for partition in range(PARTITIONS)
    }
    assert values(metrics, "rcm_bus_outbox_pending") == {(): 3}
    assert 3_600 <= values(metrics, "rcm_bus_outbox_age_seconds")[()] < 3_700
    assert values(metrics, "rcm_bus_blocked") == {(): 1}
    assert values(metrics, "rcm_timer_overdue") == {("early",): 0, ("late",): 1}
    assert values(metrics, "rcm_db_pool_size")[("app",)] >= 1
    async with database.transaction(tenant):
        assert values(metrics, "rcm_db_pool_used")[("app",)] == 1
    client = None
    await watch.look()
    assert values(metrics, "rcm_bus_consumer_lag") == {}  # unknown is not zero
    await database.relay.close()
    await watch.look()
    assert values(metrics, "rcm_bus_outbox_pending") == {}
    assert values(metrics, "rcm_timer_overdue") == {}


def test_the_type_is_taken_from_the_subject_that_we_subscribed_to() -> None:
    for flow in heard_by(SERVICE):
        assert type_in(f"rcm.v1.{flow.event}.3") == flow.event


def test_without_a_meter_nothing_is_measured_and_nothing_fails() -> None:
    measures = Measures()
    measures.subscribed([EVENT])
    measures.handled(EVENT, "dead-letter")
    with measures.handling(EVENT), measures.preparing(EVENT):
        measures.redelivered(EVENT)
    measures.see("rcm.bus.blocked", {(): 1.0})


def test_a_handler_that_fails_is_timed_too(metrics: Metrics) -> None:
    measures = Measures(metrics.meter("t"))
    with pytest.raises(ValueError, match="no"), measures.handling(EVENT):
        raise ValueError("no")
    assert values(metrics, "rcm_bus_handle_duration_seconds_count") == {(EVENT,): 1}
