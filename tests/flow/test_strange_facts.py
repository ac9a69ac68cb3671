"""Facts as they should not come: of nobody, of tomorrow's version, twice, in no order, by a clock that jumps.

They are put straight onto the stream of a running line. The ledger stays exact, and says what it saw.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from bus import Event, subject_of
from bus.event import encode
from bus.flow import DEAD_PREFIX
from bus.jetstream import connect
from chassis import open_channel
from cli.client import Line, Place
from cli.demo import compare
from cli.stack import Stack
from feed_line import until
from kernel.errors import Refused
from kernel.identifiers import journey_id, uuid7
from nats.aio.client import Client
from rcm.claims.v1.claims_pb2 import ClaimChanged
from rcm.event.v1.envelope_pb2 import Envelope
from rcm.journey.v1 import journey_pb2, journey_pb2_grpc
from stack import Run, query, run_stories, stories_of

SEED, ENCOUNTERS = 13, 6
HOUR = timedelta(hours=1)
# A claim that is rejected, mended and taken: fact, state, minutes after the first. Each is the cause of the next.
STORY = (
    ("claim.built", "ready", 0),
    ("claim.acknowledged", "accepted", 10),
    ("claim.rejected", "rejected", 40),
    ("claim.built", "ready", 70),
    ("claim.acknowledged", "accepted", 100),
)
STAGES = [("submission", "", 10), ("payer", "", 30), ("rejection", "rejection", 30), ("submission", "rejection", 30)]


@dataclass
class Strange:
    """The running line with some real encounters, and a connection to its stream."""

    stack: Stack
    run: Run

    @property
    def place(self) -> Place:
        return Place.read(self.stack.folder / "stack.json")

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[Client]:
        client = await connect(self.stack.nats_url, "test")
        try:
            yield client
        finally:
            await client.close()

    async def publish(self, *raw: tuple[str, bytes], pause_s: float = 0.0) -> None:
        """Subjects and bytes, each under a message id of its own, so that the stream takes twice what is sent twice."""
        async with self.stream() as client:
            for subject, data in raw:
                await client.jetstream().publish(subject, data, headers={"Nats-Msg-Id": uuid7()})
                await asyncio.sleep(pause_s)

    async def journey(self, wanted: str) -> journey_pb2.Journey:
        line = Line(self.place)
        try:
            return await line.journey(wanted)
        finally:
            await line.close()

    async def steps(self, wanted: str, count: int) -> journey_pb2.Journey:
        """The journey, as soon as it has so many facts."""

        async def there() -> bool:
            try:
                return len((await self.journey(wanted)).steps) >= count
            except Refused:
                return False

        await until(there)
        return await self.journey(wanted)

    async def check(self) -> journey_pb2.RebuildProgress:
        """Adds all facts up again and compares; the last word on it."""
        channel = open_channel(self.place.grpc["journey"])
        try:
            call = journey_pb2_grpc.JourneyServiceStub(channel).RebuildLedger(
                journey_pb2.RebuildLedgerRequest(check=True), timeout=30, metadata=(("rcm-tenant", "demo"),)
            )
            return [one async for one in call][-1]
        finally:
            await channel.close()


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strange]:
    folder = tmp_path_factory.mktemp("strange")
    folder.chmod(0o711)
    with Stack(folder / "line", extra={"journey": {"RCM_SETTLE_MS": "200", "RCM_FOLD_EVERY_MS": "100"}}) as stack:
        stories = stories_of(folder / "stories", SEED, ENCOUNTERS)
        yield Strange(stack, asyncio.run(run_stories(stack, stories, timeout_s=90)))


def story(journey: str, begun: datetime) -> list[Event]:
    """The facts of STORY in their own order."""
    key = f"Claim/{journey}"
    events: list[Event] = []
    for kind, state, minutes in STORY:
        cause = events[-1].event_id if events else ""
        events.append(fact(journey, kind, state, begun + timedelta(minutes=minutes), cause, key))
    return events


def fact(journey: str, kind: str, state: str, at: datetime, cause: str, key: str) -> Event:
    body = ClaimChanged(claim_id=key.removeprefix("Claim/"), encounter=f"Encounter/{journey}", state=state,
                        total_cents=10_000, responsibility=1, frequency="1")  # fmt: skip
    return Event(uuid7(), kind, "demo", journey, key, 1, at, cause, body)


def raw(event: Event) -> tuple[str, bytes]:
    return subject_of(event.type, event.ordering_key), encode(event)


def shape(journey: journey_pb2.Journey) -> list[tuple[str, str, float]]:
    """Closed stages: name, loop, minutes."""
    return [(one.name, one.loop, one.elapsed_us / 60e6) for one in journey.stages if one.HasField("ended_at")]


def exact(journey: journey_pb2.Journey) -> None:
    """Stages partition what passed between the first move and the last, to the microsecond."""
    closed = [one for one in journey.stages if one.HasField("ended_at")]
    assert sum(one.elapsed_us for one in closed) == journey.elapsed_us
    for before, after in zip(journey.stages, journey.stages[1:], strict=False):
        assert before.ended_at.ToMicroseconds() == after.started_at.ToMicroseconds()
        assert before.ended_at.ToMicroseconds() - before.started_at.ToMicroseconds() == before.elapsed_us >= 0


def noticed(journey: journey_pb2.Journey) -> dict[str, int]:
    return {one.kind: one.count for one in journey.notices}


def begun() -> datetime:
    """Some hours ago, to a millisecond that looks like one."""
    return datetime.now(UTC).replace(microsecond=123_457) - timedelta(hours=5)


async def test_facts_in_no_order_and_twice_make_the_same_journey_as_in_order(strange: Strange) -> None:
    straight, mixed, since = journey_id(), journey_id(), begun()
    await strange.publish(*map(raw, story(straight, since)))
    facts = story(mixed, since)
    order: Sequence[int] = (4, 2, 0, 3, 1)
    await strange.publish(*(raw(facts[number]) for number in order), pause_s=1.2)
    await strange.publish(*(raw(facts[number]) for number in (1, 1, 4, 0)))
    one, other = await strange.steps(straight, 5), await strange.steps(mixed, 5)
    await asyncio.sleep(1)
    other = await strange.journey(mixed)
    for journey in (one, other):
        assert shape(journey) == STAGES
        exact(journey)
        assert journey.stage == "payer"
        assert len(journey.steps) == 5
    assert [step.event for step in other.steps] == [kind for kind, _, _ in STORY]
    assert noticed(other)["out-of-order"] >= 2
    assert "out-of-order" not in noticed(one)
    assert noticed(one)["late-fact"] == 5


async def test_a_clock_that_jumps_back_never_puts_a_fact_before_its_cause(strange: Strange) -> None:
    journey, since = journey_id(), begun()
    facts = story(journey, since)
    back = fact(
        journey, "claim.rejected", "rejected", facts[-1].occurred_at - HOUR, facts[-1].event_id, f"Claim/{journey}"
    )
    await strange.publish(*map(raw, [*facts, back]))
    found = await strange.steps(journey, 6)
    exact(found)
    assert shape(found) == [*STAGES, ("payer", found.stages[4].loop, 0.0)]
    assert found.stage == "rejection"
    (notice,) = [one for one in found.notices if one.kind == "clock-behind-cause"]
    assert (notice.count, notice.us) == (1, 3_600_000_000)


async def test_a_clock_that_jumps_ahead_is_believed_and_told(strange: Strange) -> None:
    journey, since = journey_id(), begun()
    facts = story(journey, since)
    ahead = fact(
        journey, "claim.rejected", "rejected", datetime.now(UTC) + HOUR, facts[-1].event_id, f"Claim/{journey}"
    )
    late = fact(journey, "claim.built", "ready", datetime.now(UTC), ahead.event_id, f"Claim/{journey}")
    await strange.publish(*map(raw, [*facts, ahead, late]))
    found = await strange.steps(journey, 7)
    exact(found)
    said = noticed(found)
    assert said["clock-ahead"] == 1 and said["clock-behind-cause"] == 1
    assert found.elapsed_us == sum(one.elapsed_us for one in found.stages if one.HasField("ended_at"))
    assert found.stage == "submission"


async def test_facts_of_an_unknown_journey_are_kept_and_counted(strange: Strange) -> None:
    before = (await strange.check()).unbegun
    unknown = journey_id()
    await strange.publish(raw(fact(unknown, "claim.replaced", "replaced", begun(), "", f"Claim/{unknown}")))

    async def counted(more: int) -> bool:
        return (await strange.check()).unbegun == before + more

    await until(partial(counted, 1))
    with pytest.raises(Refused):
        await strange.journey(unknown)
    rows = await query(strange.stack.owner_url, f"select type from journey.fact where journey_id = '{unknown}'")
    assert [row["type"] for row in rows] == ["claim.replaced"]
    await strange.publish(*map(raw, story(unknown, begun())))
    exact(await strange.steps(unknown, 6))
    await until(partial(counted, 0))


async def test_a_fact_of_an_unknown_version_is_a_dead_letter_that_is_counted(strange: Strange) -> None:
    before = (await strange.check()).dead_letters
    journey = journey_id()
    event = fact(journey, "claim.built", "ready", begun(), "", f"Claim/{journey}")
    envelope = Envelope.FromString(encode(event))
    envelope.schema_version = 99
    await strange.publish((subject_of(event.type, event.ordering_key), envelope.SerializeToString()))

    async def counted() -> bool:
        return (await strange.check()).dead_letters == before + 1

    await until(counted)
    async with strange.stream() as client:
        info = await client.jetstream().stream_info("RCM_DEAD", subjects_filter=f"{DEAD_PREFIX}.journey")
    assert info.state.messages >= 1
    with pytest.raises(Refused):
        await strange.journey(journey)


@pytest.mark.parametrize("named", ["nobody", "F" * 32, "0" * 32, str(uuid.uuid4()), "ab" * 40])
async def test_a_journey_id_that_is_none_stops_nobody(strange: Strange, named: str) -> None:
    since, well = begun(), journey_id()
    await strange.publish(*map(raw, story(named, since)))
    await strange.publish(*map(raw, story(well, since)))
    exact(await strange.steps(well, 5))
    for name in strange.stack.programs():
        assert strange.stack.restarts.get(name, 0) == 0


async def test_the_real_journeys_told_all_over_again_stay_as_they_are(strange: Strange) -> None:
    assert compare(strange.run.stories, strange.run.journeys) == []
    before = {one.journey_id: await strange.journey(one.journey_id) for one in strange.run.journeys}
    told = await query(strange.stack.owner_url, _TOLD)
    assert len(told) > ENCOUNTERS * 5
    await strange.publish(*((row["subject"], row["envelope"]) for row in reversed(told)))
    await asyncio.sleep(3)
    for journey, was in before.items():
        now = await strange.journey(journey)
        assert (shape(now), now.elapsed_us, now.outcome) == (shape(was), was.elapsed_us, was.outcome)
        assert [step.event_id for step in now.steps] == [step.event_id for step in was.steps]
        exact(now)


async def test_after_all_that_the_ledger_is_what_its_facts_add_up_to(strange: Strange) -> None:
    done = await strange.check()
    assert done.done and done.differing == 0, list(done.differing_ids)
    assert done.journeys > ENCOUNTERS
    for name in strange.stack.programs():
        if name not in ("simulator", "journey", "interface-engine"):
            rows = await query(strange.stack.owner_url, f"select reason from {name.replace('-', '_')}.dead_letter")
            assert rows == []


_SCHEMAS = ("interface_engine", "eligibility", "prior_auth", "coding", "charge_capture", "claims_gateway", "remittance")
_TOLD = " union all ".join(f"select subject, envelope, position from {one}.outbox" for one in _SCHEMAS)
