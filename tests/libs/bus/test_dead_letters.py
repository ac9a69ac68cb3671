"""What was given up is listed until it has been taken in, and is told again by whoever told it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from bus import Database
from chassis.dead_letters import USAGE, connect, letters, main, tell_again
from rcm.engine.v1.engine_pb2 import EncounterCancelled

EVENT = "01a20107-83a9-7f29-b82c-5879623ba279"


async def bury(database: Database, tenant: str, event_id: str, kind: str = "encounter.cancelled") -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute(
            "insert into dead_letter (event_id, type, reason, envelope, died_at) values ($1, $2, 'never', '', $3)",
            event_id,
            kind,
            datetime(2026, 3, 1, tzinfo=UTC),
        )


async def test_a_letter_is_listed_with_who_told_it_until_it_is_taken_in(database: Database, tenant: str) -> None:
    await bury(database, tenant, EVENT)
    await bury(database, f"{tenant}x", "event-of-another", "work.opened")
    await bury(database, tenant, "event-of-tomorrow", "nobody.knows")
    conn = await connect(database.url)
    try:
        found = {one.event_id: one for one in await letters(conn)}
        assert {id: one.told_by for id, one in found.items()} == {
            EVENT: "interface-engine",
            "event-of-another": "",
            "event-of-tomorrow": "",
        }
        assert (found[EVENT].type, found[EVENT].reason) == ("encounter.cancelled", "never")
        async with database.transaction(tenant) as own:
            await own.execute("insert into inbox (event_id) values ($1)", EVENT)
        assert EVENT not in {one.event_id for one in await letters(conn)}
    finally:
        await conn.close()


async def test_a_fact_is_told_again_by_its_own_service_only(database: Database, tenant: str) -> None:
    async with database.unit(tenant) as unit:
        ids = [await unit.emit("encounter.cancelled", EncounterCancelled(), key="Encounter/1") for _ in range(2)]
    done = "update outbox set published_at = now(), confirmed_at = now(), generation = now(), stream_seq = 7"
    conn = await connect(database.url)
    try:
        await conn.execute(done)
        assert await tell_again(conn, [ids[0], EVENT]) == [ids[0]]
        waiting = await conn.fetch("select event_id, confirmed_at from outbox where published_at is null")
        assert [tuple(row) for row in waiting] == [(ids[0], None)]
    finally:
        await conn.close()


@pytest.mark.parametrize("arguments", [[], ["again"], ["list", EVENT], ["bury", EVENT]])
def test_a_command_that_is_none_says_how_it_goes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.strip() == USAGE


def test_it_reads_the_settings_of_the_service_beside_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], platform, probe_schema: str
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.delenv("RCM_POSTGRES_URL", raising=False)
    assert main(["list"]) == 2
    assert "RCM_POSTGRES_URL is not set" in capsys.readouterr().err
    monkeypatch.setenv("RCM_POSTGRES_URL", platform.url_for(probe_schema))
    monkeypatch.setenv("RCM_NATS_URL", platform.nats_url)
    assert main(["list"]) == 0
    assert main(["again", EVENT]) == 1
    assert f"{EVENT}  is not in the outbox of this service" in capsys.readouterr().out
