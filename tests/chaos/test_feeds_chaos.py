"""Kills the engine, NATS and Postgres while feeds send: what was acknowledged is there, once, and is billed once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cli.client import Line, Place
from cli.stack import Stack, StackError
from flow.feed_messages import HL7_FEED, FeedVisit, MllpSender, free_port, messages_of, write_site
from kernel.errors import Unavailable
from line_books import settled_books
from rcm.engine.v1 import charges_pb2, messages_pb2
from rcm.journey.v1 import journey_pb2
from simulator.ehr import table_visits as table
from stack import query, settled

DAY = datetime.now(UTC).date() - timedelta(days=2)
SEED = 31
SENDERS = 4
VISITS_EACH = 5
VICTIMS = ("interface-engine", "postgres", "nats", "interface-engine", "postgres")
# An engine that dies holds what it was working on until its lease ends.
SETTLE_S = 150.0


def visits_of(sender: int) -> list[FeedVisit]:
    draw = random.Random(f"{SEED}/{sender}")
    visits = table.OFFICE[2:8] + table.PROCEDURES[:4]
    return [
        FeedVisit(sender * 100 + number, draw.choice(visits), draw.choice("AB"), "0", "F", DAY, SEED)
        for number in range(VISITS_EACH)
    ]


async def send_all(port: int, sender: int, acknowledged: dict[str, str]) -> int:
    """Message after message, each again until it is acknowledged; how often one was sent again."""
    mllp = MllpSender(port)
    for one in visits_of(sender):
        for step, raw in enumerate(messages_of(one), 1):
            acknowledged[f"{one.number}-{step}"] = await mllp.send(raw)
            await asyncio.sleep(0.15)
    await mllp.close()
    return mllp.resent


async def kill_all(stack: Stack) -> None:
    for name in VICTIMS:
        await asyncio.sleep(1.5)
        while True:
            try:
                await asyncio.to_thread(stack.kill, name)
                break
            except (ProcessLookupError, StackError):
                await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("feeds-chaos")
    folder.chmod(0o711)
    write_site(folder / "site", port, folder / "drop")
    extra = {"interface-engine": {"RCM_SITE_DIR": str(folder / "site")}}
    with Stack(folder / "line", extra=extra, trace=False) as running:
        yield running


async def kept_messages(line: Line) -> list[messages_pb2.FeedMessage]:
    """All messages of the feed, once the engine is back after the last kill and each has been worked on."""
    request = messages_pb2.SearchMessagesRequest(channel=HL7_FEED, limit=500)
    async with asyncio.timeout(SETTLE_S):
        while True:
            with suppress(Unavailable):
                found = list((await line.search_messages(request)).messages)
                if all(one.state != "received" for one in found):
                    return found
            await asyncio.sleep(0.5)


async def paid(place: Place, encounters: set[str]) -> list[journey_pb2.Journey]:
    """Their journeys once all are paid. A hold for a payer that could not be asked ends with its retry."""
    journeys: list[journey_pb2.Journey] = []
    async with asyncio.timeout(SETTLE_S):
        while Counter(one.outcome for one in journeys) != {"paid": len(encounters)}:
            journeys = await settled(place, encounters, SETTLE_S)
            await asyncio.sleep(0.5)
    return journeys


async def test_what_was_acknowledged_is_kept_and_billed_once(stack: Stack, port: int) -> None:
    acknowledged: dict[str, str] = {}
    killing = asyncio.create_task(kill_all(stack))
    resent = await asyncio.gather(*(send_all(port, number, acknowledged) for number in range(1, SENDERS + 1)))
    await killing
    place = Place.read(stack.folder / "stack.json")
    line = Line(place)
    visits = [one for number in range(1, SENDERS + 1) for one in visits_of(number)]
    try:
        assert set(acknowledged.values()) == {"AA"} and len(acknowledged) == 3 * len(visits)
        assert sum(resent) > 0, "nothing was cut: the kills came too late"
        messages = await kept_messages(line)
        assert {(one.state, one.reason) for one in messages} == {("kept", "")}
        assert Counter(one.control_id for one in messages) == Counter(list(acknowledged))
        encounters = {name for one in messages for name in one.resources if name.startswith("Encounter/")}
        assert len(encounters) == len(visits)
        journeys = await paid(place, encounters)
        assert sum(one.paid_cents for one in journeys) == sum(one.story.expected.paid_cents for one in visits)
        await check_charges(line, visits)
        await check_books(stack, place)
    finally:
        await line.close()


async def check_charges(line: Line, visits: list[FeedVisit]) -> None:
    """Each charge was counted once, and each is a charge."""
    today = datetime.now(UTC).date()
    request = charges_pb2.ReconcileRequest(
        first_day=(today - timedelta(days=1)).isoformat(), last_day=today.isoformat(), channel=HL7_FEED
    )
    account = await line.reconcile(request)
    lines = [charge for one in visits for charge in one.lines]
    assert account.balances
    assert sum(day.count_in for day in account.days) == len(lines)
    assert sum(day.cents_in for day in account.days) == sum(charge.charge_cents for charge in lines)
    assert {row.disposition for day in account.days for row in day.became} == {"charge"}


async def check_books(stack: Stack, place: Place) -> None:
    again = (
        "select 1 from interface_engine.charge_in where disposition = 'charge' group by line_key having count(*) > 1"
    )
    assert await query(stack.owner_url, again) == []
    assert await settled_books(stack.owner_url, place) == []
