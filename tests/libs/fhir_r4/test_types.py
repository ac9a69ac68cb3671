"""The tables of facts are whole in themselves and agree with an independent rendering of the specification."""

from __future__ import annotations

import importlib
import typing

import pytest
from fhir_r4.primitives import FORMATS
from fhir_r4.tables import bindings
from fhir_r4.types import Element, element_type, is_known, known_types, shape

LINE = """
Patient Coverage Organization Practitioner PractitionerRole Location Appointment Encounter Condition Procedure
ServiceRequest MedicationRequest MedicationAdministration DeviceRequest Immunization Observation DiagnosticReport
DocumentReference ChargeItem Claim ClaimResponse CoverageEligibilityRequest CoverageEligibilityResponse
ExplanationOfBenefit Task PaymentReconciliation Account RelatedPerson Medication Goal CarePlan CareTeam ImagingStudy
AllergyIntolerance Device QuestionnaireResponse Provenance Bundle OperationOutcome Parameters Subscription AuditEvent
PaymentNotice Invoice ChargeItemDefinition InsurancePlan EnrollmentRequest EnrollmentResponse Questionnaire Binary Group
List Endpoint OrganizationAffiliation HealthcareService Slot Schedule AppointmentResponse NutritionOrder Communication
CommunicationRequest VisionPrescription MedicationDispense MedicationStatement Specimen Media Consent Composition Basic
EpisodeOfCare Flag Person CapabilityStatement MessageHeader
"""


def _reachable() -> dict[str, dict[str, Element]]:
    found: dict[str, dict[str, Element]] = {}
    waiting = [*known_types(), "Element"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = dict(shape(name).elements)
            waiting += [one.type for one in found[name].values() if not one.primitive and one.type != "Resource"]
    return found


def test_every_type_of_the_line_is_known() -> None:
    assert set(LINE.split()) <= known_types()
    assert all(map(is_known, LINE.split()))


@pytest.mark.parametrize("name", ["Resource", "DomainResource", "ClaimItem", "Money", "Banana", ""])
def test_what_is_no_resource_is_not_known(name: str) -> None:
    assert not is_known(name) and name not in known_types()


def test_every_row_leads_to_a_known_type() -> None:
    assert len(_reachable()) > 300


def test_every_binding_is_a_value_set_and_every_value_set_is_bound() -> None:
    used = {id(one.codes or one.concept) for form in _reachable().values() for one in form.values()} - {id(None)}
    rows = [row for text in (bindings.CODES, bindings.CONCEPTS) for row in text.strip().split("\n") if row[0] != " "]
    assert len(used) == len(rows)


def test_the_value_sets_of_types_hold_every_type_that_is_used_here() -> None:
    codes = shape("CapabilityStatementRestResource").elements["type"].codes
    assert codes is not None and len(codes) == 148
    assert codes == shape("Questionnaire").elements["subjectType"].codes
    targets = {target for form in _reachable().values() for one in form.values() for target in one.targets or ()}
    assert known_types() <= codes and targets <= codes
    every = shape("DataRequirement").elements["type"].codes
    assert every is not None and codes | (FORMATS.keys() - {"xhtml"}) <= every and "ClaimItem" not in every


def test_targets_are_resource_types() -> None:
    for name, form in _reachable().items():
        for key, one in form.items():
            assert all(target[0].isupper() and target.isalpha() for target in one.targets or ()), (name, key)
            assert one.targets is None or one.type == "Reference"


def test_element_types() -> None:
    assert element_type("Claim", "patient") == "Reference"
    assert element_type("ClaimItem", "servicedDate") == "date"
    assert element_type("ClaimItem", "serviced") is None
    assert element_type("Banana", "patient") is None
    assert element_type("Extension", "valueMoney") == "Money"
    assert element_type("Age", "value") == "decimal"


def _oracle_fields(name: str) -> dict[str, tuple[bool, bool]] | None:
    """Property -> (many, required) as fhir.resources has it for R4B; None where it has no such type."""
    try:
        module = importlib.import_module(f"fhir.resources.R4B.{name.lower()}")
    except ModuleNotFoundError:
        return None
    fields = getattr(module, name).model_fields.values()
    return {
        str(one.alias): (_is_list(one.annotation), _is_required(one))
        for one in fields
        if (one.json_schema_extra or {}).get("element_property")
    }


def _is_list(annotation: object) -> bool:
    arguments = typing.get_args(annotation)
    return typing.get_origin(annotation) is list or any(typing.get_origin(one) is list for one in arguments)


def _is_required(one: typing.Any) -> bool:
    return bool(one.is_required() or one.json_schema_extra.get("element_required"))


@pytest.mark.parametrize("name", sorted(known_types()))
def test_the_oracle_agrees_on_names_and_cardinalities(name: str) -> None:
    theirs = _oracle_fields(name)
    assert theirs is not None
    ours = {key: one for key, one in shape(name).elements.items() if key != "resourceType"}
    required = {variants[0] for _, variants in shape(name).required if len(variants) == 1}
    assert ours.keys() == theirs.keys()
    assert {key: one.many for key, one in ours.items()} == {key: many for key, (many, _) in theirs.items()}
    assert required == {key for key, (_, needed) in theirs.items() if needed}


def test_primitive_elements_have_a_check_and_others_none() -> None:
    for form in _reachable().values():
        for one in form.values():
            assert (one.check is not None) == (one.type in FORMATS)
