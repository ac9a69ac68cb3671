"""The remittances desk: sums on three levels, what breaks them, and what became of each claim."""

from __future__ import annotations

from typing import Any

from console_under_test import signed_in
from owners_under_test import FakeOwners
from rcm.billing.v1 import billing_pb2
from rcm.remittance.v1 import remittance_pb2

ID = "99999999-2222-3333-4444-555555555555"
HOSTILE = "<script>alert(1)</script>"


def summary(**given: Any) -> remittance_pb2.RemittanceSummary:
    told = {"remittance_id": ID, "state": "posted", "payer_id": "SYNPA", "paid_cents": 8_925, "claims": 1, **given}
    return remittance_pb2.RemittanceSummary(**told)


def one(**given: Any) -> remittance_pb2.GetRemittanceResponse:
    adjustment = billing_pb2.Adjustment(group="CO", reason="45", amount_cents=9_000)
    line = remittance_pb2.RemittanceLine(
        code="99214",
        charge_cents=22_500,
        adjusted_cents=9_000,
        paid_cents=13_500,
        balanced=True,
        adjustments=[adjustment],
    )
    claim = remittance_pb2.RemittanceClaim(
        ordinal=1, control_number="CLM01SECRET", status="1", charge_cents=22_500, paid_cents=13_500, balanced=True,
        claim_id="c1", journey_id="ab" * 16, lines=[line],
    )  # fmt: skip
    told: dict[str, Any] = {
        "remittance": summary(),
        "balance": remittance_pb2.TransactionBalance(
            claims_paid_cents=13_500, provider_adjustment_cents=4_575, total_cents=8_925, balanced=True
        ),
        "claims": [claim],
        "claims_next": "c-2",
        "readable": ["      1 CLP 01=<17> 02=1 03=225 04=135", "      2 CAS 01=CO 02=45 03=90"],
        "readable_next": "l-2",
        "deposit": remittance_pb2.BankDeposit(amount_cents=8_925, effective_on="2026-03-02"),
    }
    return remittance_pb2.GetRemittanceResponse(**{**told, **given})


async def test_the_list_asks_what_its_filters_say(platform: Any, tenant: str, owners: FakeOwners) -> None:
    broken = summary(state="quarantined", rule="835-claim-balance", segment="CLP[3]", remittance_id="q1")
    owners.answers["ListRemittances"] = remittance_pb2.ListRemittancesResponse(
        remittances=[summary(), broken], next="p2"
    )
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as browser:
        given = {"state": "posted", "settlement": "awaited", "payer": "SYNPA", "text": "T1", "after": "p1"}
        page = (await browser.get("/remittances", params=given)).text
        (call,) = owners.asked("ListRemittances")
        assert call.request == remittance_pb2.ListRemittancesRequest(
            state="posted", settlement="awaited", payer_id="SYNPA", text="T1", after="p1", limit=50
        )
        for text in ("balanced", "in quarantine", "835-claim-balance at CLP[3]", "after=p2", "$89.25"):
            assert text in page, text


async def test_one_remittance_adds_up_on_three_levels(platform: Any, tenant: str, owners: FakeOwners) -> None:
    owners.answers["GetRemittance"] = one()
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as browser:
        page = (await browser.get(f"/remittances/{ID}", params={"claims": "c-1", "lines": "l-1"})).text
        (call,) = owners.asked("GetRemittance")
        assert (call.request.claims_after, call.request.readable_after, call.request.masked) == ("c-1", "l-1", True)
        for text in ("$135.00", "$45.75", "balances", "CO</abbr>-45 $90.00", "/claims/c1", "claims=c-2", "lines=l-2"):
            assert text in page, text
        assert "contract: provider owes it" in page and "paid as primary" in page
        assert "CLM01SECRET" not in page and "does not balance" not in page
        rows = await browser.console.rows("select action from console_access where kind = 'remittance'")
        assert rows == [{"action": "read"}]


async def test_what_breaks_the_balance_is_named(platform: Any, tenant: str, owners: FakeOwners) -> None:
    broken = remittance_pb2.BalanceBreak(level="claim", segment="CLP[3]", expected_cents=10_000, found_cents=10_100)
    balance = remittance_pb2.TransactionBalance(total_cents=10_100, breaks=[broken])
    quarantined = summary(state="quarantined", rule="835-claim-balance", segment="CLP[3]")
    owners.answers["GetRemittance"] = one(remittance=quarantined, balance=balance, claims=[], readable=["not X12"])
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as browser:
        page = (await browser.get(f"/remittances/{ID}")).text
        for text in ("Not posted.", "CLP[3]", "does not balance", "$1.00", "not X12"):
            assert text in page, text


async def test_names_are_for_billers(platform: Any, tenant: str, owners: FakeOwners) -> None:
    owners.answers["GetRemittance"] = one()
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as browser:
        assert (await browser.get(f"/remittances/{ID}", params={"names": "show"})).status_code == 403
        assert owners.calls == []
    async with signed_in(platform, tenant, "biller", channels=owners.channel) as browser:
        page = (await browser.get(f"/remittances/{ID}", params={"names": "show"})).text
        assert "CLM01SECRET" in page
        assert not owners.asked("GetRemittance")[-1].request.masked


async def test_remittance_away_or_without_such_an_id(platform: Any, tenant: str, owners: FakeOwners) -> None:
    async with signed_in(platform, tenant, "viewer", channels=owners.channel) as browser:
        assert (await browser.get("/remittances/none")).status_code == 404
        owners.away.add("remittance")
        page = await browser.get("/remittances")
        assert page.status_code == 503 and "The service remittance does not answer." in page.text


async def test_hostile_text_is_shown_as_text(platform: Any, tenant: str, owners: FakeOwners) -> None:
    bad = remittance_pb2.RemittanceClaim(status=HOSTILE, waits_for=HOSTILE, remarks=[HOSTILE])
    told = summary(payer_name=HOSTILE, trace_number=HOSTILE, method=HOSTILE)
    owners.answers["GetRemittance"] = one(remittance=told, claims=[bad], readable=[HOSTILE])
    async with signed_in(platform, tenant, "biller", channels=owners.channel) as browser:
        page = (await browser.get(f"/remittances/{ID}")).text
        assert "<script>alert" not in page and "&lt;script&gt;" in page
