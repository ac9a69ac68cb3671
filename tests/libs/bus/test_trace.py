"""How a burst goes on over the broker, and what a burst that was woken leads back to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from bus import Consumer, Database, Event, Relay, Subscription, TimerHandler, TimerRunner, Unit
from bus import trace as bus_trace
from bus.trace import (
    context_of,
    continue_trace,
    current_trace,
    link_to,
    link_to_journey,
    linked_trace,
    message_attributes,
    root_span_id,
    span_within,
)
from chassis.supervise import Tasks
from kernel.errors import Refused
from nats.aio.client import Client
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id
from rcm.engine.v1.engine_pb2 import EncounterCancelled

JOURNEY = "0af7651916cd43dd8448eb211c80319c"
SLEEPING = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(bus_trace, "_TRACER", provider.get_tracer("t"))
    yield exporter
    provider.shutdown()


def test_waking_links_to_the_burst_that_slept_and_to_the_journey(spans: InMemorySpanExporter) -> None:
    with continue_trace("", "outer"), linked_trace(SLEEPING, "woken", **{"rcm.journey.id": JOURNEY}):
        assert current_trace()[3:35] not in SLEEPING
    woken, outer = spans.get_finished_spans()
    assert woken.parent is None
    assert woken.context.trace_id != outer.context.trace_id
    assert [format_trace_id(link.context.trace_id) for link in woken.links] == [SLEEPING[3:35], JOURNEY]
    assert format_span_id(woken.links[1].context.span_id) == root_span_id(JOURNEY)
    assert all(link.context.is_remote and link.context.trace_flags.sampled for link in woken.links)


@pytest.mark.parametrize("journey", ["", "0" * 32, "journey", JOURNEY.upper(), JOURNEY + "0"])
def test_what_is_no_journey_gets_no_link(spans: InMemorySpanExporter, journey: str) -> None:
    with linked_trace("", "woken", **{"rcm.journey.id": journey}):
        pass
    assert link_to_journey(journey) == []
    assert [list(span.links) for span in spans.get_finished_spans()] == [[]]


def test_a_short_wait_of_our_own_goes_on_in_its_trace(spans: InMemorySpanExporter) -> None:
    with continue_trace(SLEEPING, "goes on", **{"rcm.count": 1}):
        assert current_trace().startswith(SLEEPING[:36])
    (span,) = spans.get_finished_spans()
    assert span.parent is not None
    assert span.parent.is_remote
    assert format_span_id(span.parent.span_id) == SLEEPING[36:52]
    assert not span.links


@pytest.mark.parametrize("broken", ["", "nonsense", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", SLEEPING[:40]])
def test_a_broken_context_begins_anew(spans: InMemorySpanExporter, broken: str) -> None:
    assert link_to(broken) == []
    with continue_trace(broken, "begins"):
        pass
    (span,) = spans.get_finished_spans()
    assert span.parent is None
    assert not context_of(broken)


def test_a_transaction_has_a_span_where_there_is_a_trace_and_none_where_we_poll(spans: InMemorySpanExporter) -> None:
    with span_within("transaction", {"db.namespace": "coding"}):
        assert current_trace() == ""
    assert spans.get_finished_spans() == ()
    with span_within("transaction", {"db.namespace": "coding"}, context_of(SLEEPING)):
        assert current_trace().startswith(SLEEPING[:36])
    with continue_trace(SLEEPING, "outer"), span_within("transaction", {"db.namespace": "coding"}):
        pass
    given, inner, outer = spans.get_finished_spans()
    assert (given.name, given.kind, dict(given.attributes or {})) == (
        "transaction",
        SpanKind.CLIENT,
        {"db.namespace": "coding"},
    )
    assert inner.parent is not None and outer.context is not None
    assert inner.parent.span_id == outer.context.span_id


def test_a_root_span_id_is_derived_and_its_own() -> None:
    assert root_span_id(JOURNEY) == root_span_id(JOURNEY)
    assert len({root_span_id(f"{number:032x}") for number in range(1_000)}) == 1_000
    assert len(root_span_id(JOURNEY)) == 16
    assert int(root_span_id(JOURNEY), 16) > 0


def test_a_message_span_names_a_template_and_a_kind_of_the_conventions() -> None:
    assert message_attributes("prepare", "rcm.v1.claim.built", "process") == {
        "messaging.system": "nats",
        "messaging.operation.name": "prepare",
        "messaging.operation.type": "process",
        "messaging.destination.template": "rcm.v1.claim.built",
    }
    assert message_attributes("send", "x")["messaging.operation.type"] == "send"


async def _settled(works: list[Any], question: Any) -> None:
    tasks = Tasks(structlog.get_logger())
    for number, work in enumerate(works):
        tasks.start(f"work {number}", work)
    try:
        async with asyncio.timeout(20):
            while not question():  # noqa: ASYNC110 - spans come when they come
                await asyncio.sleep(0.05)
    finally:
        await tasks.stop()


async def test_a_fact_stays_in_its_burst_from_telling_to_handling_and_to_the_dead_letters(
    spans: InMemorySpanExporter, database: Database, broker: Client, tenant: str
) -> None:
    async def refuse(_unit: Unit, _event: Event, _prepared: Any) -> None:
        raise Refused("never", "this one is refused")

    event = "encounter.cancelled"
    with continue_trace(SLEEPING, "tell"):
        async with database.unit(tenant) as unit:
            await unit.emit(event, EncounterCancelled(encounter=tenant), key=tenant, journey_id=JOURNEY)
    consumer = Consumer(database, broker, "coding", [Subscription(event, refuse)])
    works = [Relay(database, broker, "coding").run, consumer.run]
    dead = "dead-letter rcm.dead.v1.coding"

    def burst() -> dict[str, Any]:
        ours = [span for span in spans.get_finished_spans() if format_trace_id(span.context.trace_id) == SLEEPING[3:35]]
        return {span.name: span for span in ours}

    await _settled(works, lambda: dead in burst())
    found = burst()
    sent, handled, buried = found[f"send {event}"], found[f"process {event}"], found[dead]
    assert handled.parent.span_id == sent.context.span_id == buried.parent.span_id
    assert (sent.kind, handled.kind, buried.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.PRODUCER)
    assert handled.attributes["messaging.destination.template"] == f"rcm.v1.{event}"
    assert handled.attributes["messaging.consumer.group.name"] == "coding"
    assert handled.attributes["rcm.journey.id"] == JOURNEY
    assert (buried.attributes["rcm.reason"], buried.attributes["rcm.event.type"]) == ("never", event)
    assert not any(tenant in span.to_json() for span in found.values())


async def test_a_timer_wakes_a_new_burst_that_links_to_both(
    spans: InMemorySpanExporter, database: Database, tenant: str
) -> None:
    async def handle(_unit: Unit, _timer: Any, _prepared: Any) -> None:
        """Awake is enough."""

    with continue_trace(SLEEPING, "ask"):
        async with database.unit(tenant) as unit:
            due = datetime.now(UTC) - timedelta(seconds=1)
            await unit.schedule("probe", tenant, due, journey_id=JOURNEY)
    await TimerRunner(database, {"probe": TimerHandler(handle)}).run_due()
    (woken,) = (span for span in spans.get_finished_spans() if span.name == "timer probe")
    assert woken.parent is None
    assert [format_trace_id(link.context.trace_id) for link in woken.links] == [SLEEPING[3:35], JOURNEY]
    assert dict(woken.attributes) == {"rcm.timer.kind": "probe", "rcm.journey.id": JOURNEY}
