"""The judgement of a check: active, gap, mismatch, unknown, and how long each holds."""

from datetime import UTC, date, datetime, timedelta

import pytest
from eligibility.model import Answer, Exchange, Policy, Question, Status
from eligibility.rules import holds_on, load_tables, verify
from eligibility.rules.verdict import differences, letters
from kernel.person import Person
from kernel.rules import RuleError

TABLES = load_tables()
ON = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
OURS = Person("Sample-Alder", "Nora", date(1980, 5, 17), "F", "TST100000001")
POLICY = Policy()


def question(**changes):
    base = {
        "subject_key": "s1",
        "patient": "Patient/p1",
        "coverage": "Coverage/c1",
        "on": ON,
        "payer_id": "SYNPA",
        "provider_npi": "1234567893",
        "subscriber": OURS,
    }
    return Question(**(base | changes))


def judged(answer=None, failure="", checked_at=NOW, **changes):
    exchange = Exchange(verification_id="v1", answer=answer, failure=failure)
    return verify(question(**changes), exchange, TABLES, checked_at)


def test_a_plain_yes_is_clean():
    found = judged(Answer(active=True, person=OURS))
    assert (found.status, found.reason) == (Status.ACTIVE, "")
    assert (found.clean, found.gap, found.retriable) == (True, False, False)


def test_a_plain_no_is_a_gap():
    found = judged(Answer(active=False, person=OURS))
    assert (found.status, found.reason, found.gap) == (Status.INACTIVE, "inactive", True)


@pytest.mark.parametrize(
    ("begin", "end", "status", "reason"),
    [
        (date(2026, 3, 10), date(2026, 3, 10), Status.ACTIVE, ""),
        (date(2026, 3, 11), None, Status.INACTIVE, "plan-not-begun"),
        (None, date(2026, 3, 9), Status.INACTIVE, "plan-ended"),
        (None, None, Status.ACTIVE, ""),
    ],
)
def test_active_counts_only_inside_the_plan_period(begin, end, status, reason):
    found = judged(Answer(active=True, plan_begin=begin, plan_end=end))
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("71", "birth-date"),
        ("72", "member-id"),
        ("73", "name"),
        ("74", "gender"),
        ("75", "member-id"),
        ("43", "provider"),
        ("51", "provider"),
        ("79", "payer"),
    ],
)
def test_a_refusal_names_the_field_and_the_remedy(code, field):
    found = judged(Answer(rejections=(code,)))
    assert (found.status, found.reason, found.gap, found.retriable) == (Status.REJECTED, f"aaa-{code}", True, False)
    assert [(m.field, m.aaa) for m in found.mismatches] == [(field, code)]
    assert found.mismatches[0].remedy


def test_a_refusal_that_no_row_knows_is_still_a_refusal():
    found = judged(Answer(rejections=("ZZ",)))
    assert (found.status, found.mismatches[0].field) == (Status.REJECTED, "request")


@pytest.mark.parametrize("code", ["42", "80"])
def test_a_payer_that_is_down_is_unknown_and_asked_again(code):
    found = judged(Answer(rejections=(code,)))
    assert (found.status, found.retriable, found.gap, found.mismatches) == (Status.UNKNOWN, True, False, ())


def test_one_refusal_of_substance_among_passing_ones_decides():
    assert judged(Answer(rejections=("42", "72"))).status is Status.REJECTED


def test_a_refusal_outweighs_an_active_status():
    assert judged(Answer(active=True, rejections=("71",))).status is Status.REJECTED


def test_silence_is_unknown_never_active():
    found = judged(Answer(active=None))
    assert (found.status, found.reason) == (Status.UNKNOWN, "status-not-told")
    assert (found.clean, found.retriable) == (False, True)


@pytest.mark.parametrize("failure", ["timeout", "clearinghouse-unavailable", "271-unreadable"])
def test_no_answer_is_unknown_and_asked_again(failure):
    found = judged(failure=failure)
    assert (found.status, found.reason, found.retriable, found.gap) == (Status.UNKNOWN, failure, True, False)


@pytest.mark.parametrize("obstacle", ["no-coverage", "payer-unknown", "member-id-missing"])
def test_what_cannot_be_asked_is_a_gap_at_once(obstacle):
    found = judged(obstacle=obstacle)
    assert (found.status, found.reason, found.retriable, found.gap) == (Status.UNKNOWN, obstacle, False, True)


def test_a_record_that_x12_cannot_carry_is_not_asked_again():
    found = judged(failure="inquiry-unbuildable")
    assert (found.retriable, found.gap) == (False, True)


@pytest.mark.parametrize(
    ("theirs", "fields"),
    [
        (OURS, []),
        (Person(), []),
        (Person("SAMPLE ALDER", "NORA"), []),
        (Person("SAMPLE-BIRCH", "NORA"), ["name"]),
        (Person("SAMPLE-ALDER", "NORAH"), ["name"]),
        (Person(birth_date=date(1980, 5, 18)), ["birth-date"]),
        (Person(member_id="tst-100000001"), []),
        (Person(member_id="TST100000002"), ["member-id"]),
        (Person("SAMPLE-BIRCH", "NORA", date(1981, 1, 1), "F", "X"), ["name", "birth-date", "member-id"]),
    ],
)
def test_differences_field_by_field(theirs, fields):
    assert [*differences(OURS, theirs)] == fields


def test_an_active_coverage_of_somebody_else_is_a_gap():
    found = judged(Answer(active=True, person=Person("SAMPLE-BIRCH", "NORA")))
    assert (found.status, found.reason, found.clean, found.gap) == (Status.ACTIVE, "mismatch-name", False, True)
    assert [(m.field, m.aaa) for m in found.mismatches] == [("name", "")]


def test_the_dependent_is_compared_when_the_question_is_about_one():
    child = Person("Sample-Alder", "Finn", date(2015, 1, 2), "M", "")
    assert judged(Answer(active=True, person=child), dependent=child).clean
    assert not judged(Answer(active=True, person=OURS), dependent=child).clean


def test_letters_survive_accents_and_punctuation():
    assert letters("O'Brien-Núñez") == "OBRIENNUNEZ"


def held(found, now=NOW, **changes):
    return holds_on(found, question(**changes), now, POLICY)


def test_an_answer_holds_for_its_day_and_policy():
    found = judged(Answer(active=True))
    assert held(found)
    assert held(found, now=NOW + timedelta(hours=72))
    assert not held(found, now=NOW + timedelta(hours=72, seconds=1))
    assert not held(found, on=ON + timedelta(days=1))


def test_an_answer_from_before_the_service_does_not_hold_once_the_service_is_due():
    booked = judged(Answer(active=True), checked_at=NOW - timedelta(days=1))
    assert not held(booked)
    assert not held(booked, now=NOW + timedelta(days=1))
    assert held(booked, now=NOW - timedelta(hours=20))


def test_an_active_period_with_both_ends_covers_other_days():
    found = judged(Answer(active=True, plan_begin=date(2026, 1, 1), plan_end=date(2026, 12, 31)))
    assert held(found, on=date(2026, 3, 9))
    assert not held(found, on=date(2027, 1, 1))
    assert not held(judged(Answer(active=True, plan_begin=date(2026, 1, 1))), on=date(2026, 3, 9))
    inactive = judged(Answer(active=False, plan_begin=date(2026, 1, 1), plan_end=date(2026, 12, 31)))
    assert not held(inactive, on=date(2026, 3, 9))


def test_unknown_never_holds_and_changed_facts_are_asked_anew():
    assert not held(judged(failure="timeout"))
    found = judged(Answer(rejections=("71",)))
    assert held(found)
    mended = Person(OURS.last, OURS.first, date(1980, 5, 18), "F", OURS.member_id)
    assert not held(found, subscriber=mended)


def test_waits_grow_and_then_a_person_takes_over():
    assert [POLICY.wait_after(tries) for tries in range(1, 7)] == [30, 120, 600, 3600, None, None]
    assert Policy(retry_waits_s=(1,), max_tries=3).wait_after(2) == 1


def test_a_site_file_replaces_the_shipped_one(tmp_path):
    (tmp_path / "payers.toml").write_text('[[payer]]\nid="P9"\nname="Synthetic Nine"\neffective_from=2026-01-01\n')
    tables = load_tables(tmp_path)
    assert set(tables.payers) == {"P9"}
    assert tables.rejections.keys() == TABLES.rejections.keys()
    assert not tables.payers["P9"].in_force(date(2025, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        "[[payer]]\nid='P9'\neffective_from=2026-01-01",
        "[[payer]]\nid='P9'\nname='N'\neffective_from='2026-01-01'",
        "[[payer]]\nid='P9'\nname='N'\neffective_from=2026-01-01\ncolour='red'",
        "[[payer]]\nid='P9'\nname='N'\neffective_from=2026-01-02\neffective_to=2026-01-01",
        "[[payer]]\nid='P'\nname='N'\neffective_from=2026-01-01\n[[payer]]\nid='P'\nname='M'\neffective_from=2026-01-01",
        "[[payee]]\nid='P9'",
        "not toml",
        "",
    ],
)
def test_a_bad_file_is_refused_whole(tmp_path, text):
    (tmp_path / "payers.toml").write_text(text)
    with pytest.raises(RuleError):
        load_tables(tmp_path)


def test_every_field_that_can_differ_has_a_remedy():
    everything = Person("X", "Y", date(1900, 1, 1), "", "Z")
    assert set(differences(OURS, everything)) == set(TABLES.remedies)
