"""Remittances and deposits: totals that balance, and a deposit that names its remittance."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from simulator.adjudicate import adjudicate, reverse
from simulator.bank import Deposit, write_ccd
from simulator.settle import payee_of, remit
from simulator_world import CLINIC, NOW, RULES, TODAY, a_case, a_claim, a_line

PAYER = RULES.payers["SYNPA"]
PAYEE = payee_of(CLINIC)


def paid(cents: int):
    return adjudicate(a_case(a_claim(a_line("71046", cents))), "A1").payment


@given(st.lists(st.tuples(st.integers(1, 90_000), st.booleans()), min_size=1, max_size=12), st.integers(1, 40))
def test_claims_less_adjustments_make_the_amount_and_it_is_never_negative(rows, number) -> None:
    claims = [reverse(paid(cents)) if back else paid(cents) for cents, back in rows]
    remittance = remit(PAYER, PAYEE, claims, number, TODAY)
    adjusted = sum(item.amount_cents for item in remittance.provider_adjustments)
    assert sum(claim.paid_cents for claim in claims) - adjusted == remittance.amount_cents >= 0
    assert all(item.amount_cents for item in remittance.provider_adjustments)
    assert (remittance.method == "ACH") is (remittance.amount_cents > 0)


def test_every_fifth_remittance_pays_interest() -> None:
    reasons = [
        [a.reason for a in remit(PAYER, PAYEE, [paid(1000)], n, TODAY).provider_adjustments] for n in range(1, 11)
    ]
    assert reasons == [[], [], [], [], ["L6"]] * 2


def test_a_takeback_alone_is_carried_forward() -> None:
    remittance = remit(PAYER, PAYEE, [reverse(paid(1000))], 1, TODAY)
    assert [(a.reason, a.amount_cents) for a in remittance.provider_adjustments] == [("FB", -480)]
    assert (remittance.amount_cents, remittance.method, remittance.bank) == (0, "NON", None)


def deposit(cents: int) -> list[str]:
    text = write_ccd(
        Deposit(
            amount_cents=cents,
            trace_number="A000000007",
            origin="1990000001",
            payer_name="Synthetic Payer A",
            routing=PAYER.routing,
            payee_name=CLINIC.name,
            sequence=7,
            created=NOW,
        )
    )
    return text.splitlines()


@given(st.integers(1, 9_999_999_999))
def test_the_deposit_is_a_whole_nacha_file(cents: int) -> None:
    records = deposit(cents)
    assert {len(record) for record in records} == {94}
    assert len(records) % 10 == 0
    assert [record[0] for record in records[:6]] == list("156789")
    assert set("".join(records[6:])) == {"9"}


def test_the_deposit_names_amount_and_trace() -> None:
    _, batch, entry, addenda, control, file_control, *_ = deposit(123_45)
    assert batch[50:53] == "CCD"
    assert int(entry[29:39]) == 123_45
    assert addenda[3:83].rstrip() == "TRN*1*A000000007*1990000001\\"
    assert addenda[1:3] == "05"
    assert int(control[32:44]) == int(file_control[43:55]) == 123_45
    assert entry[79:94] == control[79:87] + addenda[87:94]
