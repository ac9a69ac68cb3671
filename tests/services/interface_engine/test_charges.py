"""Charge conservation over a real database: what came in equals what it became, counted on two sides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import hl7v2
import pytest
import structlog
from bus import Database, Unit
from hypothesis import given
from hypothesis import strategies as st
from interface_engine.entry_feeds import mapped_of
from interface_engine.entry_intake import Intake
from interface_engine.entry_worker import MessageWorker
from interface_engine.handlers.charges import keep_charges
from interface_engine.handlers.messages import dismiss_message, replay_message
from interface_engine.model_charges import Account, ChargeIn, Earlier, Tally, settle
from interface_engine.model_messages import FAILED, KEPT, Arrival, Ending, Message, Wanted
from interface_engine.rules import systems
from interface_engine.rules.channel import CSV, Channel
from interface_engine.rules.loading import read_channel
from interface_engine.store.charges import Charges
from interface_engine.store.messages import Messages
from interface_engine.wire.arrivals import arrival_of, rows_arrival
from interface_engine.wire.csv_rows import read_export
from interface_engine.wire.hl7 import Mapped
from interface_engine.wire.hl7.charges import brought
from interface_engine.wire.hl7.job import Job
from kernel.clock import FixedClock
from kernel.errors import Refused
from message_feed import feed
from platform_fixture import Platform

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 20)
FEED = feed(
    "name: clinic\nformat: hl7v2\ntransport: {kind: mllp}\n"
    "charges: {code: [FT1-7], amount: [FT1-11], unit_amount: [FT1-12], units: [FT1-10], type: [FT1-6]}\n"
)


def dft(control_id: str, *lines: str, mrn: str = "M1") -> bytes:
    head = f"MSH|^~\\&|EHR|CLINIC|RCM|HUB|20260320120000||DFT^P03|{control_id}|P|2.5.1\rPID|1||{mrn}\r"
    return (head + "".join(f"FT1|{number}|||20260320||{line}\r" for number, line in enumerate(lines, 1))).encode()


def ft1(kind: str, code: str, quantity: str, extended: str, each: str = "") -> str:
    """FT1-6 onwards: type, code, (8, 9), quantity, extended, unit."""
    return f"{kind}|{code}|||{quantity}|{extended}|{each}"


@pytest.mark.parametrize(
    ("lines", "count", "cents"),
    [
        ([], 0, 0),
        ([ft1("CG", "99213", "1", "100.00")], 1, 10000),
        ([ft1("CG", "99213", "1", "100.00"), ft1("CR", "99213", "1", "100.00")], 2, 0),
        ([ft1("CG", "99213", "1", "100.00"), ft1("CR", "99213", "1", "-100.00")], 2, 0),
        ([ft1("CG", "J3301", "4", "", "12.25")], 1, 4900),
        ([ft1("CG", "J3301", "", "", "12.25")], 1, 1225),
        ([ft1("CG", "99213", "1", "a lot"), ft1("CG", "99213", "1", "NaN")], 2, 0),
        ([ft1("CG", "99213", "1", "9" * 40)], 1, 0),
    ],
)
def test_charges_are_counted_from_the_feeds_own_fields(lines: list[str], count: int, cents: int) -> None:
    assert brought(Job(FEED, NOW, hl7v2.read(dft("1", *lines)))) == (count, cents)


def charge(key: str = "k", cents: int = 100, disposition: str = "charge", code: str = "99213") -> ChargeIn:
    return ChargeIn("FT1(1)", key, "charge", cents, Decimal(1), code, TODAY, "v", disposition)


def earlier(disposition: str = "charge", cents: int = 100) -> Earlier:
    return Earlier("m", "FT1(1)", cents, Decimal(1), "99213", TODAY, disposition)


def test_the_same_line_again_is_a_repeat_and_with_other_content_it_takes_its_place() -> None:
    assert settle(charge(), []) == ("charge", ())
    assert settle(charge(), [earlier()]) == ("repeat", ())
    assert settle(charge(cents=200), [earlier()]) == ("charge", (earlier(),))
    assert settle(charge(disposition="hold"), [earlier(cents=300)]) == ("hold", (earlier(cents=300),))
    assert settle(charge(disposition="rejected"), [earlier()]) == ("rejected", ())
    for gone in ("repeat", "replaced", "rejected"):
        assert settle(charge(), [earlier(gone)]) == ("charge", ())


@given(
    st.lists(st.tuples(st.sampled_from(["charge", "hold", "rejected"]), st.integers(0, 10**9)), max_size=20),
    st.integers(0, 3),
)
def test_an_account_says_when_something_is_missing(lines: list[tuple[str, int]], lost: int) -> None:
    came = Tally(len(lines) + lost, sum(cents for _, cents in lines) + lost)
    became: dict[tuple[str, str], Tally] = {}
    for disposition, cents in lines:
        became[disposition, ""] = became.get((disposition, ""), Tally()) + Tally(1, cents)
    account = Account("clinic", TODAY, came, became)
    assert account.balances == (lost == 0)
    assert account.missing == Tally(lost, lost)


@dataclass
class House:
    tenant: str
    database: Database
    intake: Intake
    worker: MessageWorker
    failing: set[str] = field(default_factory=set)
    losing: set[str] = field(default_factory=set)
    holding: set[str] = field(default_factory=set)

    async def process(self, unit: Unit, message: Message) -> Ending:
        """A mapping as simple as can be: every FT1 is a charge."""
        if message.control_id in self.failing:
            raise Refused("no", "no")
        lines: list[ChargeIn] = []
        for segment in hl7v2.read(message.raw).segments("FT1"):
            kind = "credit" if segment.get("6") == "CR" else "charge"
            disposition = "hold" if segment.get("7") in self.holding else "charge"
            lines.append(
                ChargeIn(f"FT1({segment.get('1')})", f"{message.mrn}|{segment.get('1')}", kind,
                         int(Decimal(segment.get("11")) * 100), Decimal(1), segment.get("7"), TODAY, "v", disposition)
            )  # fmt: skip
        if message.control_id in self.losing:
            lines.pop()
        await keep_charges(Charges(unit), message.id, message.channel, message.position, message.day, lines)
        return Ending(KEPT)

    async def take(self, *raws: bytes) -> None:
        for raw in raws:
            await self.intake.take(FEED, raw)
        while await self.worker.work():
            pass

    async def account(self, day: date = TODAY) -> Account:
        async with self.database.unit(self.tenant) as unit:
            (found,) = await Charges(unit).accounts(day, day)
        return found

    async def failed(self) -> str:
        async with self.database.unit(self.tenant) as unit:
            (found,) = await Messages(unit).find(Wanted(states=(FAILED,)))
        return found.id


@pytest.fixture
async def house(platform: Platform, tenant: str) -> AsyncIterator[House]:
    database = Database(platform.url_for("interface-engine"), "interface_engine", FixedClock(NOW))
    await database.open()
    intake = Intake(database, tenant, timedelta(days=30))
    made: list[House] = []

    async def process(unit: Unit, message: Message) -> Ending:
        return await made[0].process(unit, message)

    made.append(House(tenant, database, intake, MessageWorker(
        database, tenant, process, intake.arrived, structlog.get_logger())))  # fmt: skip
    yield made[0]
    await database.close()


async def test_charges_and_credits_balance(house: House) -> None:
    await house.take(dft("1", ft1("CG", "99213", "1", "100.00"), ft1("CG", "85025", "1", "20.50")))
    await house.take(dft("2", ft1("CR", "99213", "1", "100.00")))
    account = await house.account()
    assert account.balances
    assert (account.came_in, account.became) == (Tally(3, 2050), {("charge", ""): Tally(3, 2050)})


async def test_a_charge_that_the_mapping_loses_is_found_out(house: House) -> None:
    house.losing.add("1")
    await house.take(dft("1", ft1("CG", "99213", "1", "100.00"), ft1("CG", "85025", "1", "20.50")))
    account = await house.account()
    assert not account.balances
    assert account.missing == Tally(1, 2050)


async def test_a_message_that_failed_holds_its_charges_by_name_until_it_is_replayed_or_dismissed(house: House) -> None:
    house.failing = {"1", "3"}
    await house.take(dft("1", ft1("CG", "99213", "1", "100.00")), dft("3", ft1("CG", "1", "1", "1.00"), mrn="M3"))
    account = await house.account()
    assert account.balances
    assert account.became == {("message-failed", ""): Tally(2, 10100)}
    house.failing = {"3"}
    async with house.database.unit(house.tenant) as unit:
        store = Messages(unit)
        first, third = sorted(await store.find(Wanted(states=(FAILED,))), key=lambda one: one.position)
        await replay_message(store, unit, first.id)
        await dismiss_message(store, unit, third.id, "test")
    await house.take()
    account = await house.account()
    assert account.balances
    assert account.became == {("charge", ""): Tally(1, 10000), ("message-dismissed", ""): Tally(1, 100)}


async def test_the_same_charges_in_another_message_are_repeats_and_corrected_ones_replace(house: House) -> None:
    await house.take(dft("1", ft1("CG", "99213", "1", "100.00")))
    await house.take(dft("2", ft1("CG", "99213", "1", "100.00")))
    await house.take(dft("3", ft1("CG", "99214", "1", "150.00")))
    account = await house.account()
    assert account.balances
    assert account.became == {
        ("replaced", "told-anew"): Tally(1, 10000), ("repeat", ""): Tally(1, 10000), ("charge", ""): Tally(1, 15000),
    }  # fmt: skip


async def test_worked_on_again_a_message_counts_once_and_a_released_hold_is_a_charge(house: House) -> None:
    house.holding.add("99213")
    await house.take(dft("1", ft1("CG", "99213", "1", "100.00")))
    assert (await house.account()).became == {("hold", ""): Tally(1, 10000)}
    async with house.database.unit(house.tenant) as unit:
        (message,) = await Charges(unit).messages_on_hold(["clinic"])
        assert await Charges(unit).messages_on_hold(["elsewhere"]) == []
        await replay_message(Messages(unit), unit, message)
    assert (await house.account()).became == {("waiting", ""): Tally(1, 10000)}
    house.holding.clear()
    await house.take()
    account = await house.account()
    assert (account.balances, account.became) == (True, {("charge", ""): Tally(1, 10000)})


async def test_a_message_that_is_sent_again_brings_nothing_new(house: House) -> None:
    raw = dft("1", ft1("CG", "99213", "1", "100.00"))
    await house.take(raw, raw)
    assert (await house.account()).came_in == Tally(1, 10000)


SYSTEMS = Path(next(iter(systems.__path__)))


@pytest.mark.parametrize("file", sorted(SYSTEMS.rglob("*.yaml")), ids=lambda file: file.stem)
def test_the_two_sides_agree_for_every_system_that_we_know(file: Path) -> None:
    channel = read_channel(file, {one.name: one for one in file.parent.iterdir() if one.is_file()})
    samples = file.parent / "samples"
    folder = samples / channel.name if (samples / channel.name).is_dir() else samples
    came, became = Tally(), Tally()
    for sample in sorted(one for one in folder.rglob("*") if one.is_file()):
        for arrival in _arrivals(channel, sample.read_bytes()):
            came += Tally(arrival.charges_in, arrival.cents_in)
            mapped = mapped_of(channel, _message(arrival))
            assert isinstance(mapped, Mapped)
            for line in mapped.charges:
                became += Tally(1, -line.amount_cents if line.kind == "credit" else line.amount_cents)
    assert came.count > 0
    assert came.cents != 0
    assert came == became


def _arrivals(channel: Channel, data: bytes) -> list[Arrival]:
    if channel.csv is not None and channel.format == CSV:
        implied = channel.charges is not None and channel.charges.implied
        export = read_export(channel.csv, data, implied=implied)
        assert export.bad == ()
        return [rows_arrival(channel, rows, "file", NOW) for rows in export.visits]
    return [arrival_of(channel, raw, NOW) for raw in hl7v2.split_batch(data).messages]


def _message(arrival: Arrival) -> Message:
    return Message(
        arrival.id, 1, arrival.channel, NOW, arrival.raw, arrival.control_id, arrival.kind, "", "", "", "", "received",
        "", "", 0, None, "", TODAY,
    )  # fmt: skip
