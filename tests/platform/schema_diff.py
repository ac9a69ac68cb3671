"""What a migration does to code that does not know of it, read from PostgreSQL's own catalog before and after.

A catalog cannot be fooled by how the SQL was written. What it does not show, changes to rows, is read from the
statements that ran.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

# Each gives rows (name, place, facts as JSON); the name is unique among its kind.
QUERIES: Mapping[str, str] = {
    "table": """
        select relname, relname, jsonb_build_object('kind', relkind, 'security', relrowsecurity,
            'forced', relforcerowsecurity, 'view', case when relkind in ('v', 'm') then pg_get_viewdef(c.oid) end)
        from pg_class c where relnamespace = %(schema)s::regnamespace and relkind in ('r', 'p', 'v', 'm')""",
    "column": """
        select relname || '.' || attname, relname, jsonb_build_object('type', format_type(atttypid, atttypmod),
            'required', attnotnull, 'given', coalesce(pg_get_expr(adbin, adrelid), ''),
            'made', attidentity::text || attgenerated::text)
        from pg_attribute a join pg_class c on c.oid = attrelid left join pg_attrdef on adrelid = attrelid
            and adnum = attnum
        where relnamespace = %(schema)s::regnamespace and relkind in ('r', 'p', 'v', 'm') and attnum > 0
            and not attisdropped""",
    "constraint": """
        select relname || '.' || conname, relname, jsonb_build_object('kind', contype,
            'says', pg_get_constraintdef(o.oid), 'columns', (select coalesce(jsonb_agg(attname), '[]')
                from pg_attribute where attrelid = conrelid and attnum = any(conkey)))
        from pg_constraint o join pg_class c on c.oid = conrelid
        where relnamespace = %(schema)s::regnamespace and contype <> 'n'""",
    "index": """
        select i.relname, c.relname, jsonb_build_object('unique', indisunique, 'says', pg_get_indexdef(indexrelid),
            'columns', (select coalesce(jsonb_agg(attname), '[]') from pg_attribute
                where attrelid = indrelid and attnum = any(indkey::int2[])))
        from pg_index join pg_class i on i.oid = indexrelid join pg_class c on c.oid = indrelid
        where c.relnamespace = %(schema)s::regnamespace""",
    "trigger": """
        select relname || '.' || tgname, relname, jsonb_build_object('says', pg_get_triggerdef(t.oid),
            'body', prosrc)
        from pg_trigger t join pg_class c on c.oid = tgrelid join pg_proc p on p.oid = tgfoid
        where relnamespace = %(schema)s::regnamespace and not tgisinternal""",
    "policy": """
        select tablename || '.' || policyname, tablename, to_jsonb(p) from pg_policies p
        where schemaname = %(schema)s""",
    "function": """
        select p.oid::regprocedure::text, '', jsonb_build_object('says', pg_get_functiondef(p.oid))
        from pg_proc p where pronamespace = %(schema)s::regnamespace and prokind in ('f', 'p')""",
    "grant": """
        select relname || ' ' || privilege_type || ' to ' || grantee::regrole, relname, '{}'::jsonb
        from pg_class, aclexplode(relacl) where relnamespace = %(schema)s::regnamespace and grantee <> relowner""",
    "type": """
        select typname || '.' || enumlabel, '', '{}'::jsonb from pg_enum join pg_type t on t.oid = enumtypid
        where typnamespace = %(schema)s::regnamespace""",
}
BOOKKEEPING = frozenset({"alembic_version", "schema_serves"})


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a schema: `table` is where it stands, "" for what stands by itself."""

    kind: str
    name: str
    table: str
    facts: Mapping[str, Any] = field(hash=False)


Schema = dict[tuple[str, str], Thing]


def read_schema(connection: psycopg.Connection[Any], schema: str) -> Schema:
    """Everything in a schema that its code can rely on, but for the bookkeeping of migrations."""
    found: Schema = {}
    for kind, query in QUERIES.items():
        for name, table, facts in connection.execute(query, {"schema": schema}):
            if table not in BOOKKEEPING:
                found[kind, name] = Thing(kind, name, table, facts)
    return found


def contractions(before: Schema, after: Schema, statements: Sequence[str] = ()) -> list[str]:
    """What code that knows `before` would miss in `after`, in sentences; nothing when it runs as it did."""
    lost = [before[key] for key in before.keys() - after.keys()]
    gone = (f"{thing.kind} {thing.name} is gone" for thing in lost if _missed(thing, after))
    changed = (sentence for key in before.keys() & after.keys() for sentence in _changed(before[key], after[key]))
    added = (sentence for key in after.keys() - before.keys() for sentence in _added(after[key], before, after))
    return sorted([*gone, *changed, *added, *_rows_touched(statements, before)])


def _missed(thing: Thing, after: Schema) -> bool:
    """Whether code can tell that it is gone; what goes with its table is not counted again. What kept something out
    counts, too: old code may rely on never meeting it."""
    goes_along = thing.kind != "table" and thing.table != "" and ("table", thing.table) not in after
    return not goes_along and (thing.kind != "index" or bool(thing.facts["unique"]))


def _changed(old: Thing, new: Thing) -> Iterator[str]:
    if old.facts == new.facts or (old.kind == "index" and not old.facts["unique"] and not new.facts["unique"]):
        return
    if old.kind == "constraint" and _allows_more(str(old.facts["says"]), str(new.facts["says"])):
        return
    differing = ", ".join(sorted(key for key in old.facts if old.facts[key] != new.facts.get(key)))
    yield f"{old.kind} {old.name} has another {differing}"


_LISTED = re.compile(r"CHECK \(\((\w+) = ANY \(ARRAY\[(.*)\]\)\)\)")


def _allows_more(old: str, new: str) -> bool:
    """A list of allowed values that has grown."""
    was, now = _LISTED.fullmatch(old), _LISTED.fullmatch(new)
    return bool(was and now and was[1] == now[1] and set(was[2].split(", ")) <= set(now[2].split(", ")))


def _added(new: Thing, before: Schema, after: Schema) -> Iterator[str]:
    """What is new in a table that was there before. A new table is nothing that old code would meet."""
    if ("table", new.table) not in before:
        return
    says = _ON_OLD_TABLES.get(new.kind, lambda thing, before, after: "")(new, before, after)
    if says:
        yield f"{new.kind} {new.name} {says}"


def _new_column(column: Thing, _before: Schema, _after: Schema) -> str:
    facts = column.facts
    return "" if facts["given"] or facts["made"] or not facts["required"] else "is required and old code gives none"


def _only_new_columns(thing: Thing, before: Schema) -> bool:
    columns = thing.facts["columns"]
    return bool(columns) and not any(("column", f"{thing.table}.{name}") in before for name in columns)


def _never_alike(thing: Thing, before: Schema, after: Schema) -> bool:
    """Whether rows of old code differ in a new column by themselves: by a null, or by a number that is counted."""
    keys = [("column", f"{thing.table}.{name}") for name in thing.facts["columns"]]
    facts = [after[key].facts for key in keys if key not in before]
    return any(one["made"] in ("a", "d") or not (one["required"] or one["given"]) for one in facts)


def _new_constraint(constraint: Thing, before: Schema, after: Schema) -> str:
    if constraint.facts["kind"] in ("u", "p", "x"):
        return _new_unique(constraint, before, after)
    return "" if _only_new_columns(constraint, before) else "may refuse what old code writes"


def _new_unique(thing: Thing, before: Schema, after: Schema) -> str:
    allowed = not thing.facts.get("unique", True) or _never_alike(thing, before, after)
    return "" if allowed else "may refuse what old code writes"


def _new_trigger(trigger: Thing, _before: Schema, _after: Schema) -> str:
    return "may refuse what old code writes" if "raise exception" in str(trigger.facts["body"]).lower() else ""


def _new_policy(policy: Thing, _before: Schema, _after: Schema) -> str:
    return "hides what old code sees" if policy.facts["permissive"] == "RESTRICTIVE" else ""


_ON_OLD_TABLES: Mapping[str, Callable[[Thing, Schema, Schema], str]] = {
    "column": _new_column,
    "constraint": _new_constraint,
    "index": _new_unique,
    "trigger": _new_trigger,
    "policy": _new_policy,
}

_TOUCHES = re.compile(
    r"\b(update|delete\s+from|truncate(?:\s+table)?)\s+(?:only\s+)?(?:\"?\w+\"?\.)?\"?(\w+)\"?", re.IGNORECASE
)
_SET = re.compile(r"(?:,|\bset)\s*\"?(\w+)\"?\s*=(?!=)", re.IGNORECASE)
_NESTED = re.compile(r"\([^()]*\)|'[^']*'")
_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$")


def _rows_touched(statements: Sequence[str], before: Schema) -> Iterator[str]:
    """Rows of old tables that were removed or rewritten; columns that are new may be filled."""
    for statement in (part.strip() for text in statements for part in _flat(text).split(";")):
        first = statement.partition(" ")[0].lower()
        if first == "do":
            yield "a block of code runs, and what it does cannot be read"
        for verb, table in _TOUCHES.findall(statement):
            word = verb.split()[0].lower()
            if ("table", table) in before and first in (word, "with"):
                yield from _row_change(word, table, statement, before)


def _row_change(word: str, table: str, flat: str, before: Schema) -> Iterator[str]:
    if word != "update":
        yield f"rows of {table} are removed"
        return
    body = re.split(r"\b(?:from|where)\b", flat.partition(" set ")[2], maxsplit=1, flags=re.IGNORECASE)[0]
    known = sorted(name for name in _SET.findall("set " + body) if ("column", f"{table}.{name}") in before)
    if known or not _SET.findall("set " + body):
        yield f"rows of {table} get another {', '.join(known) or 'content'}"


def _flat(statement: str) -> str:
    """On one line, without texts, bodies of functions, and what stands in parentheses."""
    text = _BODY.sub(" ", " ".join(re.sub(r"--[^\n]*", " ", statement).split()))
    while (shorter := _NESTED.sub(" ", text)) != text:
        text = shorter
    return text
