"""Visits and their journeys, and the neighbourhoods from which the line is told of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bus import Unit
from google.protobuf.message import Message

from interface_engine.model import Edge, Graph, Visit
from interface_engine.store.shapes import columns, split

_VISITS = """
select w.encounter, v.encounter_key, v.source, j.journey_id
from unnest($1::text[]) as w(encounter)
cross join lateral (select encounter_key, source from visit where encounter = w.encounter limit 1) v
cross join lateral (select journey_id from journey where encounter_key = v.encounter_key limit 1) j
"""
_NAMING = """
select distinct to_id, from_id from reference
where to_type = 'Condition' and to_id = any($1::text[]) and from_type = 'Encounter' order by to_id, from_id
"""
_JOURNEYS = "select encounter_key, journey_id from journey where encounter_key = any($1::text[])"
# The update that changes nothing locks the row: whoever else writes to the visit waits for us.
_ENTER_VISITS = """
with input as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as i(key, journey_id, encounter, source)
), seen as (
    insert into visit (encounter, encounter_key, source)
    select distinct encounter, key, source from input where encounter <> '' order by encounter
    on conflict (tenant, encounter) do nothing
)
insert into journey as j (encounter_key, journey_id, encounter)
select distinct on (key) key, journey_id, encounter from input order by key, encounter desc
on conflict (tenant, encounter_key) do update
set encounter = case when j.encounter = '' then excluded.encounter else j.encounter end
returning encounter_key, journey_id, state, version
"""
_TELL = "update journey set state = $2, version = $3, unmapped = $4 where encounter_key = $1"
_UNMAPPED = """
select v.encounter from journey j join visit v on v.encounter_key = j.encounter_key and v.tenant = j.tenant
where j.unmapped and j.state = 'finished' and v.source = any($1::text[]) order by v.encounter
"""
_EDGES = """
with near as (
    select from_type as type, from_id as id
    from unnest($3::text[]) as e(id) cross join lateral (
        select from_type, from_id from reference
        where to_type = 'Encounter' and to_id = e.id and from_type = any($4::text[]) offset 0
    ) r
    union select * from unnest($1::text[], $2::text[])
), one as (
    select r.* from near cross join lateral (
        select from_type, from_id, path, to_type, to_id from reference
        where from_type = near.type and from_id = near.id offset 0
    ) r
), covers as (
    select r.* from (select distinct to_id from one where to_type = 'Patient') p cross join lateral (
        select from_type, from_id, path, to_type, to_id from reference
        where to_type = 'Patient' and to_id = p.to_id and from_type = 'Coverage' offset 0
    ) r
), further as (
    select distinct to_type as type, to_id as id from one
    where to_type in ('Encounter', 'Patient', 'PractitionerRole', 'Location', 'ServiceRequest', 'DeviceRequest',
        'MedicationRequest')
    union select from_type, from_id from covers
), two as (
    select r.* from further cross join lateral (
        select from_type, from_id, path, to_type, to_id from reference
        where from_type = further.type and from_id = further.id offset 0
    ) r
)
select * from one union select * from covers union select * from two
"""
# Coverages of other Patients who are the same person, as if they were of ours, and whom these coverages name.
_LINKED = """
with twins as (
    select w.patient, o.patient as other
    from unnest($1::text[]) as w(patient)
    cross join lateral (select person from person_record where patient = w.patient limit 1) r
    cross join lateral (select patient from person_record where person = r.person offset 0) o
    where o.patient <> w.patient
), covers as (
    select t.patient, c.from_id from twins t cross join lateral (
        select distinct from_id from reference
        where to_type = 'Patient' and to_id = t.other and from_type = 'Coverage' and path = 'Coverage.beneficiary'
        offset 0
    ) c
)
select 'Coverage', from_id, 'Coverage.beneficiary', 'Patient', patient from covers
union select r.* from (select distinct from_id from covers) c cross join lateral (
    select from_type, from_id, path, to_type, to_id from reference
    where from_type = 'Coverage' and from_id = c.from_id and to_type in ('Organization', 'RelatedPerson') offset 0
) r
"""
_CONTENTS = """
select w.type || '/' || w.id as reference, v.bytes
from unnest($1::text[], $2::text[]) as w(type, id)
cross join lateral (select version from resource where type = w.type and id = w.id and not deleted limit 1) r
cross join lateral (
    select bytes from resource_version where type = w.type and id = w.id and version = r.version limit 1
) v
"""


class Visits:
    """The work of announcing, in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    @property
    def tenant(self) -> str:
        return self._unit.tenant

    @property
    def now(self) -> datetime:
        return self._unit.now

    async def visits(self, encounters: Sequence[str]) -> dict[str, Visit]:
        """Those of these encounters that were seen before; state and version come with `enter_visits`."""
        rows = await self._conn.fetch(_VISITS, list(encounters))
        made = (Visit(row["encounter"], row["encounter_key"], row["journey_id"], source=row["source"]) for row in rows)
        return {visit.encounter: visit for visit in made}

    async def naming(self, conditions: Sequence[str]) -> list[tuple[str, str]]:
        """Pairs of a condition and an encounter that names it as its diagnosis."""
        rows = await self._conn.fetch(_NAMING, [one.partition("/")[2] for one in conditions])
        return [(f"Condition/{row['to_id']}", f"Encounter/{row['from_id']}") for row in rows]

    async def journeys(self, keys: Sequence[str]) -> dict[str, str]:
        """Journey ids by key."""
        rows = await self._conn.fetch(_JOURNEYS, list(keys))
        return {row["encounter_key"]: row["journey_id"] for row in rows}

    async def enter_visits(self, visits: Sequence[Visit]) -> list[Visit]:
        """Makes what is new, locks all, and gives them with journey, state and version as they now are."""
        entered = [(one.encounter_key, one.journey_id, one.encounter, one.source) for one in visits]
        rows = {row["encounter_key"]: row for row in await self._conn.fetch(_ENTER_VISITS, *columns(entered, 4))}
        return [
            Visit(
                one.encounter,
                one.encounter_key,
                rows[one.encounter_key]["journey_id"],
                rows[one.encounter_key]["state"],
                rows[one.encounter_key]["version"],
                one.source,
            )
            for one in visits
        ]

    async def unmapped(self, sources: Sequence[str]) -> list[str]:
        """Finished visits of these feeds in which something holds for want of a code."""
        return [row["encounter"] for row in await self._conn.fetch(_UNMAPPED, list(sources))]

    async def keep_visits(self, visits: Iterable[Visit]) -> None:
        rows = [(one.encounter_key, one.state, one.version, one.unmapped) for one in visits]
        await self._conn.executemany(_TELL, rows)

    async def graph(self, seeds: Sequence[str], types: Sequence[str], at_hand: Mapping[str, bytes]) -> Graph:
        """The seeds, what refers to the Encounters among them, and whom and what all that needs.

        Resources `at_hand` are not fetched.
        """
        encounters = [seed.partition("/")[2] for seed in seeds if seed.startswith("Encounter/")]
        edges = _edges(await self._conn.fetch(_EDGES, *split(seeds), encounters, list(types)))
        wanted = {*seeds, *(edge.source for edge in edges), *(edge.target for edge in edges)}
        missing = await self._conn.fetch(_CONTENTS, *split(sorted(wanted - at_hand.keys())))
        contents = {reference: at_hand[reference] for reference in wanted & at_hand.keys()}
        return Graph.of(contents | {row["reference"]: row["bytes"] for row in missing}, edges)

    async def covered(self, graph: Graph, patients: Sequence[str]) -> Graph:
        """The graph with coverages of whoever is the same person as these patients, as if they were theirs."""
        edges = _edges(await self._conn.fetch(_LINKED, split(patients)[1]))
        if not edges:
            return graph
        wanted = {reference for edge in edges for reference in (edge.source, edge.target)} - graph.contents.keys()
        rows = await self._conn.fetch(_CONTENTS, *split(sorted(wanted)))
        return Graph.of({**graph.contents, **{row["reference"]: row["bytes"] for row in rows}}, graph.edges + edges)

    async def announce(self, type: str, body: Message, key: str, journey_id: str, version: int) -> None:
        await self._unit.emit(type, body, key=key, journey_id=journey_id, version=version)


def _edges(rows: Iterable[Iterable[str]]) -> tuple[Edge, ...]:
    return tuple(Edge(f"{row[0]}/{row[1]}", row[2], f"{row[3]}/{row[4]}") for row in sorted(tuple(row) for row in rows))
