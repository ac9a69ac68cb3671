"""Pages, orders, totals and what is included: complete, without doubles, also while others write."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from engine_shelf import Resource, Shelf, open_shelf, query_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interface_engine.store import repository as store
from kernel.errors import Unreadable
from platform_fixture import Platform

FAMILIES = ("Alder", "Birch", "Cedar", None)


@pytest.fixture
async def shelf(platform: Platform, tenant: str) -> AsyncIterator[Shelf]:
    async with open_shelf(platform.url_for("interface-engine"), tenant) as opened:
        yield opened


def person(number: int, family: str | None = "Alder", born: str | None = None) -> Resource:
    made: Resource = {"resourceType": "Patient", "id": f"p{number:03}"}
    made |= {"name": [{"family": family}]} if family else {}
    return made | ({"birthDate": born} if born else {})


def people(count: int) -> list[Resource]:
    """Some with the same name or day, some without either."""
    return [person(n, FAMILIES[n % 4], None if n % 5 == 0 else f"19{50 + n % 7}-01-0{1 + n % 3}") for n in range(count)]


async def all_ids(shelf: Shelf, url: str, size: int) -> list[str]:
    return [one.id async for page in shelf.pages(url, size) for one in page]


SORTS = ("_id", "-_id", "_lastUpdated", "-_lastUpdated", "birthdate", "-birthdate", "family", "-family,birthdate",
         "family,-_lastUpdated,-birthdate", "identifier", "-organization", "_lastUpdated,-_id")  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_of_any_size_make_one_whole_in_order(shelf: Shelf, sort: str) -> None:
    sent = people(23)
    for start in range(0, 23, 8):
        await shelf.put(*sent[start : start + 8])
        shelf.clock.advance(seconds=1)
    whole = await shelf.ids(f"Patient?_sort={sort}")
    assert sorted(whole) == [one["id"] for one in sent]
    for size in (1, 4, 22, 23, 24):
        assert await all_ids(shelf, f"Patient?_sort={sort}", size) == whole


async def test_the_order_is_what_was_asked_for(shelf: Shelf) -> None:
    await shelf.put(person(1, "Birch", "1950"), person(2, "Alder", "1960"), person(3, None, "1970"), person(4, "Alder"))
    assert await shelf.ids("Patient?_sort=family") == ["p002", "p004", "p001", "p003"]
    assert await shelf.ids("Patient?_sort=-family") == ["p001", "p004", "p002", "p003"]
    assert await shelf.ids("Patient?_sort=-birthdate") == ["p003", "p002", "p001", "p004"]
    assert await shelf.ids("Patient?_sort=family,-birthdate") == ["p002", "p004", "p001", "p003"]
    assert await shelf.ids("Patient?_sort=-_id&family:missing=false") == ["p004", "p002", "p001"]


async def test_pages_while_others_write_have_each_once(shelf: Shelf) -> None:
    """What was there from beginning to end is seen exactly once, wherever new ones come in."""
    await shelf.put(*people(30))
    numbers = iter(random.sample(range(100, 900), 700))
    for sort in ("_id", "-_lastUpdated", "family", "-birthdate", "birthdate"):
        seen: list[str] = []
        async for page in shelf.pages(f"Patient?_sort={sort}", 4):
            seen += [one.id for one in page]
            shelf.clock.advance(seconds=1)
            await shelf.put(person(next(numbers), random.choice(FAMILIES), "1955-01-01"))
        assert len(set(seen)) == len(seen), sort
        assert {f"p{n:03}" for n in range(30)} <= set(seen), sort


async def test_a_match_that_ended_a_page_may_change_or_go(shelf: Shelf) -> None:
    await shelf.put(*(person(n, family) for n, family in enumerate(("Alder", "Birch", "Cedar", "Dogwood"))))
    seen = []
    async for page in shelf.pages("Patient?_sort=family", 2):
        seen += [one.id for one in page]
        if len(seen) == 2:
            await shelf.put(person(1, "Zelkova"))
            await shelf.delete("Patient/p001")
    assert seen == ["p000", "p001", "p002", "p003"]


@pytest.mark.parametrize("cursor", ["x", "1.", "1.p1", "99999999999999999999.p000", "1.p000;drop", "\x00", "1.é"])
async def test_a_cursor_of_others_is_refused(shelf: Shelf, cursor: str) -> None:
    await shelf.put(person(0))
    with pytest.raises(Unreadable):
        await shelf.ids(f"Patient?_cursor={cursor}")


async def test_totals(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    await shelf.put(*people(12))
    monkeypatch.setattr(store, "MOST_COUNTED", 5)
    monkeypatch.setattr(store, "MOST_ESTIMATED", 10)
    async with shelf.open() as repository:
        for asked, expected in (
            ("", None),
            ("_total=none", None),
            ("_total=accurate", 12),
            ("_total=estimate", 10),
            ("_summary=count", 12),
            ("_id=p000", 1),
            ("_total=estimate&_id=p000", 1),
            ("_total=none&_id=p000", None),
        ):
            assert await repository.total(query_of(f"Patient?{asked}")) == expected, asked
        assert await repository.count(query_of("Patient"), 7) == 7


GRAPH: tuple[Resource, ...] = (
    {"resourceType": "Organization", "id": "o1", "partOf": {"reference": "Organization/o2"}},
    {"resourceType": "Organization", "id": "o2", "partOf": {"reference": "Organization/o3"}},
    {"resourceType": "Organization", "id": "o3"},
    person(1) | {"managingOrganization": {"reference": "Organization/o1"}},
    person(2),
    *(
        {"resourceType": "Encounter", "id": f"e{n}", "subject": {"reference": f"Patient/p00{n}"},
         "serviceProvider": {"reference": "Organization/o1"}} for n in (1, 2)
    ),
    {"resourceType": "Observation", "id": "b1", "encounter": {"reference": "Encounter/e1"}},
    {"resourceType": "Observation", "id": "b2", "hasMember": [{"reference": "Observation/b1"}]},
)  # fmt: skip


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("Encounter?_id=e1&_include=Encounter:patient", "Patient/p001"),
        ("Encounter?_include=Encounter:patient", "Patient/p001 Patient/p002"),
        ("Encounter?_include=Encounter:service-provider", "Organization/o1"),
        ("Encounter?_id=e1&_include=Encounter:subject:Group", ""),
        ("Encounter?_id=e1&_include=Encounter:*", "Organization/o1 Patient/p001"),
        (
            "Encounter?_id=e1&_include=Encounter:patient&_include:iterate=Patient:organization",
            "Organization/o1 Patient/p001",
        ),
        ("Encounter?_id=e1&_revinclude=Observation:encounter", "Observation/b1"),
        ("Encounter?_id=e2&_revinclude=Observation:encounter", ""),
        (
            "Patient?_id=p001&_revinclude=Encounter:patient&_revinclude:iterate=Observation:encounter",
            "Encounter/e1 Observation/b1",
        ),
        ("Organization?_id=o1&_include:iterate=Organization:partof", "Organization/o2 Organization/o3"),
        ("Organization?_include=Organization:partof", ""),
        ("Patient?_id=none&_revinclude=Encounter:patient", ""),
    ],
)  # fmt: skip
async def test_what_is_included(shelf: Shelf, url: str, expected: str) -> None:
    await shelf.put(*GRAPH)
    assert await shelf.included(url) == expected.split()


async def test_no_more_is_included_than_the_limit(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_INCLUDED", 3)
    await shelf.put(
        *people(1),
        *({"resourceType": "Observation", "id": f"b{n}", "subject": {"reference": "Patient/p000"}} for n in range(9)),
    )
    found = await shelf.included("Patient?_revinclude=Observation:subject&_revinclude=Observation:patient")
    assert len(found) == len(set(found)) == 3


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(FAMILIES), st.sampled_from([None, "1950", "1950-02", "1951-03-04"])), max_size=9
    ),
    sort=st.lists(st.sampled_from(["family", "birthdate", "_lastUpdated"]), unique=True, min_size=1),
    signs=st.integers(0, 7),
    size=st.integers(1, 4),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_pages_as_it_lists(
    shelf: Shelf, rows: list[tuple[str | None, str | None]], sort: list[str], signs: int, size: int
) -> None:
    """Each example in a tenant of its own."""
    shelf.tenant = f"t{uuid4().hex[:12]}"
    for number, (family, born) in enumerate(rows):
        await shelf.put(person(number, family, born))
        shelf.clock.advance(seconds=number % 2)
    order = ",".join(f"{'-' if signs >> place & 1 else ''}{name}" for place, name in enumerate(sort))
    whole = await shelf.ids(f"Patient?_sort={order}")
    assert len(whole) == len(rows)
    assert await all_ids(shelf, f"Patient?_sort={order}", size) == whole
