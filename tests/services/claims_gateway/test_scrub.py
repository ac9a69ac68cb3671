"""Every edit where it must fire and where it must stay silent. A row of edits.toml without both fails here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from claims_gateway.model import (
    Address,
    Answers,
    AuthorizationAnswer,
    BilledLine,
    Claim,
    CoverageAnswer,
    Insurance,
    Mismatch,
    Person,
    PriorLine,
)
from claims_gateway.rules import RuleBook, scrub
from claims_gateway.rules.scrub import CHECKS
from gateway_world import (
    ACTIVE,
    ORDERING,
    SERVED,
    TODAY,
    billed,
    claim,
    line,
    with_insurance,
    with_visit,
    world,
)

NPI_OF_ANOTHER = "1992999999"


@dataclass(frozen=True)
class Case:
    """A claim, and whether the edit fires on it (at these paths)."""

    edit: str
    about: str
    claim: Claim
    paths: tuple[str, ...] = ()
    today: date = TODAY
    history: Sequence[BilledLine] = field(default=())


def covered(**changed: Any) -> Answers:
    base = CoverageAnswer(status="active", on=SERVED, payer_id="SYNPA")
    return Answers(replace(base, **changed))


def authorized(**changed: Any) -> Answers:
    base = AuthorizationAnswer(
        code="70551",
        required=True,
        decision="approved",
        number="AUTH00000001",
        valid_from=SERVED - timedelta(days=7),
        valid_to=SERVED + timedelta(days=90),
    )
    return replace(ACTIVE, authorizations=(replace(base, **changed),))


def lines(*rows: dict[str, Any]) -> Claim:
    return claim([line(line_id=f"l{number}", **row) for number, row in enumerate(rows)])


def payer_b(base: Claim) -> Claim:
    return with_insurance(replace(base, answers=covered(payer_id="SYNPB")), payer_id="SYNPB")


MRI = lines({"code": "70551"})
SECOND = Insurance("Coverage/c2", "X9", "SYNPB", "Synthetic Payer B", "Organization/b", order=2)
PARENT = Person("RelatedPerson/r1", last="Sample-Alder", first="Parenta", birth_date=date(1955, 1, 1))
VISIT = {"code": "99213"}
BIOPSY = {"code": "11102"}  # global period 000
LESION = {"code": "17000"}  # global period 010

CASES = (
    Case("payer-unknown", "not in the table", with_insurance(claim(), payer_id="SYNPZ"), ("insurance.payer",)),
    Case("payer-unknown", "in the table", claim()),
    Case("payer-unknown", "no payer at all is another finding", with_insurance(claim(), payer_id="")),
    Case("edit-01", "inactive", claim(answers=covered(status="inactive")), ("coverage.status",)),
    Case("edit-01", "unknown is never active", claim(answers=covered(status="unknown")), ("coverage.status",)),
    Case("edit-01", "nobody was asked", claim(answers=Answers()), ("coverage.status",)),
    Case("edit-01", "refused without a field", claim(answers=covered(status="rejected")), ("coverage.status",)),
    Case("edit-01", "plan over", claim(answers=covered(plan_end=SERVED - timedelta(days=1))), ("coverage.period",)),
    Case("edit-01", "plan not begun", claim(answers=covered(plan_begin=SERVED + timedelta(1))), ("coverage.period",)),
    Case("edit-01", "on the plan's only day", claim(answers=covered(plan_begin=SERVED, plan_end=SERVED))),
    Case("edit-01", "a named field", claim(answers=covered(status="rejected", mismatches=(Mismatch("name"),)))),
    Case("edit-02", "birth date", claim(answers=covered(mismatches=(Mismatch("birth-date", "71"),))),
         ("patient.birth-date",)),
    Case("edit-02", "all as the payer has it", claim()),
    Case("edit-02", "the payer is no field of the member", claim(answers=covered(mismatches=(Mismatch("payer"),)))),
    Case("edit-03", "another payer answered", claim(answers=covered(payer_id="SYNPB")), ("insurance.payer",)),
    Case("edit-03", "named as wrong", claim(answers=covered(mismatches=(Mismatch("payer"),))), ("insurance.payer",)),
    Case("edit-03", "the same payer", claim()),
    Case("edit-03", "no name told", claim(answers=covered(payer_id=""))),
    Case("edit-04", "another is primary", claim(answers=covered(other_payer_id="SYNPB")), ("coverage.order",)),
    Case("edit-04", "two primaries", with_visit(claim(), other_insurance=(replace(SECOND, order=1),)),
         ("insurance.order",)),
    Case("edit-04", "primary and secondary", with_visit(claim(), other_insurance=(SECOND,))),
    Case("edit-05", "no earlier payer shown", claim([line()], responsibility=2), ("lines[0].prior",)),
    Case("edit-05", "does not balance",
         claim([line(charge_cents=100, prior=PriorLine("SYNPB", 60, 39))], responsibility=2), ("lines[0].prior",)),
    Case("edit-05", "balances", claim([line(charge_cents=100, prior=PriorLine("SYNPB", 60, 40))], responsibility=2)),
    Case("edit-05", "primary claim", claim()),
    Case("edit-06", "denied", replace(MRI, answers=authorized(decision="denied", number="")),
         ("lines[0].authorization",)),
    Case("edit-06", "approved without a number", replace(MRI, answers=authorized(number="")),
         ("lines[0].authorization",)),
    Case("edit-06", "granted", replace(MRI, answers=authorized())),
    Case("edit-06", "a person gave the number",
         replace(MRI, answers=authorized(decision="denied", number=""), given_authorization="A1")),
    Case("edit-06", "not required", replace(MRI, answers=authorized(required=False, number=""))),
    Case("edit-06", "required for a code that is not billed", replace(claim(), answers=authorized(number=""))),
    Case("edit-07", "after its last day", replace(MRI, answers=authorized(valid_to=SERVED - timedelta(1))),
         ("lines[0].authorization",)),
    Case("edit-07", "before its first day", replace(MRI, answers=authorized(valid_from=SERVED + timedelta(1))),
         ("lines[0].authorization",)),
    Case("edit-07", "more units, over two lines",
         replace(lines({"code": "70551"}, {"code": "70551"}), answers=authorized(units="1")),
         ("lines[1].authorization",)),
    Case("edit-07", "within", replace(MRI, answers=authorized(units="1"))),
    Case("auth-several", "two numbers", replace(MRI, answers=replace(ACTIVE, authorizations=(
        *authorized().authorizations, *authorized(code="70552", number="AUTH2").authorizations))), ("authorization",)),
    Case("auth-several", "one number for both", replace(MRI, answers=replace(ACTIVE, authorizations=(
        *authorized().authorizations, *authorized(code="70552").authorizations)))),
    Case("edit-08", "consultation", lines({"code": "99243"}), ("lines[0].ordering",)),
    Case("edit-08", "who asked is named", lines({"code": "99243", "ordering_npi": ORDERING})),
    Case("edit-08", "ordinary visit", claim()),
    Case("edit-09", "one day late", claim(), ("lines.service_from",), today=SERVED + timedelta(days=181)),
    Case("edit-09", "on the last day", claim(), today=SERVED + timedelta(days=180)),
    Case("edit-09", "a correction has its own window", claim(frequency="7"), today=SERVED + timedelta(days=181)),
    Case("edit-10", "sent before", claim(), ("lines[0]",), history=[billed()]),
    Case("edit-10", "said to be repeated", lines({"modifiers": ("76",)}), history=[billed(modifiers=("76",))]),
    Case("edit-10", "another day", claim(), history=[billed(service_from=SERVED - timedelta(days=1))]),
    Case("edit-10", "another provider", claim(), history=[billed(rendering_npi=NPI_OF_ANOTHER)]),
    Case("edit-10", "itself", claim(), history=[billed(claim_id="claim-1")]),
    Case("edit-10", "a correction repeats on purpose", claim(frequency="7"), history=[billed()]),
    Case("edit-11", "no number", claim(frequency="7", original_adjudicated=True), ("payer_claim_number",)),
    Case("edit-11", "original not adjudicated", claim(frequency="8", payer_claim_number="P1"),
         ("payer_claim_number",)),
    Case("edit-11", "both", claim(frequency="7", payer_claim_number="P1", original_adjudicated=True)),
    Case("edit-11", "an original", claim()),
    Case("edit-12", "never together", lines({"code": "80053"}, {"code": "80048"}), ("lines[1].code",)),
    Case("edit-12", "never, whatever the modifier", lines({"code": "80053"}, {"code": "80048", "modifiers": ("59",)}),
         ("lines[1].code",)),
    Case("edit-12", "needs a modifier", lines(VISIT, {"code": "96372"}), ("lines[0].code",)),
    Case("edit-12", "has it", lines(VISIT | {"modifiers": ("25",)}, {"code": "96372"})),
    Case("edit-12", "a modifier that parts nothing", lines(VISIT | {"modifiers": ("76",)}, {"code": "96372"}),
         ("lines[0].code",)),
    Case("edit-12", "no such pair", lines(VISIT, {"code": "36415"})),
    Case("edit-12", "on different days", lines({"code": "80053"},
         {"code": "80048", "service_from": SERVED + timedelta(days=1)})),
    Case("edit-12", "by different providers", lines({"code": "80053"},
         {"code": "80048", "rendering_npi": NPI_OF_ANOTHER})),
    Case("edit-13", "over the day's limit", lines({"code": "99213", "units": "3"}), ("lines[0].units",)),
    Case("edit-13", "over it in two lines", lines({"code": "J1885", "units": "5"}, {"code": "J1885", "units": "4"}),
         ("lines[0].units", "lines[1].units")),
    Case("edit-13", "at the limit", lines({"code": "99213", "units": "2"})),
    Case("edit-13", "no limit known", lines({"code": "J2919", "units": "9"})),
    Case("edit-13-absolute", "two first visits", lines({"code": "99203", "units": "2"}), ("lines[0].units",)),
    Case("edit-13-absolute", "one", lines({"code": "99203", "units": "1"})),
    Case("edit-14", "alone", lines({"code": "17003"}), ("lines[0].code",)),
    Case("edit-14", "beside another procedure", lines({"code": "17003"}, BIOPSY), ("lines[0].code",)),
    Case("edit-14", "beside its primary", lines({"code": "17003"}, LESION)),
    Case("edit-14", "no add-on", claim()),
    Case("edit-15", "visit with a procedure", lines(VISIT, BIOPSY), ("lines[0].modifiers",)),
    Case("edit-15", "said to be separate", lines(VISIT | {"modifiers": ("25",)}, BIOPSY)),
    Case("edit-15", "by another provider", lines(VISIT | {"rendering_npi": NPI_OF_ANOTHER}, BIOPSY)),
    Case("edit-15", "within the days after", claim(), ("lines[0].modifiers",),
         history=[billed(code="17000", service_from=SERVED - timedelta(days=10))]),
    Case("edit-15", "after the days", claim(), history=[billed(code="17000", service_from=SERVED - timedelta(11))]),
    Case("edit-15", "unrelated, as 24 says", lines(VISIT | {"modifiers": ("24",)}),
         history=[billed(code="17000", service_from=SERVED - timedelta(days=3))]),
    Case("edit-15", "the procedure came later", claim(),
         history=[billed(code="17000", service_from=SERVED + timedelta(1))]),
    Case("edit-16", "bundled", payer_b(lines({"code": "36416"})), ("lines[0].code",)),
    Case("edit-16", "this payer has its own schedule", lines({"code": "36416"})),
    Case("edit-16", "payable", payer_b(lines(VISIT))),
    Case("edit-16", "paid elsewhere", payer_b(lines({"code": "80053"}))),
    Case("edit-16-elsewhere", "laboratory", payer_b(lines({"code": "80053"})), ("lines[0].code",)),
    Case("edit-16-elsewhere", "payable here", payer_b(lines(VISIT))),
    Case("edit-17", "no such modifier", lines({"modifiers": ("ZZ",)}), ("lines[0].modifiers",)),
    Case("edit-17", "twice", lines({"modifiers": ("25", "25")}), ("lines[0].modifiers",)),
    Case("edit-17", "contradiction", lines({"code": "20610", "modifiers": ("50", "LT")}), ("lines[0].modifiers",)),
    Case("edit-17", "visits only", lines({"code": "20610", "modifiers": ("24",)}), ("lines[0].modifiers",)),
    Case("edit-17", "procedures only", lines(VISIT | {"modifiers": ("LT",)}), ("lines[0].modifiers",)),
    Case("edit-17", "not yet in force", lines({"code": "96372", "modifiers": ("JZ",),
         "service_from": date(2022, 12, 31)}), ("lines[0].modifiers",)),
    Case("edit-17", "goes with the code", lines({"code": "20610", "modifiers": ("LT", "59")})),
    Case("edit-18", "has no two sides", lines({"code": "96372", "modifiers": ("50",)}), ("lines[0].modifiers",)),
    Case("edit-18", "has two sides", lines({"code": "20610", "modifiers": ("50",)})),
    Case("edit-18", "assistant not paid", lines({"code": "20610", "modifiers": ("80",)}), ("lines[0].modifiers",)),
    Case("edit-18", "assistant paid", lines({"code": "27447", "modifiers": ("80",)})),
    Case("edit-19", "a visit has no components", lines(VISIT | {"modifiers": ("26",)}), ("lines[0].modifiers",)),
    Case("edit-19", "imaging has", lines({"code": "71046", "modifiers": ("26",)})),
    Case("edit-19-facility", "whole in a hospital", lines({"code": "71046", "place_of_service": "22"}),
         ("lines[0].modifiers",)),
    Case("edit-19-facility", "professional part", lines({"code": "71046", "place_of_service": "22",
         "modifiers": ("26",)})),
    Case("edit-19-facility", "whole in the office", lines({"code": "71046"})),
    Case("edit-20", "no such place", lines({"place_of_service": "00"}), ("lines[0].place_of_service",)),
    Case("edit-20", "office visit in hospital", lines({"place_of_service": "21"}), ("lines[0].place_of_service",)),
    Case("edit-20", "telehealth unsaid", lines({"place_of_service": "10"}), ("lines[0].place_of_service",)),
    Case("edit-20", "telehealth said", lines({"place_of_service": "10", "modifiers": ("95",)})),
    Case("edit-20", "emergency", lines({"code": "99284", "place_of_service": "23"})),
    Case("edit-20", "absent is another finding", lines({"place_of_service": ""})),
    Case("edit-20-modifier", "at the office", lines({"modifiers": ("95",)}), ("lines[0].modifiers",)),
    Case("edit-20-modifier", "at home", lines({"place_of_service": "10", "modifiers": ("95",)})),
    Case("data-patient-name", "absent", with_visit(claim(), patient=replace(claim().draft.visit.patient, last="")),
         ("patient.name",)),
    Case("data-patient-name", "present", claim()),
    Case("data-patient-birth-date", "absent",
         with_visit(claim(), patient=replace(claim().draft.visit.patient, birth_date=None)), ("patient.birth_date",)),
    Case("data-patient-birth-date", "present", claim()),
    Case("data-patient-address", "no city",
         with_visit(claim(), patient=replace(claim().draft.visit.patient, address=Address("1 Way", "", "", "IL", "6"))),
         ("patient.address",)),
    Case("data-patient-address", "present", claim()),
    Case("data-member-id", "absent", with_insurance(claim(), member_id=""), ("insurance.member_id",)),
    Case("data-member-id", "no coverage", with_visit(claim(), insurance=None), ("insurance.member_id",)),
    Case("data-member-id", "present", claim()),
    Case("data-subscriber", "child of nobody", with_insurance(claim(), relationship="child"), ("subscriber.name",)),
    Case("data-subscriber", "child of a parent",
         with_visit(with_insurance(claim(), relationship="child"), subscriber=PARENT)),
    Case("data-payer", "absent", with_insurance(claim(), payer_id=""), ("insurance.payer",)),
    Case("data-payer", "present", claim()),
    Case("data-secondary-payer", "absent", with_visit(claim(), other_insurance=(replace(SECOND, payer_id=""),)),
         ("other_insurance[0].payer",)),
    Case("data-secondary-payer", "present", with_visit(claim(), other_insurance=(SECOND,))),
    Case("data-billing-provider", "all absent", with_visit(claim(), billing=replace(
        claim().draft.visit.billing, npi="1245319598", tax_id="12", name="", address=Address())),
        ("billing.npi", "billing.tax_id", "billing.name", "billing.address")),
    Case("data-billing-provider", "present", claim()),
    Case("data-rendering-npi", "absent", lines({"rendering_npi": ""}), ("lines[0].rendering_npi",)),
    Case("data-rendering-npi", "check digit", lines({"rendering_npi": "1234567890"}), ("lines[0].rendering_npi",)),
    Case("data-rendering-npi", "present", claim()),
    Case("data-place-of-service", "absent", lines({"place_of_service": ""}), ("lines[0].place_of_service",)),
    Case("data-place-of-service", "present", claim()),
    Case("data-service-date", "absent", lines({"service_from": None}), ("lines[0].service_from",)),
    Case("data-service-date", "present", claim()),
    Case("data-diagnosis", "absent", replace(claim(), draft=replace(claim().draft, diagnoses=())), ("diagnoses",)),
    Case("data-diagnosis", "thirteen", replace(claim(), draft=replace(
        claim().draft, diagnoses=claim().draft.diagnoses * 13)), ("diagnoses",)),
    Case("data-diagnosis", "present", claim()),
    Case("data-procedure", "absent", lines({"code": ""}), ("lines[0].code",)),
    Case("data-procedure", "local code", lines({"code": "LOC-1"}), ("lines[0].code",)),
    Case("data-procedure", "present", claim()),
    Case("data-modifier", "five", lines({"modifiers": ("25", "59", "95", "33", "32")}), ("lines[0].modifiers",)),
    Case("data-modifier", "one letter", lines({"modifiers": ("X",)}), ("lines[0].modifiers",)),
    Case("data-modifier", "four", lines({"modifiers": ("25", "59", "95", "33")})),
    Case("data-units", "absent", lines({"units": ""}), ("lines[0].units",)),
    Case("data-units", "zero", lines({"units": "0"}), ("lines[0].units",)),
    Case("data-units", "no number", lines({"units": "NaN"}), ("lines[0].units",)),
    Case("data-units", "a fraction", lines({"units": "0.5"})),
    Case("data-charge", "absent", lines({"charge_cents": 0}, {}), ("lines[0].charge",)),
    Case("data-charge", "nothing at all", lines({"charge_cents": 0}), ("lines[0].charge", "total")),
    Case("data-charge", "present", claim()),
    Case("data-pointer", "absent", lines({"pointers": ()}), ("lines[0].pointers",)),
    Case("data-pointer", "to nothing", lines({"pointers": (1, 2)}), ("lines[0].pointers",)),
    Case("data-pointer", "present", claim()),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.edit}: {case.about}")
def test_the_edit_fires_where_it_must_and_nowhere_else(case: Case, book: RuleBook) -> None:
    found = scrub(case.claim, world(book, case.today, case.history))
    assert tuple(finding.path for finding in found if finding.edit_id == case.edit) == case.paths


def test_every_edit_has_a_case_that_fires_and_one_that_is_silent(book: RuleBook) -> None:
    fires = {case.edit for case in CASES if case.paths}
    silent = {case.edit for case in CASES if not case.paths}
    assert fires == silent == {edit.id for edit in book.edits}


def test_every_predicate_has_a_row(book: RuleBook) -> None:
    assert {edit.check for edit in book.edits} == set(CHECKS)


def test_the_first_twenty_edits_are_there_by_rank(book: RuleBook) -> None:
    ranks = {edit.rank for edit in book.edits}
    assert set(range(1, 21)) <= ranks


def test_a_clean_claim_has_no_finding_at_all(book: RuleBook) -> None:
    assert scrub(claim(), world(book)) == ()


def test_a_finding_says_what_it_prevents_and_why_and_names_nobody(book: RuleBook) -> None:
    broken = with_insurance(claim(answers=covered(mismatches=(Mismatch("name", "73"),))), payer_id="SYNPZ")
    for finding in scrub(broken, world(book)):
        assert finding.carc
        assert finding.because
        assert "Sample" not in f"{finding}"
        assert "SYN000111222" not in f"{finding}"


def test_findings_come_in_the_order_of_their_rank(book: RuleBook) -> None:
    broken = with_visit(with_insurance(claim(answers=Answers()), payer_id="SYNPZ"), other_insurance=(SECOND, SECOND))
    ranks = {edit.id: edit.rank for edit in book.edits}
    order = [ranks[finding.edit_id] for finding in scrub(broken, world(book))]
    assert order == sorted(order)
    assert order[0] == 0


def test_warnings_do_not_hold(book: RuleBook) -> None:
    warned = payer_b(lines({"code": "80053"}))
    found = scrub(warned, world(book))
    assert {finding.severity for finding in found} == {"warning"}
    assert replace(warned, findings=found).errors == ()


def test_a_waived_edit_does_not_hold(book: RuleBook) -> None:
    late = replace(claim(), findings=scrub(claim(), world(book, SERVED + timedelta(days=400))))
    assert [finding.edit_id for finding in late.errors] == ["edit-09"]
    assert replace(late, waived=("edit-09",)).errors == ()
