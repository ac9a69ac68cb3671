"""Migrations that take something from older code say so, and every other leaves it as it was: by PostgreSQL's catalog.

Each version of each service is applied by itself to a database of its own. What is compared is described in
schema_diff.py; the rule is docs/adr/0026-expand-and-contract.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from chassis.migrations import migrate
from chassis.revision import Version, history_of, installed_services
from platform_fixture import ROLE_PASSWORD, Platform
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.engine import Engine

sys.path.insert(0, str(Path(__file__).parent))  # schema_diff.py lies here

from schema_diff import Schema, contractions, read_schema

# Older than the first release, so that no running code had to be kept. Every other contraction has a release before it
# that runs on both sides.
BEFORE_RELEASES = {("remittance", "0002"), ("journey", "0002"), ("interface_engine", "0002")}


@pytest.fixture(scope="module")
def empty(platform: Platform) -> Iterator[str]:
    """The owner's connection to a database that has nothing in it."""
    name = f"versions_{uuid4().hex[:8]}"
    with psycopg.connect(platform.owner_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield urlunsplit(urlsplit(platform.owner_url)._replace(path=f"/{name}"))
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def statements() -> Iterator[list[str]]:
    """What SQL migrations run meanwhile."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def _step(owner_url: str, service: str, version: Version) -> tuple[Schema, list[str]]:
    with statements() as said:
        migrate(owner_url, [service], ROLE_PASSWORD, to=version.revision)
    with psycopg.connect(owner_url) as connection:
        return read_schema(connection, service), said


@pytest.mark.parametrize("service", installed_services())
def test_what_older_code_would_miss_is_declared(empty: str, service: str) -> None:
    first, *later = history_of(service)
    before, _ = _step(empty, service, first)
    assert len(before) > 20
    for version in later:
        after, said = _step(empty, service, version)
        missed = contractions(before, after, said)
        assert version.serves_from or not missed, f"{service} {version.revision} must declare SERVES_FROM: {missed}"
        before = after


@pytest.mark.parametrize("service", installed_services())
def test_a_contraction_leaves_a_release_that_runs_on_both_sides(service: str) -> None:
    alone = {(service, one.revision) for one in history_of(service) if one.serves_from == one.revision}
    assert alone <= BEFORE_RELEASES, "first release code that no longer needs what goes, with a revision of its own"


STANDING = """
create schema scratch;
set local search_path = scratch;
create type mood as enum ('open', 'closed');
create table thing (tenant text not null, id text not null, state text not null check (state in ('open', 'closed')),
    cents bigint not null default 0, note text, size varchar(20), primary key (tenant, id), unique (tenant, note));
create table line (tenant text not null, id text not null, foreign key (tenant, id) references thing (tenant, id));
create index thing_state on thing (tenant, state);
create view open_thing as select id from thing where state = 'open';
create function worth(text) returns bigint language sql as $$ select 1 $$;
create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
create function copy() returns trigger language plpgsql as $$ begin new.note := new.id; return new; end $$;
create trigger guard before delete on thing for each row execute function refuse();
alter table thing enable row level security;
create policy tenant on thing using (tenant = 'a') with check (tenant = 'a');
grant select, insert on thing to pg_monitor;
"""

CONTRACTS = {
    "drop table line": "table line is gone",
    "drop view open_thing": "table open_thing is gone",
    "create or replace view open_thing as select id from thing": "table open_thing has another view",
    "alter table thing drop column note": "column thing.note is gone",
    "alter table line rename to row": "table line is gone",
    "alter table thing rename column note to remark": "column thing.note is gone",
    "alter table thing add column due date not null": "column thing.due is required",
    "alter table thing alter column note set not null": "column thing.note has another required",
    "alter table thing alter column state drop not null": "column thing.state has another required",
    "alter table thing alter column cents drop default": "column thing.cents has another given",
    "alter table thing alter column cents set default 1": "column thing.cents has another given",
    "alter table thing alter column cents type integer": "column thing.cents has another type",
    "alter table thing alter column size type varchar(10)": "column thing.size has another type",
    "alter table thing alter column size type text": "column thing.size has another type",
    "alter table thing drop constraint thing_state_check": "constraint thing.thing_state_check is gone",
    "alter table thing drop constraint thing_state_check, add constraint thing_state_check check (state in ('open'))":
        "constraint thing.thing_state_check has another says",
    "alter table thing drop constraint thing_state_check, add constraint thing_state_check check (note in ('open'))":
        "constraint thing.thing_state_check has another",
    "alter table thing add check (cents >= 0)": "constraint thing.thing_cents_check may refuse",
    "alter table thing add unique (tenant, cents)": "constraint thing.thing_tenant_cents_key may refuse",
    "alter table thing add column mark text not null default '', add unique (tenant, mark)": "mark_key may refuse",
    "alter table thing add column mark text not null default '' unique": "constraint thing.thing_mark_key may refuse",
    "alter table line drop constraint line_tenant_id_fkey": "constraint line.line_tenant_id_fkey is gone",
    "create unique index thing_cents on thing (tenant, cents)": "index thing_cents may refuse",
    "drop index thing_state; create unique index thing_state on thing (state)": "index thing_state has another",
    "drop function worth(text)": "function worth(text) is gone",
    "create or replace function worth(text) returns bigint language sql as $$ select 2 $$": "another says",
    "drop trigger guard on thing": "trigger thing.guard is gone",
    "create trigger no before insert on line for each row execute function refuse()": "trigger line.no may refuse",
    "drop policy tenant on thing": "policy thing.tenant is gone",
    "alter policy tenant on thing using (true)": "policy thing.tenant has another",
    "create policy less on thing as restrictive using (state = 'open')": "policy thing.less hides",
    "alter table line enable row level security": "table line has another security",
    "alter table thing force row level security": "table thing has another forced",
    "revoke insert on thing from pg_monitor": "grant thing INSERT to pg_monitor is gone",
    "alter table thing alter column note type mood using 'open'::mood": "column thing.note has another type",
    "drop type mood": "type mood.open is gone",
    "delete from thing": "rows of thing are removed",
    "truncate table thing cascade": "rows of thing are removed",
    "update thing set state = 'closed'": "rows of thing get another state",
    "with old as (select id from thing) update thing set cents = 2 from old where old.id = thing.id":
        "rows of thing get another cents",
    "update scratch.thing set (state, cents) = ('open', 1)": "rows of thing get another",
    "do $$ begin delete from thing; end $$": "cannot be read",
}  # fmt: skip

EXPANDS = (
    "create table another (id text primary key, x text not null check (x <> ''))",
    "alter table thing add column due date",
    "alter table thing add column due date not null default current_date",
    "alter table thing add column number bigint generated always as identity unique",
    "alter table thing add column twice bigint generated always as (cents * 2) stored",
    "alter table thing add column mark text check (mark <> ''), add unique (tenant, mark)",
    "alter table thing add column mark integer not null default 0 check (mark >= 0)",
    "create index thing_cents on thing (tenant, cents)",
    "drop index thing_state",
    "drop index thing_state; create index thing_state on thing (state)",
    "alter table thing drop constraint thing_state_check, "
    "add constraint thing_state_check check (state in ('open', 'closed', 'lost'))",
    "create function more() returns bigint language sql as $$ select 1 $$",
    "create trigger kept before insert on thing for each row execute function copy()",
    "create policy also on thing for select using (true)",
    "grant update on thing to pg_monitor",
    "alter table thing add column due date; update thing set due = current_date from line where state = 'open'",
    "alter type mood add value 'lost'",
    "create view closed_thing as select id from thing where state = 'closed'",
    "select id from thing for update",
)

Difference = Callable[[str], list[str]]


@pytest.fixture
def difference(empty: str) -> Iterator[Difference]:
    """What the check says of some SQL in a schema of its own, which is gone afterwards."""
    with psycopg.connect(empty) as connection:

        def compare(statement: str) -> list[str]:
            connection.execute(STANDING)
            before = read_schema(connection, "scratch")
            connection.execute(statement)
            return contractions(before, read_schema(connection, "scratch"), [statement])

        yield compare
        connection.rollback()


@pytest.mark.parametrize("statement", CONTRACTS)
def test_the_check_sees_what_older_code_would_miss(difference: Difference, statement: str) -> None:
    assert any(CONTRACTS[statement] in sentence for sentence in difference(statement))


@pytest.mark.parametrize("statement", EXPANDS)
def test_the_check_lets_through_what_older_code_does_not_meet(difference: Difference, statement: str) -> None:
    assert difference(statement) == []


def test_filling_a_new_column_is_told_from_changing_an_old_one(difference: Difference) -> None:
    mixed = "alter table thing add column due date; update thing set due = current_date, note = id where due is null"
    assert difference(mixed) == ["rows of thing get another note"]
