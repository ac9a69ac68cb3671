"""The invariants of the line as one list of what breaks them: lost, doubled, stuck, dead, out of balance.

Everything is read from the databases and from the public doors after the fact; nothing is taken from what a service
says of itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bus.flow import Flow, flow_of
from cli.client import Line, Place
from cli.demo import Story, compare, equation_breaks
from cli.stack import PROGRAMS
from kernel.errors import LineError
from rcm.journey.v1 import journey_pb2
from stack import doubled, query, settled, unsent

SCHEMAS = tuple(program.module for program in PROGRAMS if program.name != "simulator")
# An inbox keeps what it has taken in for a month: what is in an outbox must be in the inbox of each who hears it.
_LOST = """
select count(*) as n from {teller}.outbox told
where told.type = any('{{{types}}}')
  and not exists (select 1 from {hearer}.inbox i where (i.tenant, i.event_id) = (told.tenant, told.event_id))
  and not exists (select 1 from {hearer}.dead_letter d where (d.tenant, d.event_id) = (told.tenant, told.event_id))
"""


async def as_told(place: Place, stories: list[Story], timeout_s: float) -> list[journey_pb2.Journey]:
    """The journeys once each has ended as its story says. A hold for a payer that was dead ends with its retry."""
    encounters = {story.encounter for story in stories}
    journeys: list[journey_pb2.Journey] = []
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    while loop.time() < end:
        journeys = await settled(place, encounters, timeout_s=end - loop.time())
        if not compare(stories, journeys):
            break
        await asyncio.sleep(2)
    return journeys


async def story_problems(place: Place, stories: list[Story], timeout_s: float = 600) -> list[str]:
    """Where a journey did not end as it was told, or its claim does not add up; waits while they are on their way."""
    journeys = await as_told(place, stories, timeout_s)
    return compare(stories, journeys) + [f"journey {one}: does not add up" for one in equation_breaks(journeys)]


async def book_problems(owner_url: str, place: Place) -> list[str]:
    """What is wrong with the books just now, one line each. A line that is at work has facts on their way."""
    return [
        *await _unbalanced(place),
        *await doubled(owner_url),
        *([f"{waiting} facts wait in an outbox"] if (waiting := await unsent(owner_url, SCHEMAS)) else []),
        *await lost_facts(owner_url),
        *await _dead_letters(owner_url),
    ]


async def settled_books(owner_url: str, place: Place, within_s: float = 90) -> list[str]:
    """What is still wrong when the line has come to rest, or the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while (problems := await book_problems(owner_url, place)) and loop.time() < end:  # noqa: ASYNC110 - others work
        await asyncio.sleep(1)
    return problems


async def lost_facts(owner_url: str) -> list[str]:
    """Facts that a service has told and that somebody who listens has neither taken in nor refused."""
    found = []
    for teller in SCHEMAS:
        told = [row["type"] for row in await query(owner_url, f"select distinct type from {teller}.outbox")]
        for hearer, types in sorted(_hearers(flow_of(type_) for type_ in told).items()):
            sql = _LOST.format(teller=teller, hearer=hearer, types=",".join(types))
            if missing := (await query(owner_url, sql))[0]["n"]:
                found.append(f"{missing} facts of {teller} never came to {hearer}")
    return found


def _hearers(flows: Iterable[Flow]) -> dict[str, list[str]]:
    """Who listens, by schema, and to what."""
    hearers: dict[str, list[str]] = {}
    for flow in flows:
        for service in flow.heard_by():
            hearers.setdefault(service.replace("-", "_"), []).append(flow.event)
    return hearers


async def _unbalanced(place: Place) -> list[str]:
    """The ledger's own equation, over everything that was ever billed here."""
    line = Line(place)
    try:
        balance = (await line.ledger()).tenant
    except LineError as error:
        return [f"the ledger cannot be asked: {error.code}"]
    finally:
        await line.close()
    parts = balance.paid_cents + balance.adjusted_cents + balance.patient_cents + balance.open_cents
    return [] if balance.billed_cents == parts > 0 else [f"billed {balance.billed_cents}, accounted for {parts}"]


async def _dead_letters(owner_url: str) -> list[str]:
    found = []
    for schema in SCHEMAS:
        rows = await query(owner_url, f"select type, reason from {schema}.dead_letter")
        found += [f"{schema} could not take in {row['type']}: {row['reason']}" for row in rows]
    return found
