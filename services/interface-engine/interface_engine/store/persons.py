"""SQL of who is who: keys and traits of patients, whom they resemble, and what was decided of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from bus import Unit
from google.protobuf.message import Message

from interface_engine.model_persons import Found, Key, Pair, Record, Traits, pair_key
from interface_engine.store.shapes import columns

# A value that more patients share says nothing about any of them.
MOST_SHARING = 50
# Of more keys than these the whole tenant is locked instead: the server's table of locks is not large.
_MOST_LOCKS = 64
_FIRST = datetime.min.replace(tzinfo=UTC)
_TRAITS = msgspec.json.Decoder(Traits)

# Who writes a key is alone with it until the end: of two that come at once and are the same, one sees the other. The
# lookup is a statement of its own, because a statement sees what was there when it began.
_KEEP = """
with locked as materialized (
    select count(case when l.shared then pg_advisory_xact_lock_shared(l.key)::text
        else pg_advisory_xact_lock(l.key)::text end) as held
    from unnest($1::bigint[], $2::boolean[]) as l(key, shared)
), put as (
    insert into person_record as r (patient, home, person, traits)
    select i.patient, i.home, i.home, i.traits
    from unnest($3::text[], $4::text[], $5::text[]) as i(patient, home, traits)
    on conflict (tenant, patient) do update set traits = excluded.traits where r.traits <> excluded.traits
    returning patient
), fresh as (
    select * from unnest($6::text[], $7::text[], $8::text[], $9::bigint[]) as f(source, patient, kind, key)
), old as (
    select k.ctid, k.source, k.patient, k.key from unnest($10::text[]) as s(source) cross join lateral (
        select ctid, source, patient, key from person_key where source = s.source offset 0
    ) k
), gone as (
    delete from person_key where ctid in (
        select o.ctid from old o left join fresh f using (source, patient, key) where f.key is null
    ) returning patient
), added as (
    insert into person_key (source, patient, kind, key)
    select f.source, f.patient, f.kind, f.key from fresh f left join old o using (source, patient, key)
    where o.key is null returning patient
)
select patient from put union select patient from gone union select patient from added
union select null from locked where held < 0
"""
# All that share a key with one of ours, the whole persons of all of these, and the pairs among them.
FIND = f"""
with mine as (
    select distinct k.patient, k.kind, k.key from unnest($1::text[]) as w(patient) cross join lateral (
        select patient, kind, key from person_key where patient = w.patient offset 0
    ) k
), holders as (
    select m.kind, m.key, x.patients from (select distinct kind, key from mine) m cross join lateral (
        select array_agg(distinct h.patient) as patients, count(*) as rows from (
            select patient from person_key where key = m.key limit {MOST_SHARING + 1}
        ) h
    ) x where x.rows between 2 and {MOST_SHARING}
), near as (
    select m.patient as own, o.other, array_agg(distinct m.kind) as kinds
    from mine m join holders h using (kind, key) cross join lateral unnest(h.patients) as o(other)
    where o.other <> m.patient group by 1, 2
), told as (
    select p.* from unnest($1::text[]) as w(patient) cross join lateral (
        (select * from person_pair where low = w.patient)
        union all (select * from person_pair where high = w.patient)
    ) p
), met as (
    select patient from unnest($1::text[]) as w(patient) union select other from near
    union select low from told where state <> 'apart' union select high from told where state <> 'apart'
), everyone as (
    select distinct on (r.patient) r.patient, r.home, r.person, r.traits
    from (
        select distinct p.person from met cross join lateral (
            select person from person_record where patient = met.patient limit 1
        ) p
    ) g cross join lateral (
        select patient, home, person, traits from person_record where person = g.person offset 0
    ) r
)
select 'record' as row, patient as low, home as high, person as state, traits as reason, '{{}}'::text[] as fired,
    0::double precision as score, false as merged, '' as work_id, '' as decided_by, null::timestamptz as changed_at
from everyone
union all
select 'near', own, other, '', '', kinds, 0, false, '', '', null from near
union all
select 'pair', p.low, p.high, p.state, p.reason, p.fired, p.score, p.merged, p.work_id, p.decided_by, p.changed_at
from everyone e cross join lateral (
    select low, high, state, reason, fired, score, merged, work_id, decided_by, changed_at
    from person_pair where low = e.patient offset 0
) p
union all
select 'pair', low, high, state, reason, fired, score, merged, work_id, decided_by, changed_at from told
"""
_SETTLE = """
with pairs as (
    insert into person_pair (low, high, state, score, reason, merged, work_id, decided_by, changed_at, fired)
    select i.low, i.high, i.state, i.score, i.reason, i.merged, i.work_id, i.decided_by, $9,
        string_to_array(i.fired, ' ')
    from unnest($1::text[], $2::text[], $3::text[], $4::double precision[], $5::text[], $6::boolean[], $7::text[],
        $8::text[], $10::text[]) as i(low, high, state, score, reason, merged, work_id, decided_by, fired)
    on conflict (tenant, low, high) do update set state = excluded.state, score = excluded.score,
        reason = excluded.reason, merged = excluded.merged, work_id = excluded.work_id,
        decided_by = excluded.decided_by, changed_at = excluded.changed_at, fired = excluded.fired
)
update person_record r set person = i.person
from unnest($11::text[], $12::text[]) as i(patient, person) where r.patient = i.patient and r.person <> i.person
"""
_FORGET = """
with keys as (delete from person_key where source = any($1::text[]))
delete from person_record where patient = any($2::text[])
"""
_OPEN = """
select * from person_pair where state = 'review' and (changed_at, low, high) > ($1, $2, $3)
order by changed_at, low, high limit $4
"""
_WAITING = """
select r.id from resource r where r.type = 'Patient' and not r.deleted and r.id > $1
and not exists (select 1 from person_record p where p.patient = r.id) order by r.id limit $2
"""
_COVERAGES = """
select v.type, v.id, v.bytes, m.version, v.received_at, v.deleted
from unnest($1::text[]) as w(patient) cross join lateral (
    select distinct from_id from reference
    where to_type = 'Patient' and to_id = w.patient and from_type = 'Coverage' and path = 'Coverage.beneficiary'
    offset 0
) c cross join lateral (
    select type, id, version from resource where type = 'Coverage' and id = c.from_id and not deleted limit 1
) m cross join lateral (
    select * from resource_version where type = m.type and id = m.id and version = m.version limit 1
) v
"""
_CONTENTS = """
select m.type, m.id, v.bytes, m.version, v.received_at, v.deleted from unnest($1::text[]) as w(id) cross join lateral (
    select type, id, version from resource where type = 'Patient' and id = w.id and not deleted limit 1
) m cross join lateral (
    select * from resource_version where type = m.type and id = m.id and version = m.version limit 1
) v order by m.id
"""


class Persons:
    """The index of persons, in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    @property
    def tenant(self) -> str:
        return self._unit.tenant

    @property
    def now(self) -> datetime:
        return self._unit.now

    async def keep(self, traits: Mapping[str, Traits], homes: Mapping[str, str], sources: Sequence[str],
                   keys: Sequence[Key]) -> set[str]:  # fmt: skip
        """Takes in what has changed of `sources` and gives the patients of whom something is new. Locks their keys."""
        told = [(one, homes[one], msgspec.json.encode(traits[one]).decode()) for one in sorted(traits)]
        rows = [(key.source, key.patient, key.kind, key.hash) for key in keys]
        locks = _locks(self.tenant, keys)
        arguments = (*columns(locks, 2), *columns(told, 3), *columns(rows, 4), list(sources))
        return {row["patient"] for row in await self._conn.fetch(_KEEP, *arguments)}

    async def find(self, patients: Iterable[str]) -> Found:
        """Those and whoever they share a key with, whole persons, and the pairs among them."""
        records: dict[str, Record] = {}
        shared: dict[tuple[str, str], frozenset[str]] = {}
        pairs: dict[tuple[str, str], Pair] = {}
        for row in await self._conn.fetch(FIND, sorted(patients)):
            if row["row"] == "record":
                traits = _TRAITS.decode(row["reason"])
                records[row["low"]] = Record(row["low"], row["high"], row["state"], traits)
            elif row["row"] == "near":
                shared[pair_key(row["low"], row["high"])] = frozenset(row["fired"])
            else:
                pairs[row["low"], row["high"]] = _pair(row)
        return Found(records, shared, pairs)

    async def settle(self, pairs: Sequence[Pair], persons: Mapping[str, str]) -> None:
        """Keeps pairs as they are now, and moves patients to their persons."""
        rows = [
            (one.low, one.high, one.state, one.score, one.reason, one.merged, one.work_id, one.decided_by,
             " ".join(one.fired))
            for one in pairs
        ]  # fmt: skip
        *most, fired = columns(rows, 9)
        moved = columns(sorted(persons.items()), 2)
        await self._conn.execute(_SETTLE, *most, self.now, fired, *moved)

    async def forget(self, patients: Sequence[str], coverages: Sequence[str]) -> None:
        """What was deleted is not found any more; pairs stay, for when it comes back."""
        sources = [*(f"Patient/{one}" for one in patients), *coverages]
        await self._conn.execute(_FORGET, sources, list(patients))

    async def announce(self, type: str, body: Message, key: str) -> None:
        await self._unit.emit(type, body, key=key)

    # People

    async def open_pairs(self, after: Pair | None, limit: int) -> list[Pair]:
        """Pairs that wait for a person, the longest first."""
        place = (after.changed_at, after.low, after.high) if after is not None else (_FIRST, "", "")
        return [_pair(row) for row in await self._conn.fetch(_OPEN, *place, limit)]

    async def patients(self, ids: Sequence[str]) -> list[Any]:
        """Rows of the stored Patients among these."""
        return list(await self._conn.fetch(_CONTENTS, list(ids)))

    async def waiting(self, after: str, limit: int) -> list[str]:
        """Patients that were stored before there was an index of persons."""
        return [row["id"] for row in await self._conn.fetch(_WAITING, after, limit)]

    async def coverages(self, patients: Sequence[str]) -> list[Any]:
        """Rows of the stored Coverages of these patients."""
        return list(await self._conn.fetch(_COVERAGES, list(patients)))


def _locks(tenant: str, keys: Sequence[Key]) -> list[tuple[object, ...]]:
    whole = int.from_bytes(blake2b(f"{tenant}|persons".encode(), digest_size=8).digest(), signed=True)
    if len(keys) > _MOST_LOCKS:
        return [(whole, False)]
    return [(whole, True), *((one, False) for one in sorted({key.hash for key in keys}))]


def _pair(row: Any) -> Pair:
    return Pair(
        row["low"], row["high"], row["state"], row["score"], tuple(row["fired"]), row["reason"], row["merged"],
        row["work_id"], row["decided_by"], row["changed_at"],
    )  # fmt: skip
