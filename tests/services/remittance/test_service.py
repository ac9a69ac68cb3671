"""The service as it runs: its own process, its relay and consumer over NATS, its mailbox, its gRPC door."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bus import Database
from chassis import ask, open_channel
from kernel.clock import FixedClock
from kernel.errors import Refused
from rcm.billing.v1.billing_pb2 import ServiceLine
from rcm.claims.v1.claims_pb2 import ClaimChanged
from rcm.remittance.v1 import remittance_pb2 as pb
from rcm.remittance.v1.remittance_pb2_grpc import RemittanceServiceStub

PATIENCE_S = 60.0


def environment(platform: Any, tenant: str, folder: Path) -> dict[str, str]:
    own = {
        "RCM_POSTGRES_URL": platform.url_for("remittance"),
        "RCM_NATS_URL": platform.nats_url,
        "RCM_CLEARINGHOUSE_URL": (folder / "drop").as_uri(),
        "RCM_RUN_DIR": str(folder / "run"),
        "RCM_TENANT": tenant,
        "RCM_TRACING": "off",
    }
    return dict(os.environ) | own


@pytest.fixture
async def address(platform: Any, tenant: str, tmp_path: Path) -> AsyncIterator[str]:
    for name in ("drop", "run"):
        (tmp_path / name).mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "remittance", env=environment(platform, tenant, tmp_path)
    )
    try:
        ready = await until(lambda: asyncio.to_thread(read_if_there, tmp_path / "run" / "remittance.json"))
        yield f"127.0.0.1:{json.loads(ready)['grpc']}"
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


def read_if_there(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def until(look: Any) -> Any:
    """The first answer that is one."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if answer := await look():
                return answer
            await asyncio.sleep(0.05)


async def test_from_a_submitted_claim_and_a_file_to_the_books(
    platform: Any, tenant: str, tmp_path: Path, address: str, payment: Any, era: Any
) -> None:
    database = Database(platform.url_for("remittance"), "remittance", FixedClock(datetime(2026, 3, 5, tzinfo=UTC)))
    await database.open()
    line = ServiceLine(code="99213", control_number="Lc1", charge_cents=10000, units="1")
    claim = ClaimChanged(
        claim_id="c1",
        control_number="CTLc1",
        encounter="Encounter/c1",
        payer_id="SYNPA",
        total_cents=10000,
        lines=[line],
    )
    async with database.unit(tenant) as unit:
        await unit.emit("claim.submitted", claim, key="Encounter/c1", journey_id="a" * 32)
    await database.close()
    place = tmp_path / "drop" / "out" / "835"
    place.mkdir(parents=True)
    (place / "000000000001-f1.x12").write_text(era(payment(adjustments=(("CO", "45", 4000), ("PR", "2", 1200)))))

    channel = open_channel(address)
    stub: Any = RemittanceServiceStub(channel)

    async def paid() -> pb.Balance | None:
        answer = await ask(stub.GetLedger, pb.GetLedgerRequest(totals_only=True), tenant=tenant)
        return answer.tenant if answer.tenant.paid_cents and answer.tenant.billed_cents else None

    found = await until(paid)
    assert (found.billed_cents, found.paid_cents, found.adjusted_cents, found.patient_cents, found.open_cents) == (
        10000,
        4800,
        4000,
        1200,
        0,
    )
    with pytest.raises(Refused, match="denial-unknown"):
        await ask(stub.ResolveDenial, pb.ResolveDenialRequest(work_id="no", action="appeal"), tenant=tenant)
    await channel.close()
