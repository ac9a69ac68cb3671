"""Captures, charges, performed orders and missing charges in Postgres, inside an open transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from bus import Unit
from rcm.billing.v1 import billing_pb2
from rcm.coding.v1 import coding_pb2

from charge_capture.model import Capture, Charge, Decision, Order, Reckoning, Visit, WorkItem
from charge_capture.wire.charges import charges_captured
from charge_capture.wire.task import work_closed, work_opened
from charge_capture.wire.visit import read_line, read_visit

_UPSERT_CAPTURE = """
insert into capture (encounter_key, encounter, version, state, coded, journey_id, trace, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant, encounter_key) do update set encounter = excluded.encounter, version = excluded.version,
    state = excluded.state, coded = excluded.coded, journey_id = excluded.journey_id, trace = excluded.trace,
    updated_at = excluded.updated_at
"""
_INSERT_CHARGE = """
insert into charge (line_id, encounter_key, charge_item_id, unit_cents, cents, captured_at)
values ($1, $2, $3, $4, $5, $6) on conflict (tenant, line_id) do nothing
"""
_UPSERT_ORDER = """
insert into performed_order (reference, encounter, code, service_date) values ($1, $2, $3, $4)
on conflict (tenant, reference) do update set encounter = excluded.encounter, code = excluded.code,
    service_date = excluded.service_date
"""
_UPSERT_DECISION = """
insert into decision (encounter_key, subject, line, unit_cents) values ($1, $2, $3, $4)
on conflict (tenant, encounter_key, subject) do update set line = excluded.line, unit_cents = excluded.unit_cents
"""
_ITEM_COLUMNS = tuple(WorkItem.__dataclass_fields__)
_SELECT_ITEM = f"select {', '.join(_ITEM_COLUMNS)} from work_item"
_UPSERT_ITEM = f"""
insert into work_item ({", ".join(_ITEM_COLUMNS)})
values ({", ".join(f"${number}" for number in range(1, len(_ITEM_COLUMNS) + 1))})
on conflict (tenant, work_id) do update set reason = excluded.reason, state = excluded.state,
    cents = excluded.cents, due_on = excluded.due_on, opened_at = excluded.opened_at
"""


@dataclass(frozen=True, slots=True)
class CaptureWork:
    """The handlers' Work over one unit."""

    unit: Unit

    @property
    def now(self) -> datetime:
        return self.unit.now

    async def find_capture(self, encounter_key: str) -> Capture | None:
        """Locked for the transaction, so that a person and the feed never decide at the same time."""
        row = await self.unit.conn.fetchrow("select * from capture where encounter_key = $1 for update", encounter_key)
        return None if row is None else Capture(**{name: row[name] for name in Capture.__dataclass_fields__})

    async def save_capture(self, capture: Capture) -> None:
        await self.unit.conn.execute(
            _UPSERT_CAPTURE,
            capture.encounter_key,
            capture.encounter,
            capture.version,
            capture.state,
            capture.coded,
            capture.journey_id,
            capture.trace,
            self.now,
        )

    async def visit_of(self, capture: Capture) -> Visit:
        return read_visit(coding_pb2.EncounterCoded.FromString(capture.coded))

    async def remember_order(self, encounter: str, order: Order) -> None:
        await self.unit.conn.execute(_UPSERT_ORDER, order.reference, encounter, order.code, order.on)

    async def performed_orders(self, encounter: str) -> list[Order]:
        rows = await self.unit.conn.fetch(
            "select reference, code, service_date from performed_order where encounter = $1 order by reference",
            encounter,
        )
        return [Order(row["reference"], row["code"], row["service_date"]) for row in rows]

    async def decisions(self, encounter_key: str) -> list[Decision]:
        rows = await self.unit.conn.fetch(
            "select subject, line, unit_cents from decision where encounter_key = $1 order by subject", encounter_key
        )
        return [_decision(row) for row in rows]

    async def decide(self, item: WorkItem, decision: Decision) -> None:
        line = None if decision.line is None else decision.line.original
        await self.unit.conn.execute(_UPSERT_DECISION, item.encounter_key, decision.subject, line, decision.unit_cents)

    async def captured_lines(self, encounter_key: str) -> set[str]:
        rows = await self.unit.conn.fetch("select line_id from charge where encounter_key = $1", encounter_key)
        return {row["line_id"] for row in rows}

    async def keep_charges(self, encounter_key: str, charges: Sequence[Charge]) -> None:
        await self.unit.conn.executemany(
            _INSERT_CHARGE,
            [
                (charge.line.line_id, encounter_key, charge.charge_item_id, charge.unit_cents, charge.cents, self.now)
                for charge in charges
            ],
        )

    async def find_item(self, work_id: str) -> WorkItem | None:
        row = await self.unit.conn.fetchrow(f"{_SELECT_ITEM} where work_id = $1 for update", work_id)
        return None if row is None else WorkItem(**dict(row))

    async def open_items(self, encounter_key: str) -> list[WorkItem]:
        """Open missing charges of a visit; late charges stay until a person closes them."""
        rows = await self.unit.conn.fetch(
            f"{_SELECT_ITEM} where encounter_key = $1 and state = 'open' and kind = 'missing-charge'", encounter_key
        )
        return [WorkItem(**dict(row)) for row in rows]

    async def all_open_items(self, limit: int, work_id: str = "") -> list[WorkItem]:
        """What waits for a person in the whole tenant, most urgent first; or the one of that id."""
        rows = await self.unit.conn.fetch(
            f"""{_SELECT_ITEM} where state = 'open' and ($2 = '' or work_id = $2)
            order by due_on, opened_at, work_id limit $1""",
            limit,
            work_id,
        )
        return [WorkItem(**dict(row)) for row in rows]

    async def open_item(self, item: WorkItem, journey_id: str) -> None:
        await self._save_item(item)
        await self.unit.emit("work.opened", work_opened(item, self.now), key=item.encounter, journey_id=journey_id)

    async def close_item(self, item: WorkItem, journey_id: str) -> None:
        await self._save_item(item)
        await self.unit.emit("work.closed", work_closed(item, self.now), key=item.encounter, journey_id=journey_id)

    async def announce_captured(self, capture: Capture, visit: Visit, found: Reckoning) -> None:
        await self.unit.emit(
            "charges.captured",
            charges_captured(visit, found, self.now),
            key=capture.encounter,
            journey_id=capture.journey_id,
            version=capture.version,
        )

    async def waiting_for(self, work_id: str) -> tuple[str, str]:
        """The burst and the journey that wait for this work item, "" where there is none."""
        row = await self.unit.conn.fetchrow(
            "select trace, journey_id from capture join work_item using (tenant, encounter_key) where work_id = $1",
            work_id,
        )
        return (row["trace"], row["journey_id"]) if row else ("", "")

    async def _save_item(self, item: WorkItem) -> None:
        await self.unit.conn.execute(_UPSERT_ITEM, *(getattr(item, name) for name in _ITEM_COLUMNS))


def _decision(row: asyncpg.Record) -> Decision:
    if row["line"] is None:
        return Decision(row["subject"], unit_cents=row["unit_cents"])
    line = read_line(billing_pb2.ServiceLine.FromString(row["line"]), "decision.line")
    return Decision(row["subject"], line=line)
