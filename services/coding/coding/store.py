"""Codings and their work items in Postgres, inside the transaction that the bus or a door has opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg
from bus import Unit
from rcm.billing.v1 import billing_pb2
from rcm.coding.v1 import coding_pb2

from coding.model import Coded, Coding, WorkItem
from coding.wire.messages import coded_message, read_coded
from coding.wire.task import work_closed, work_opened

_UPSERT_CODING = """
insert into coding (encounter_key, encounter, patient, service_date, version, state, proposal, facts, journey_id, trace,
    updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (tenant, encounter_key) do update set encounter = excluded.encounter, patient = excluded.patient,
    service_date = excluded.service_date, version = excluded.version, state = excluded.state,
    proposal = excluded.proposal, facts = excluded.facts, journey_id = excluded.journey_id, trace = excluded.trace,
    updated_at = excluded.updated_at
"""
_UPSERT_ITEM = """
insert into work_item (work_id, kind, reason, encounter_key, encounter, patient, state, due_on, opened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant, work_id) do update set reason = excluded.reason, state = excluded.state,
    due_on = excluded.due_on, opened_at = excluded.opened_at
"""
_ITEM = "work_id, kind, reason, encounter_key, encounter, patient, state, due_on, opened_at"


@dataclass(frozen=True, slots=True)
class CodingWork:
    """The handlers' Work over one unit."""

    unit: Unit

    @property
    def now(self) -> datetime:
        return self.unit.now

    async def find_coding(self, encounter_key: str) -> Coding | None:
        """Locked for the transaction, so that a coder and the feed never decide at the same time."""
        row = await self.unit.conn.fetchrow("select * from coding where encounter_key = $1 for update", encounter_key)
        return None if row is None else _coding(row)

    async def save_coding(self, coding: Coding) -> None:
        proposal = coded_message(coding.proposal, billing_pb2.EncounterFacts(), False)
        await self.unit.conn.execute(
            _UPSERT_CODING,
            coding.encounter_key,
            coding.encounter,
            coding.patient,
            coding.service_date,
            coding.version,
            coding.state,
            proposal.SerializeToString(),
            coding.facts,
            coding.journey_id,
            coding.trace,
            self.now,
        )

    async def find_item(self, work_id: str) -> WorkItem | None:
        row = await self.unit.conn.fetchrow(f"select {_ITEM} from work_item where work_id = $1 for update", work_id)
        return None if row is None else _item(row)

    async def find_open_reviews(self, encounter_key: str) -> list[WorkItem]:
        rows = await self.unit.conn.fetch(
            f"select {_ITEM} from work_item where encounter_key = $1 and state = 'open' and kind <> 'late-charge'",
            encounter_key,
        )
        return [_item(row) for row in rows]

    async def open_item(self, item: WorkItem, journey_id: str) -> None:
        await self._save_item(item)
        await self.unit.emit("work.opened", work_opened(item, self.now), key=item.encounter, journey_id=journey_id)

    async def close_item(self, item: WorkItem, journey_id: str) -> None:
        await self._save_item(item)
        await self.unit.emit("work.closed", work_closed(item, self.now), key=item.encounter, journey_id=journey_id)

    async def announce_coded(self, coding: Coding, coded: Coded, reviewed: bool) -> None:
        facts = billing_pb2.EncounterFacts.FromString(coding.facts)
        await self.unit.emit(
            "encounter.coded",
            coded_message(coded, facts, reviewed),
            key=coding.encounter,
            journey_id=coding.journey_id,
            version=coding.version,
        )

    async def waiting_for(self, work_id: str) -> tuple[str, str]:
        """The burst and the journey that wait for this work item, "" where there is none."""
        row = await self.unit.conn.fetchrow(
            "select trace, journey_id from coding join work_item using (tenant, encounter_key) where work_id = $1",
            work_id,
        )
        return (row["trace"], row["journey_id"]) if row else ("", "")

    async def open_reviews(self, limit: int, work_id: str = "") -> list[tuple[WorkItem, Coded]]:
        """What waits for a person, most urgent first, with what was proposed and found; or the one of that id."""
        rows = await self.unit.conn.fetch(
            """select w.work_id, w.kind, w.reason, w.encounter_key, w.encounter, w.patient, w.state, w.due_on,
                w.opened_at, c.proposal
            from work_item w join coding c using (tenant, encounter_key)
            where w.state = 'open' and ($2 = '' or w.work_id = $2) order by w.due_on, w.opened_at limit $1""",
            limit,
            work_id,
        )
        return [(_item(row), _read(row["proposal"])) for row in rows]

    async def _save_item(self, item: WorkItem) -> None:
        await self.unit.conn.execute(
            _UPSERT_ITEM,
            item.work_id,
            item.kind,
            item.reason,
            item.encounter_key,
            item.encounter,
            item.patient,
            item.state,
            item.due_on,
            item.opened_at,
        )


def _coding(row: asyncpg.Record) -> Coding:
    return Coding(
        encounter_key=row["encounter_key"],
        encounter=row["encounter"],
        patient=row["patient"],
        service_date=row["service_date"],
        version=row["version"],
        state=row["state"],
        proposal=_read(row["proposal"]),
        facts=row["facts"],
        journey_id=row["journey_id"],
        trace=row["trace"],
    )


def _item(row: asyncpg.Record) -> WorkItem:
    return WorkItem(**{name: row[name] for name in WorkItem.__dataclass_fields__})


def _read(proposal: bytes) -> Coded:
    return read_coded(coding_pb2.EncounterCoded.FromString(proposal))
