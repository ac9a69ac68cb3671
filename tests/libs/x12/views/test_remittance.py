"""The 835 view: every amount, reason and remark comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import balance, check
from x12.views.remittance import (
    BankTransfer,
    ClaimPayment,
    LinePayment,
    ProviderAdjustment,
    RemitPayee,
    RemitPayer,
    RemitPerson,
    Remittance,
    build_835,
    read_835,
)
from x12_examples import ENVELOPE, REMITTANCE, one
from x12_strategies import (
    addresses,
    adjustment_lists,
    cents,
    codes,
    contacts,
    days,
    maybe,
    modifiers,
    spans,
    units,
    words,
)

_optional_cents = maybe(cents, None)
_people = st.builds(
    RemitPerson, last=maybe(words()), first=maybe(words()), middle=maybe(words()), suffix=maybe(words(9)),
    id=codes(20, 2), id_qualifier=st.just("MI"), is_person=st.booleans(),
)  # fmt: skip


def _line(span: tuple[date | None, date | None], original: tuple[str, ...], **fields: object) -> LinePayment:
    billed = {"original_qualifier": original[0], "original_code": original[1], "original_units": original[2]}
    return LinePayment(date_from=span[0], date_to=span[1], **billed, **fields)  # type: ignore[arg-type]


_lines = st.builds(
    _line, span=st.one_of(spans(), st.just((None, None))),
    original=st.one_of(st.just(("", "", "")), st.tuples(st.just("HC"), codes(5, 5), units)),
    code=codes(5, 5), charge_cents=cents, paid_cents=cents, modifiers=modifiers, revenue_code=maybe(codes(4, 4)),
    units=units, adjustments=adjustment_lists, line_control=maybe(codes()), allowed_cents=_optional_cents,
    remark_codes=st.lists(codes(5, 2), max_size=3).map(tuple), rendering_npi=maybe(codes(10, 10)),
)  # fmt: skip
_claims = st.builds(
    ClaimPayment, control_number=codes(38), status=st.sampled_from(("1", "2", "3", "4", "22")), charge_cents=cents,
    paid_cents=cents, patient_responsibility_cents=cents, filing_indicator=codes(2), payer_claim_number=codes(),
    place_of_service=maybe(codes(2, 2)), frequency=maybe(st.sampled_from("178")), patient=maybe(_people, None),
    insured=maybe(_people, None), corrected=maybe(_people, None), rendering=maybe(_people, None),
    crossover_payer=maybe(words()), crossover_payer_id=maybe(codes(5, 2)), adjustments=adjustment_lists,
    lines=st.lists(_lines, max_size=3).map(tuple), date_from=maybe(days, None), date_to=maybe(days, None),
    received_date=maybe(days, None), coverage_expired=maybe(days, None), group_number=maybe(codes()),
    original_claim_number=maybe(codes()), prior_authorization=maybe(codes()),
    remark_codes=st.lists(codes(5, 2), max_size=5).map(tuple), coverage_cents=_optional_cents,
    interest_cents=_optional_cents, assigned_number=st.sampled_from("123"),
)  # fmt: skip
_provider_adjustments = st.builds(
    ProviderAdjustment, provider_id=st.sampled_from(("1234567893", "1000000012")), fiscal_period_end=days,
    reason=st.sampled_from(("WO", "FB", "72", "L6")), amount_cents=cents, reference=maybe(codes()),
)  # fmt: skip
_banks = st.builds(
    BankTransfer, sender_routing=codes(12, 3), sender_account=codes(), receiver_routing=codes(12, 3),
    receiver_account=codes(),
)  # fmt: skip
_remittances = st.builds(
    Remittance,
    payer=st.builds(
        RemitPayer, name=words(), address=maybe(addresses, None), id=maybe(codes()), contact=maybe(contacts, None),
        claims_contact=maybe(contacts, None),
    ),
    payee=st.builds(RemitPayee, name=words(), npi=maybe(codes(10)), tax_id=codes(9), address=maybe(addresses, None)),
    amount_cents=cents, payment_date=days, trace_number=codes(), trace_origin=codes(10, 10),
    claims=st.lists(_claims, max_size=3).map(tuple),
    provider_adjustments=st.lists(_provider_adjustments, max_size=14).map(tuple),
    method=st.sampled_from(("ACH", "CHK", "NON")), credit_debit=st.sampled_from("CD"), handling=st.sampled_from("IH"),
    payment_format=maybe(st.just("CCP")), bank=maybe(_banks, None), originating_company=maybe(codes(10, 10)),
    receiver_id=maybe(codes()), production_date=maybe(days, None),
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(_remittances)
def test_any_remittance_comes_back(remittance: Remittance) -> None:
    assert read_835(one(build_835(remittance, ENVELOPE))) == remittance


def test_the_example_balances_and_has_no_findings() -> None:
    transaction = one(build_835(REMITTANCE, ENVELOPE))
    assert balance(transaction).balanced
    assert check(transaction) == []
    assert read_835(transaction) == REMITTANCE


def test_seven_provider_adjustments_take_two_segments_and_all_come_back() -> None:
    """X12 835: six pairs to a PLB; peers read only the first."""
    transaction = one(build_835(REMITTANCE, ENVELOPE))
    assert [len(segment.elements) for segment in transaction.segments if segment.id == "PLB"] == [14, 4]
    assert len(read_835(transaction).provider_adjustments) == 7


def test_the_billed_modifier_of_a_bundled_line_comes_back() -> None:
    line = replace(
        REMITTANCE.claims[0].lines[0], original_code="99214", original_qualifier="HC", original_modifiers=("25", "GT")
    )
    claim = replace(REMITTANCE.claims[0], lines=(line,))
    found = read_835(one(build_835(replace(REMITTANCE, claims=(claim,)), ENVELOPE)))
    assert found.claims[0].lines[0].modifiers == ("25",)
    assert found.claims[0].lines[0].original_modifiers == ("25", "GT")


def test_a_reversal_says_so_and_keeps_its_signs() -> None:
    found = read_835(one(build_835(REMITTANCE, ENVELOPE)))
    assert [claim.is_reversal for claim in found.claims] == [False, True]
    assert found.claims[1].charge_cents == -5_000
    assert found.claims[0].every_adjustment() == (
        *REMITTANCE.claims[0].adjustments,
        *REMITTANCE.claims[0].lines[0].adjustments,
    )
