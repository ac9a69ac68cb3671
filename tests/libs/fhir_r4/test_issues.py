"""Findings become OperationOutcomes that are themselves valid."""

from fhir_r4 import Issue, has_errors, outcome, outcome_of, validate

ISSUE = Issue("error", "required", "Claim.insurance", "fhir-required", "Claim needs insurance")
WARNING = Issue("warning", "value", "Claim", "fhir-money-decimals", "more decimals than the currency has")


def test_outcome_carries_path_rule_and_severity() -> None:
    made = outcome([ISSUE, WARNING])
    assert [entry["severity"] for entry in made["issue"]] == ["error", "warning"]
    assert made["issue"][0]["expression"] == ["Claim.insurance"]
    assert made["issue"][0]["details"]["coding"][0]["code"] == "fhir-required"
    assert made["issue"][0]["code"] == "required"
    assert outcome(ISSUE) == outcome([ISSUE])


def test_nothing_wrong_is_said_too() -> None:
    assert [entry["severity"] for entry in outcome([])["issue"]] == ["information"]


def test_outcomes_are_valid_resources() -> None:
    for made in (
        outcome([]),
        outcome([ISSUE, WARNING]),
        outcome(Issue("error", "structure", "", "fhir-resource", "not a resource")),
        outcome_of("not-found", "no such resource"),
        outcome_of("conflict", "someone else was first", "warning", "Claim.id"),
    ):
        assert validate(made) == []


def test_only_errors_are_errors() -> None:
    assert has_errors([WARNING, ISSUE])
    assert not has_errors([WARNING]) and not has_errors([])
