"""SQL of the repository that is the same for every request: what is written, read by id, and read page by page."""

from __future__ import annotations

# Lookups are lateral on purpose: each key is an index lookup of its own, whatever the planner believes of table sizes
# that it has not seen yet. A plan that was made for an empty table would otherwise read a full one from end to end.
CURRENT = """
select w.type || '/' || w.id as reference, r.version, r.sha256, r.status, r.deleted
from unnest($1::text[], $2::text[]) as w(type, id)
cross join lateral (
    select version, sha256, status, deleted from resource where type = w.type and id = w.id limit 1
) r
"""
INDEXES = ("token", "string", "day", "number", "uri")
# What a resource is found by: one row of `place` (its number in `done`) and its values, for each table the same way.
# An index row carries the version that it was made of, so that the rows of earlier versions can go (FORGET).
INDEX = """
, tokens as (
    insert into token (owner, version, name, system, code)
    select done.number, done.version, u.name, u.system, u.code
    from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as u(place, name, system, code)
    join done on done.place = u.place
), strings as (
    insert into string (owner, version, name, folded)
    select done.number, done.version, u.name, u.folded
    from unnest($5::int[], $6::text[], $7::text[]) as u(place, name, folded) join done on done.place = u.place
), days as (
    insert into day (owner, version, name, low, high)
    select done.number, done.version, u.name, u.low, u.high
    from unnest($8::int[], $9::text[], $10::timestamptz[], $11::timestamptz[]) as u(place, name, low, high)
    join done on done.place = u.place
), numbers as (
    insert into number (owner, version, name, value, system, code)
    select done.number, done.version, u.name, u.value, u.system, u.code
    from unnest($12::int[], $13::text[], $14::text[], $15::text[], $16::text[]) as u(place, name, value, system, code)
    join done on done.place = u.place
), uris as (
    insert into uri (owner, version, name, value)
    select done.number, done.version, u.name, u.value
    from unnest($17::int[], $18::text[], $19::text[]) as u(place, name, value) join done on done.place = u.place
)
"""
# One statement for resources, versions and all indexes. A resource that came by HTTP replaces exactly the version that
# was read; one that a fact carries replaces whatever an older fact told, and nothing that a newer one did.
PUT = f"""
with input as (
    select * from unnest($20::text[], $21::text[], $22::bigint[], $23::bytea[], $24::bytea[], $25::text[])
        with ordinality as i(type, id, version, bytes, sha256, status, place)
), put as (
    insert into resource as r (type, id, version, sha256, status, told_at, updated_at, indexed)
    select type, id, version, sha256, status, $26::timestamptz, $27::timestamptz, true from input order by type, id
    on conflict (tenant, type, id) do update set version = r.version + 1, sha256 = excluded.sha256, deleted = false,
        status = excluded.status, told_at = excluded.told_at, updated_at = excluded.updated_at, indexed = true
    where case when excluded.told_at is null then r.version = excluded.version - 1
        else r.told_at is null or r.told_at <= excluded.told_at end
    returning r.type, r.id, r.version, r.number
), done as (
    select i.place, i.type, i.id, put.version, put.number, i.bytes, i.sha256
    from input i join put on put.type = i.type and put.id = i.id
), kept as (
    insert into resource_version (type, id, version, bytes, sha256, received_at, client, source)
    select type, id, version, bytes, sha256, $27::timestamptz, $28, $29 from done
), referring as (
    insert into reference (from_type, from_id, version, path, to_type, to_id)
    select done.type, done.id, done.version, u.path, u.to_type, u.to_id
    from unnest($30::int[], $31::text[], $32::text[], $33::text[]) as u(place, path, to_type, to_id)
    join done on done.place = u.place
)
{INDEX}
select type, id, version, number from put
"""
# Rows are found by the index of their owners and then deleted where they lie. A join would be planned by what the
# tables hold at the time, and while they are small that is to read them whole.
_GONE = """delete from {table} where ctid = any (array(
    select t.ctid from old cross join lateral (
        select ctid from {table} where {owned} and version < old.version offset 0
    ) t))"""
_BY_NUMBER = [_GONE.format(table=table, owned="owner = old.number") for table in INDEXES]
FORGET = f"""
with old as (
    select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) as o(number, version, type, id)
), {", ".join(f"{table}s as ({gone})" for table, gone in zip(INDEXES, _BY_NUMBER, strict=True))}
{_GONE.format(table="reference", owned="from_type = old.type and from_id = old.id")}
"""
# What a fact has told before the deletion does not bring the resource back.
DELETE = """
with gone as (
    update resource set version = version + 1, sha256 = '', status = '', deleted = true, indexed = true,
        told_at = $4, updated_at = $4
    where type = $1 and id = $2 and version = $3 and not deleted
    returning number, version
), kept as (
    insert into resource_version (type, id, version, bytes, sha256, received_at, client, source, deleted)
    select $1, $2, version, '', '', $4, $5, $6, true from gone
)
select number, version from gone
"""
UNINDEXED = """
select r.type, r.id, r.version, r.number, v.bytes
from resource r join resource_version v using (tenant, type, id, version)
where not r.indexed order by r.type, r.id limit $1
for update of r skip locked
"""
# Identifiers were copied when the tables were made; they are made anew here with all else.
REINDEX = f"""
with done as (
    select * from unnest($20::bigint[], $21::bigint[]) with ordinality as i(number, version, place)
), marked as (update resource set indexed = true where number = any($20::bigint[])
)
{INDEX}
select 1
"""
READ = """
select v.type, v.id, v.bytes, v.version, v.received_at, v.deleted
from resource r join resource_version v using (tenant, type, id, version) where r.type = $1 and r.id = $2
"""
READ_VERSION = """
select type, id, bytes, version, received_at, deleted from resource_version
where type = $1 and id = $2 and version = $3
"""
REFERRERS = """
select distinct x.from_type || '/' || x.from_id as reference
from unnest($1::text[], $2::text[]) as w(type, id)
cross join lateral (
    select distinct from_type, from_id from reference where to_type = w.type and to_id = w.id limit $3
) x order by 1 limit $3
"""
# Identifiers of several resources at once: what conditions ask for nearly always.
IDENTIFIED = """
select w.place, r.id
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as w(name, system, code, place)
cross join lateral (
    select distinct owner from token where code = w.code and name = w.name and (w.system is null or system = w.system)
) x
cross join lateral (select id from resource where number = x.owner and not deleted limit 1) r
order by w.place, r.id
"""
LOCK = "select pg_advisory_xact_lock(hashtextextended($1 || t, 0)) from unnest($2::text[]) t"
# Before a search: whether some of these types are not yet indexed; and a plan for its values, not for any, where the
# values decide which way is short.
PREPARE = """
select exists (select 1 from resource where type = any($1::text[]) and not indexed),
    set_config('plan_cache_mode', $2, true)
"""
# History stands in the order in which versions came; `position` tells apart what came in one moment. Texts are fetched
# for the page alone, after it is known.
_KNOWN_BY_THEN = """
    select v.type, v.id, v.version, v.received_at, v.deleted, v.position from resource_version v
    where {chosen}
    and ($2::timestamptz is null or v.received_at >= $2)
    and ($3::timestamptz is null or v.received_at <= $3 and not exists (
        select 1 from resource_version l
        where l.type = v.type and l.id = v.id and l.version > v.version and l.received_at <= $3))
    and ($4::timestamptz is null or (v.received_at, v.position) < ($4, $5::bigint))
    order by v.received_at desc, v.position desc limit $6
"""
_WITH_TEXTS = """
select h.*, b.bytes from ({versions}) h cross join lateral (
    select bytes from resource_version where type = h.type and id = h.id and version = h.version limit 1
) b order by h.received_at desc, h.position desc
"""
HISTORY_OF_ONE = _WITH_TEXTS.format(versions=_KNOWN_BY_THEN.format(chosen="v.type = $1 and v.id = $7"))
# Each type by itself, so that one index serves a type's history and that of all.
HISTORY = _WITH_TEXTS.format(
    versions=f"""
    select t.* from unnest($1::text[]) as w(type)
    cross join lateral ({_KNOWN_BY_THEN.format(chosen="v.type = w.type")}) t
    order by t.received_at desc, t.position desc limit $6
    """
)
# Stage 0 is the resource itself, 1 what belongs to it, 2 what those refer to.
EVERYTHING = """
with inside as (
    select 0 as stage, $1::text as type, $2::text as id
    union select 1, x.from_type, x.from_id
    from unnest($3::text[], $4::text[]) as w(type, path) cross join lateral (
        select from_type, from_id from reference
        where to_type = $1 and to_id = $2 and from_type = w.type and path = w.path offset 0
    ) x
), around as (
    select 2 as stage, x.to_type as type, x.to_id as id from inside cross join lateral (
        select to_type, to_id from reference where from_type = inside.type and from_id = inside.id offset 0
    ) x
), found as (
    select type, id, min(stage) as stage from (select * from inside union all select * from around) f
    where $5::text[] is null or type = any($5) group by type, id
)
select f.stage, m.type, m.id, v.bytes, m.version, m.updated_at as received_at, false as deleted
from found f cross join lateral (
    select type, id, version, updated_at from resource
    where type = f.type and id = f.id and not deleted and ($6::timestamptz is null or updated_at >= $6) limit 1
) m cross join lateral (
    select bytes from resource_version where type = m.type and id = m.id and version = m.version limit 1
) v
where (f.stage, m.type, m.id) > ($7::int, $8::text, $9::text)
order by f.stage, m.type, m.id limit $10
"""
# What goes into one file of an export: all of a type, or what belongs to the patients of a group.
EXPORTED = """
from resource r where r.type = $1 and not r.deleted
and ($2::timestamptz is null or r.updated_at >= $2) and ($3::timestamptz is null or r.updated_at <= $3)
"""
EXPORTED_OF_GROUP = """
from (
    select p.to_id as id from reference p
    where p.from_type = 'Group' and p.from_id = $4 and p.path = 'Group.member.entity' and p.to_type = 'Patient'
    and $1 = 'Patient'
    union
    select x.from_id from (
        select distinct p.to_id from reference p
        where p.from_type = 'Group' and p.from_id = $4 and p.path = 'Group.member.entity' and p.to_type = 'Patient'
    ) p cross join lateral (
        select from_id from reference
        where to_type = 'Patient' and to_id = p.to_id and from_type = $1 and path = any($5::text[]) offset 0
    ) x
) g cross join lateral (
    select * from resource where type = $1 and id = g.id and not deleted limit 1
) r
where ($2::timestamptz is null or r.updated_at >= $2) and ($3::timestamptz is null or r.updated_at <= $3)
"""
_EXPORT = """
select m.type, m.id, v.bytes, m.version, m.updated_at as received_at, false as deleted
from (select r.type, r.id, r.version, r.updated_at {exported} and r.id > ${after} order by r.id limit ${limit}) m
cross join lateral (
    select bytes from resource_version where type = m.type and id = m.id and version = m.version limit 1
) v order by m.id
"""
EXPORT = _EXPORT.format(exported=EXPORTED, after=4, limit=5)
EXPORT_OF_GROUP = _EXPORT.format(exported=EXPORTED_OF_GROUP, after=6, limit=7)
