"""Facts as messages and FHIR R4: every resource is valid, every amount is there, nothing is told twice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fhir_r4 import read, validate
from kernel.codes import LINE
from rcm.billing.v1.billing_pb2 import ServiceLine
from rcm.claims.v1.claims_pb2 import ClaimChanged
from remittance.handlers.accounts import open_account
from remittance.handlers.disputes import resolve_denial
from remittance.handlers.remittances import receive_remittance
from remittance.model.advice import Adjustment, LinePayment
from remittance.model.claim import AccountLine, match_lines
from remittance.model.remittance import Broken
from remittance.wire.accounts import account_of
from remittance.wire.facts import Told, told_of

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
RESOURCES = ("claim_response_json", "explanation_json", "reconciliation_json", "task")


def told(office: Any) -> list[Told]:
    return [told_of(fact, NOW) for fact in office.told]


def resources(messages: list[Told]) -> list[dict[str, Any]]:
    found = []
    for message in messages:
        for name in RESOURCES:
            if raw := getattr(message.body, name, b""):
                found.append(read(raw))
    return found


async def test_every_resource_that_we_author_is_valid(
    office: Any, account: Any, payment: Any, readable: Any, takeback: Any
) -> None:
    paid = payment(adjustments=(("CO", "45", 4000), ("CO", "97", 2000), ("PR", "2", 1200)), line_remarks=("N20",))
    await open_account(office.desk, account())
    lost = payment("c9", adjustments=(("CO", "45", 5000),))
    await receive_remittance(office.desk, readable(paid, lost, provider_adjustments=(("L6", -150),)), "file")
    await resolve_denial(office.desk, office.open_works()[0].work_id, "write_off", "")
    await receive_remittance(office.desk, readable(takeback(paid), trace="T2", method="NON"), "file")
    await receive_remittance(office.desk, Broken(content="x", rule="r", segment="s"), "file")
    found = resources(told(office))
    kinds = {resource["resourceType"] for resource in found}
    assert kinds == {"ClaimResponse", "ExplanationOfBenefit", "PaymentReconciliation", "Task"}
    assert {r["id"]: [i.rule_id + i.fhirpath for i in validate(r)] for r in found} == {r["id"]: [] for r in found}


async def test_every_adjustment_is_an_adjudication_of_its_own(
    office: Any, account: Any, payment: Any, readable: Any
) -> None:
    adjustments = (("CO", "45", 4000), ("CO", "45", 1), ("PR", "1", 700), ("PR", "2", 500))
    await open_account(office.desk, account())
    await receive_remittance(office.desk, readable(payment(adjustments=adjustments)), "file")
    (response,) = (r for r in resources(told(office)) if r["resourceType"] == "ClaimResponse")
    parts = [a for a in response["item"][0]["adjudication"] if "reason" in a]
    triplets = [
        (a["category"]["coding"][0]["code"], a["reason"]["coding"][0]["code"], a["amount"]["value"]) for a in parts
    ]
    assert triplets == [(group, reason, Decimal(cents) / 100) for group, reason, cents in adjustments]
    totals = {t["category"]["coding"][0]["code"]: str(t["amount"]["value"]) for t in response["total"]}
    assert totals == {"submitted": "100.00", "benefit": "47.99", "deductible": "7.00", "coinsurance": "5.00"}
    assert response["item"][0]["itemSequence"] == 1 and "addItem" not in response


async def test_a_line_that_is_not_ours_is_an_added_item(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await open_account(office.desk, account(lines=()))
    await receive_remittance(office.desk, readable(payment()), "file")
    found = [r for r in resources(told(office)) if r["resourceType"] in ("ClaimResponse", "ExplanationOfBenefit")]
    assert len(found) == 2
    for resource in found:
        assert "item" not in resource and len(resource["addItem"]) == 1 and validate(resource) == []


async def test_a_posting_tells_how_the_claim_stands(office: Any, account: Any, payment: Any, readable: Any) -> None:
    await open_account(office.desk, account())
    await receive_remittance(office.desk, readable(payment(adjustments=(("CO", "197", 10000),))), "file")
    messages = {message.type: message for message in told(office)}
    assert list(messages) == ["payment.posted", "claim.denied", "work.opened", "remittance.received"]
    posted = messages["payment.posted"].body
    parts = posted.paid_cents + posted.adjusted_cents + posted.patient_cents + posted.open_cents
    assert (posted.billed_cents, parts, posted.open_cents, posted.outcome) == (10000, 10000, 10000, "denied")
    assert {message.key for message in messages.values()} == {"Encounter/c1", "R-T1-"}
    assert messages["claim.denied"].journey_id == "f" * 32 and messages["remittance.received"].journey_id == ""
    assert messages["claim.denied"].body.deadline == "2026-08-31"
    task = read(messages["work.opened"].body.task)
    assert task["businessStatus"]["coding"] == [{"system": f"{LINE}/CodeSystem/work-reason", "code": "carc-197"}]
    assert task["restriction"]["period"]["end"] == "2026-08-31"
    assert task["extension"][0]["valueMoney"] == {"value": Decimal("100.00"), "currency": "USD"}


async def test_a_quarantine_names_rule_and_segment(office: Any) -> None:
    await receive_remittance(office.desk, Broken(content="x", rule="835-claim-balance", segment="CLP[3]"), "file")
    first = told(office)[0]
    assert (first.type, first.body.reason) == ("remittance.quarantined", "835-claim-balance@CLP[3]")


def test_a_submitted_claim_becomes_an_account() -> None:
    claim = b'{"resourceType":"Claim","provider":{"reference":"Organization/o1"},"insurer":{"display":"A"}}'
    lines = [ServiceLine(code="99213", control_number="L1", charge_cents=900, modifiers=["25"], units="1")]
    body = ClaimChanged(
        claim_id="c1", control_number="K", payer_id="SYNPA", total_cents=900, claim_json=claim, lines=lines
    )
    account = account_of(body, "j", "t")
    assert (account.provider, account.insurer, account.billed_cents, account.responsibility) == (
        "Organization/o1",
        "",
        900,
        1,
    )
    assert account.lines == (
        AccountLine(sequence=1, control_number="L1", code="99213", charge_cents=900, modifiers=("25",)),
    )


@pytest.mark.parametrize(
    ("paid", "found"),
    [
        ([("99213", 900, "L2", ())], ["L2"]),
        ([("99213", 900, "", ())], ["L1"]),
        ([("99213", 900, "", ("25",)), ("99213", 900, "", ())], ["L1", "L2"]),
        ([("99213", 901, "", ())], [None]),
        ([("99213", 900, "L1", ()), ("99213", 900, "L1", ())], ["L1", "L2"]),
    ],
)
def test_lines_are_found_by_control_number_then_by_code_and_charge(paid: list[Any], found: list[Any]) -> None:
    own = tuple(
        AccountLine(sequence=n, control_number=f"L{n}", code="99213", charge_cents=900, modifiers=("25",))
        for n in (1, 2)
    )
    lines = tuple(
        LinePayment(code=code, charge_cents=cents, paid_cents=cents, line_control=control, modifiers=modifiers)
        for code, cents, control, modifiers in paid
    )
    assert [line and line.control_number for line in match_lines(own, lines)] == found


def test_a_bundled_line_is_found_by_what_was_billed() -> None:
    own = (AccountLine(sequence=1, control_number="L1", code="80053", charge_cents=900),)
    line = LinePayment(
        code="80048", charge_cents=900, paid_cents=0, original_code="80053", adjustments=(Adjustment("CO", "97", 900),)
    )
    assert match_lines(own, (line,)) == own
