"""SQL of the message store: taking in many at once, work in the order of each patient, search and replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bus import Unit

from interface_engine.model_messages import (
    QUARANTINED,
    Arrival,
    Ending,
    Message,
    Taken,
    Wanted,
)
from interface_engine.store.shapes import columns, split

_COLUMNS = (
    "id, channel, raw, sha256, identity, control_id, kind, mrn, account, visit, subject, ack, state, reason, path, "
    "charges_in, cents_in, day, work_id"
)
_TAKE = f"""
insert into message ({_COLUMNS}, received_at, copy)
select {_COLUMNS}, $20, $21::smallint from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[],
    $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::text[], $14::text[],
    $15::text[], $16::integer[], $17::bigint[], $18::date[], $19::text[]) with ordinality as i({_COLUMNS}, n)
order by n on conflict do nothing returning id
"""
_FIRST = """
select id, sha256, ack, state, received_at from message where identity = $1 and channel = $2 and copy = 0 for update
"""
_TWIN = "select id, ack, state from message where identity = $1 and sha256 = $2 and channel = $3 and copy = 1"
# A message waits for the earlier ones of its subject that are not done, the failed ones too.
_CLAIM = """
update message set leased_until = $2 where id in (
    select m.id from message m
    where m.state = 'received' and coalesce(m.next_at, $1) <= $1 and coalesce(m.leased_until, $1) <= $1
    and (m.subject = '' or not exists (
        select 1 from message e
        where e.subject = m.subject and e.position < m.position and e.state in ('received', 'failed')
    ))
    order by m.position limit $3 for update skip locked
) returning *, '{}'::text[] as resources
"""
_FINISH = """
update message set state = $2, reason = $3, path = $4, finished_at = $5, work_id = $6, leased_until = null
where id = $1 and state = 'received' returning 1
"""
_NOTE = """
insert into message_resource (message_id, type, resource_id) select $1, * from unnest($2::text[], $3::text[])
on conflict do nothing
"""
_LATER = """
update message set attempts = attempts + 1, next_at = $2, leased_until = null where id = $1 and state = 'received'
"""
_AGAIN = """
update message set state = 'received', reason = '', path = '', attempts = 0, next_at = null, leased_until = null,
    finished_at = null, work_id = ''
where id = $1
"""
_PRUNE = """
with old as (
    select id from message where finished_at < $1 and state in ('kept', 'filtered', 'dismissed') limit $2
), noted as (delete from message_resource r using old where r.message_id = old.id)
delete from message m using old where m.id = old.id
"""
_RESOURCES = "array(select type || '/' || resource_id from message_resource r where r.message_id = m.id order by 1)"
_SELECT = f"select m.*, {_RESOURCES} as resources from message m"
# A claim is found by the visits that it bills.
_OF_RESOURCE = """
m.id in (select r.message_id from message_resource r join (
    select {type} as type, {id} as id
    union select f.to_type, f.to_id from reference f
    where f.from_type = {type} and f.from_id = {id} and f.to_type = 'Encounter'
) w on r.resource_id = w.id and r.type = w.type)
"""


class Messages:
    """The message store in one open transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._conn = unit.conn

    async def take(self, arrivals: Sequence[Arrival], numbers_kept: timedelta) -> list[Taken]:
        """Keeps what is new, in the order given, and knows again what came before.

        The same number with another text goes into quarantine, unless the first is older than `numbers_kept`.
        """
        fresh = await self._insert(arrivals, 0)
        return [
            Taken(one.id, one.ack, one.state) if one.id in fresh else await self._known(one, numbers_kept)
            for one in arrivals
        ]

    async def _insert(self, arrivals: Sequence[Arrival], copy: int) -> set[str]:
        rows = [
            (one.id, one.channel, one.raw, one.sha256, one.identity, one.control_id, one.kind, one.mrn, one.account,
             one.visit, one.subject, one.ack, one.state, one.reason, one.path, one.charges_in, one.cents_in, one.day,
             one.work_id)
            for one in arrivals
        ]  # fmt: skip
        found = await self._conn.fetch(_TAKE, *columns(rows, 19), self._unit.now, copy)
        return {str(row["id"]) for row in found}

    async def _known(self, arrival: Arrival, numbers_kept: timedelta) -> Taken:
        first: Any = await self._conn.fetchrow(_FIRST, arrival.identity, arrival.channel)
        if first["sha256"] == arrival.sha256:
            return Taken(str(first["id"]), first["ack"], first["state"], again=True)
        if first["received_at"] < self._unit.now - numbers_kept:
            await self._conn.execute("update message set copy = 2 where id = $1", first["id"])
            await self._insert([arrival], 0)
            return Taken(arrival.id, arrival.ack, arrival.state)
        return Taken(arrival.id, b"", QUARANTINED)

    async def quarantine(self, arrival: Arrival) -> Taken:
        """Keeps a text whose number belongs to another; the same text once more gets the same answer."""
        if await self._insert([arrival], 1):
            return Taken(arrival.id, arrival.ack, QUARANTINED)
        twin: Any = await self._conn.fetchrow(_TWIN, arrival.identity, arrival.sha256, arrival.channel)
        return Taken(str(twin["id"]), twin["ack"], twin["state"], again=True)

    # Work

    async def claim(self, until: datetime, limit: int) -> list[Message]:
        """Messages that may be worked on now, ours until then; the earliest first."""
        rows = await self._conn.fetch(_CLAIM, self._unit.now, until, limit)
        return sorted((_message(row) for row in rows), key=lambda one: one.position)

    async def finish(self, message_id: str, ending: Ending, work_id: str = "") -> bool:
        """False when another worker was faster."""
        arguments = (ending.state, ending.reason, ending.path, self._unit.now, work_id)
        if await self._conn.fetchval(_FINISH, message_id, *arguments) is None:
            return False
        if ending.resources:
            await self._conn.execute(_NOTE, message_id, *split(sorted(set(ending.resources))))
        return True

    async def later(self, message_id: str, at: datetime) -> None:
        """Something was away: not before that time again."""
        await self._conn.execute(_LATER, message_id, at)

    # People

    async def message(self, message_id: str, *, lock: bool = False) -> Message | None:
        row = await self._conn.fetchrow(f"{_SELECT} where m.id = $1{' for update' if lock else ''}", message_id)
        return _message(row) if row is not None else None

    async def find(self, wanted: Wanted) -> list[Message]:
        """The newest first."""
        arguments: list[Any] = []
        conditions = list(_conditions(wanted, arguments))
        arguments.append(wanted.limit)
        where = f" where {' and '.join(conditions)}" if conditions else ""
        sql = f"{_SELECT}{where} order by m.position desc limit ${len(arguments)}"
        return [_message(row) for row in await self._conn.fetch(sql, *arguments)]

    async def again(self, message_id: str) -> None:
        """Received once more: it will be worked on as if it had come now, in its old place."""
        await self._conn.execute(_AGAIN, message_id)

    async def dismiss(self, message_id: str, reason: str) -> None:
        sql = "update message set state = 'dismissed', reason = $2, finished_at = $3, work_id = '' where id = $1"
        await self._conn.execute(sql, message_id, reason, self._unit.now)

    async def prune(self, before: datetime, limit: int = 1000) -> int:
        """Deletes what was done with before that time; how many. What is open, failed or in quarantine stays."""
        return int((await self._conn.execute(_PRUNE, before, limit)).rpartition(" ")[2])


def _conditions(wanted: Wanted, arguments: list[Any]) -> list[str]:
    found: list[str] = []

    def argument(value: Any, cast: str = "") -> str:
        arguments.append(value)
        return f"${len(arguments)}{cast}"

    found.extend(f"m.{name} = {argument(value)}" for name, value in wanted.by().items())
    if wanted.states:
        found.append(f"m.state = any({argument(list(wanted.states), '::text[]')})")
    if wanted.since is not None:
        found.append(f"m.received_at >= {argument(wanted.since)}")
    if wanted.before is not None:
        found.append(f"m.position < {argument(wanted.before)}")
    if wanted.resource:
        type_name, _, identity = wanted.resource.partition("/")
        given: Mapping[str, str] = {"type": argument(type_name, "::text"), "id": argument(identity, "::text")}
        found.append(_OF_RESOURCE.format(**given))
    return found


def _message(row: Any) -> Message:
    texts = {name: row[name] for name in ("channel", "control_id", "kind", "mrn", "account", "visit", "subject",
                                          "state", "reason", "path", "work_id")}  # fmt: skip
    return Message(
        id=str(row["id"]),
        position=row["position"],
        received_at=row["received_at"],
        raw=row["raw"],
        attempts=row["attempts"],
        finished_at=row["finished_at"],
        day=row["day"],
        resources=tuple(row["resources"]),
        **texts,
    )
