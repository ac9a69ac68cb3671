"""Requirement rows with their case file, the reading of a decision, and the choice for a claim's line."""

from datetime import UTC, date, datetime
from pathlib import Path

import prior_auth.rules
import pytest
from kernel.rules import RuleError, check_cases, load_cases
from prior_auth.model import (
    Answer,
    Authorization,
    Decision,
    Exchange,
    Order,
    Requirement,
    Ruling,
    ServiceQuestion,
)
from prior_auth.rules import choose, decide, load_requirements

REQUIREMENTS = load_requirements()
ON = date(2026, 3, 20)
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
REQUIRED = Ruling(requirement=Requirement.REQUIRED, rule_id="row-1")
NOT_REQUIRED = Ruling(requirement=Requirement.NOT_REQUIRED)


def question(payer_id="SYNPA", code="70553", on=ON, **more):
    return ServiceQuestion(payer_id=payer_id, code=code, on=on, **more)


def test_the_case_file_proves_every_row():
    folder = Path(prior_auth.rules.__file__).parent
    cases = load_cases((folder / "requirements.cases.toml").read_text(), "requirements.cases.toml")
    assert check_cases(REQUIREMENTS.rules, cases) == []


@pytest.mark.parametrize(
    ("payer_id", "code", "requirement", "rule_id"),
    [
        *(
            ("SYNPA", code, Requirement.REQUIRED, "synpa-advanced-imaging")
            for code in ("70551", "72148", "74177", "71260")
        ),
        ("SYNPA", "J0897", Requirement.REQUIRED, "synpa-high-cost-drugs"),
        ("SYNPA", "99213", Requirement.NOT_REQUIRED, ""),
        ("SYNPB", "70552", Requirement.REQUIRED, "synpb-brain-imaging"),
        ("SYNPB", "J0897", Requirement.REQUIRED, "synpb-high-cost-drugs"),
        ("SYNPB", "74177", Requirement.NOT_REQUIRED, ""),
        ("SYNPZ", "70553", Requirement.UNSPECIFIED, ""),
        ("", "70553", Requirement.UNSPECIFIED, ""),
    ],
)
def test_what_the_rows_require(payer_id, code, requirement, rule_id):
    ruling = REQUIREMENTS.determine(question(payer_id, code))
    assert (ruling.requirement, ruling.rule_id) == (requirement, rule_id)
    assert ruling.because


def test_a_payer_out_of_force_is_not_known():
    assert REQUIREMENTS.determine(question(on=date(2019, 12, 31))).requirement is Requirement.UNSPECIFIED


EXEMPTION = """
[[rule]]
id = "imaging"
payer = "*"
applies = [{ field = "code", op = "prefix", value = "705" }]
effective_from = 2026-01-01
outcome = { required = true }
because = "b"
source = "s"

[[rule]]
id = "emergency"
payer = "SYNPA"
applies = [{ field = "place", op = "eq", value = "23" }, { field = "diagnosis", op = "prefix", value = "S" }]
effective_from = 2026-01-01
effective_to = 2026-12-31
outcome = { required = false }
because = "b"
source = "s"
"""


def test_a_sites_exemption_outweighs_and_ends_with_its_dates(tmp_path):
    (tmp_path / "requirements.toml").write_text(EXEMPTION)
    requirements = load_requirements(tmp_path)
    emergency = {"place_of_service": "23", "diagnoses": ("R519", "S0990XA")}
    ruling = requirements.determine(question(**emergency))
    assert (ruling.requirement, ruling.rule_id) == (Requirement.NOT_REQUIRED, "emergency")
    assert requirements.determine(question(**(emergency | {"place_of_service": "11"}))).rule_id == "imaging"
    assert requirements.determine(question("SYNPB", **emergency)).rule_id == "imaging"
    assert requirements.determine(question(on=date(2027, 1, 1), **emergency)).rule_id == "imaging"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.toml", EXEMPTION.replace("required = true", 'required = "yes"')),
        ("requirements.toml", EXEMPTION.replace('"place"', '"room"')),
        ("requirements.toml", EXEMPTION.replace("{ required = false }", "{ needed = false }")),
        ("payers.toml", "[[payer]]\nid='P'\nname='N'"),
        ("payers.toml", "[[payer]]\nid='P'\nname='N'\neffective_from=2026-01-01\nphone='1'"),
        ("payers.toml", "not toml"),
        ("payers.toml", ""),
    ],
)
def test_a_bad_file_is_refused_whole(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(RuleError):
        load_requirements(tmp_path)


def order(**changes):
    base = {"authorization_id": "a1", "subject_key": "s1", "patient": "Patient/p1", "order": "ServiceRequest/o1"}
    return Order(**(base | {"on": ON, "until": ON, "code": "70553", "payer_id": "SYNPA"} | changes))


def decided(answer=None, failure="", ruling=REQUIRED, **changes):
    return decide(order(**changes), ruling, Exchange(answer=answer, failure=failure), NOW, 1)


@pytest.mark.parametrize(
    ("answer", "decision", "reason", "needs_person"),
    [
        (Answer(action="A1", number="N1"), Decision.APPROVED, "", False),
        (Answer(action="A1"), Decision.APPROVED, "number-missing", True),
        (Answer(action="A2", number="N1"), Decision.PARTIAL, "hcr-a2", False),
        (Answer(action="A6", number="N1"), Decision.PARTIAL, "hcr-a6", False),
        (Answer(action="A3", reasons=("0C", "0V")), Decision.DENIED, "hcr-a3-0c", True),
        (Answer(action="A4"), Decision.PENDED, "hcr-a4", False),
        (Answer(action="C"), Decision.DENIED, "hcr-c", True),
        (Answer(action="CT"), Decision.UNKNOWN, "hcr-ct", True),
        (Answer(action=""), Decision.UNKNOWN, "hcr-none", True),
        (Answer(action="ZZ", number="N1"), Decision.UNKNOWN, "hcr-zz", True),
        (Answer(action="A1", number="N1", rejections=("72",)), Decision.UNKNOWN, "aaa-72", True),
    ],
)
def test_what_the_payers_answer_decides(answer, decision, reason, needs_person):
    found = decided(answer)
    assert (found.decision, found.reason, found.needs_person) == (decision, reason, needs_person)
    assert found.number == ("N1" if decision in (Decision.APPROVED, Decision.PARTIAL) and answer.number else "")
    assert found.retriable is False


@pytest.mark.parametrize("code", ["42", "80"])
def test_a_payer_that_is_down_is_asked_again(code):
    found = decided(Answer(rejections=(code,)))
    assert (found.decision, found.retriable) == (Decision.UNKNOWN, True)


def test_no_answer_is_unknown_and_asked_again_unless_it_is_our_fault():
    assert decided(failure="timeout").retriable
    assert not decided(failure="request-unbuildable").retriable
    assert decided(failure="timeout").needs_person


def test_the_payers_word_that_it_needs_none_outweighs_the_row():
    found = decided(Answer(action="NA"))
    assert (found.requirement, found.decision, found.needs_person) == (
        Requirement.NOT_REQUIRED,
        Decision.NOT_ASKED,
        False,
    )
    assert found.covers(ON)


def test_what_is_not_required_is_not_asked():
    found = decided(ruling=NOT_REQUIRED)
    assert (found.decision, found.requirement, found.settled) == (Decision.NOT_ASKED, Requirement.NOT_REQUIRED, True)
    assert not found.covers(ON)


@pytest.mark.parametrize("obstacle", ["member-id-missing", "provider-unknown"])
def test_what_cannot_be_asked_is_a_persons_matter(obstacle):
    found = decided(obstacle=obstacle)
    assert (found.decision, found.reason, found.retriable, found.needs_person) == (
        Decision.UNKNOWN,
        obstacle,
        False,
        True,
    )


def test_validity_comes_from_the_payer_and_else_from_what_was_asked():
    told = decided(
        Answer(action="A1", number="N1", valid_from=date(2026, 3, 13), valid_to=date(2026, 6, 18), units="2")
    )
    assert (told.valid_from, told.valid_to, told.units) == (date(2026, 3, 13), date(2026, 6, 18), "2")
    silent = decided(Answer(action="A1", number="N1"), until=date(2026, 4, 1), units="3")
    assert (silent.valid_from, silent.valid_to, silent.units) == (ON, date(2026, 4, 1), "3")
    assert decided(Answer(action="A3")).valid_from is None


def stored(decision=Decision.APPROVED, **changes):
    base = {"authorization_id": "a1", "subject_key": "s1", "code": "70553", "payer_id": "SYNPA", "order": "o"}
    window = {"valid_from": date(2026, 3, 13), "valid_to": date(2026, 6, 18)}
    base |= {"requirement": Requirement.REQUIRED, "number": "N1"} | window
    return Authorization(decision=decision, **(base | changes))


@pytest.mark.parametrize("on", [date(2026, 3, 13), ON, date(2026, 6, 18)])
def test_a_grant_covers_its_days(on):
    found = choose(question(on=on), REQUIRED, [stored()])
    assert (found.number, found.decision, found.rule_id) == ("N1", Decision.APPROVED, "row-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_to": date(2026, 3, 19)},
        {"valid_from": date(2026, 3, 21)},
        {"valid_from": None, "valid_to": None},
        {"code": "70551"},
        {"payer_id": "SYNPB"},
    ],
)
def test_a_grant_for_something_else_covers_nothing(changes):
    found = choose(question(), REQUIRED, [stored(**changes)])
    assert (found.requirement, found.decision, found.number) == (Requirement.REQUIRED, Decision.NOT_ASKED, "")


def test_nothing_stored_answers_required_and_not_asked():
    found = choose(question(), REQUIRED, [])
    assert (found.authorization_id, found.requirement, found.decision) == ("", Requirement.REQUIRED, Decision.NOT_ASKED)
    assert (found.code, found.rule_id) == ("70553", "row-1")


@pytest.mark.parametrize("decision", [Decision.DENIED, Decision.PENDED, Decision.UNKNOWN])
def test_what_was_not_granted_is_told_as_it_stands(decision):
    found = choose(question(), REQUIRED, [stored(decision, number="", valid_from=None, valid_to=None)])
    assert (found.decision, found.number) == (decision, "")


def test_a_grant_comes_before_a_denial_and_a_number_before_none():
    denied = stored(Decision.DENIED, number="", valid_from=None, valid_to=None)
    numberless = stored(number="", authorization_id="a2")
    partial = stored(Decision.PARTIAL, number="N2", authorization_id="a3")
    assert choose(question(), REQUIRED, [denied, numberless, partial]).number == "N2"
    assert choose(question(), REQUIRED, [denied, partial, stored()]).number == "N1"


def test_a_denial_matters_only_where_an_authorization_is_required():
    found = choose(question(), NOT_REQUIRED, [stored(Decision.DENIED, number="")])
    assert (found.requirement, found.decision) == (Requirement.NOT_REQUIRED, Decision.NOT_ASKED)


def test_a_payers_waiver_counts_on_its_days_only():
    waiver = stored(Decision.NOT_ASKED, requirement=Requirement.NOT_REQUIRED, number="")
    assert choose(question(), REQUIRED, [waiver]).requirement is Requirement.NOT_REQUIRED
    assert choose(question(on=date(2026, 6, 19)), REQUIRED, [waiver]).requirement is Requirement.REQUIRED
