"""The parameters of each type are R4's and US Core's, and every path of theirs is an element of the definitions."""

from __future__ import annotations

import pytest
from fhir_r4.search import Parameter, includes, parameters, revincludes
from fhir_r4.search.registry import steps_of
from fhir_r4.search.rows import leaf
from fhir_r4.types import element_type, is_known, known_types

TYPES = sorted(known_types())
COMMON = {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"}

# US Core 6.1 (and 3.1): type, then parameter/kind, "t" token, "s" string, "d" date, "r" reference.
US_CORE = """
AllergyIntolerance clinical-status/t patient/r
CarePlan category/t date/d patient/r status/t
CareTeam patient/r role/t status/t
Condition abatement-date/d asserted-date/d category/t clinical-status/t code/t encounter/r onset-date/d patient/r
  recorded-date/d
Coverage patient/r
Device patient/r status/t type/t
DiagnosticReport category/t code/t date/d patient/r status/t
DocumentReference category/t date/d patient/r period/d status/t type/t
Encounter class/t date/d discharge-disposition/t identifier/t location/r patient/r status/t type/t
Goal description/t lifecycle-status/t patient/r target-date/d
Immunization date/d patient/r status/t
Location address/s address-city/s address-postalcode/s address-state/s name/s
MedicationDispense patient/r status/t type/t
MedicationRequest authoredon/d encounter/r intent/t patient/r status/t
Observation category/t code/t date/d patient/r status/t
Organization address/s name/s
Patient birthdate/d death-date/d ethnicity/t family/s gender/t gender-identity/t given/s identifier/t name/s race/t
Practitioner identifier/t name/s
PractitionerRole practitioner/r specialty/t
Procedure code/t date/d patient/r status/t
Provenance target/r
QuestionnaireResponse authored/d patient/r questionnaire/u status/t
RelatedPerson name/s patient/r
ServiceRequest authored/d category/t code/t patient/r status/t
Specimen patient/r
"""
LETTERS = {"t": "token", "s": "string", "d": "date", "r": "reference", "u": "uri"}


def us_core() -> list[tuple[str, str, str]]:
    rows = [line.split() for line in US_CORE.strip().replace("\n  ", " ").split("\n")]
    return [(name, *one.split("/")) for name, *listed in rows for one in listed]  # type: ignore[misc]


@pytest.mark.parametrize(("type_name", "name", "letter"), us_core())
def test_us_core_parameters_are_there(type_name: str, name: str, letter: str) -> None:
    assert parameters(type_name)[name].kind == LETTERS[letter]


PROVIDERS = ("Organization", "Practitioner", "PractitionerRole")
# As R4's registry has them: type, name, the parameter.
R4 = [
    ("Encounter", Parameter("patient", "reference", ("subject",), ("Patient",))),
    ("Encounter", Parameter("practitioner", "reference", ("participant.individual",), ("Practitioner",))),
    ("Encounter", Parameter("length", "quantity", ("length",))),
    ("Coverage", Parameter("patient", "reference", ("beneficiary",), ("Patient",))),
    ("Claim", Parameter("encounter", "reference", ("item.encounter",), ("Encounter",))),
    (
        "Claim",
        Parameter("care-team", "reference", ("careTeam.provider",), PROVIDERS),
    ),
    ("ClaimResponse", Parameter("payment-date", "date", ("payment.date",))),
    ("ExplanationOfBenefit", Parameter("coverage", "reference", ("insurance.coverage",), ("Coverage",))),
    ("ChargeItem", Parameter("price-override", "quantity", ("priceOverride",))),
    ("Invoice", Parameter("totalnet", "quantity", ("totalNet",))),
    ("Task", Parameter("patient", "reference", ("for",), ("Patient",))),
    ("Task", Parameter("subject", "reference", ("for",), ())),
    ("Provenance", Parameter("target", "reference", ("target",), ())),
    ("MedicationRequest", Parameter("medication", "reference", ("medicationReference",), ("Medication",))),
    ("MedicationRequest", Parameter("code", "token", ("medicationCodeableConcept",))),
    ("Patient", Parameter("email", "token", ("telecom:email",))),
    ("Patient", Parameter("address-postalcode", "string", ("address.postalCode",))),
    ("InsurancePlan", Parameter("address-city", "string", ("contact.address.city",))),
    ("AllergyIntolerance", Parameter("code", "token", ("code", "reaction.substance"))),
    ("DocumentReference", Parameter("identifier", "token", ("masterIdentifier", "identifier"))),
    ("Observation", Parameter("date", "date", ("effective",))),
    ("Account", Parameter("period", "date", ("servicePeriod",))),
    ("EnrollmentRequest", Parameter("subject", "reference", ("candidate",), ("Patient",))),
    ("QuestionnaireResponse", Parameter("patient", "reference", ("subject",), ("Patient",))),
    ("Composition", Parameter("patient", "reference", ("subject",), ("Patient",))),
    ("QuestionnaireResponse", Parameter("patient", "reference", ("subject",), ("Patient",))),
    ("Composition", Parameter("patient", "reference", ("subject",), ("Patient",))),
    ("QuestionnaireResponse", Parameter("questionnaire", "uri", ("questionnaire",))),
]


@pytest.mark.parametrize(("type_name", "expected"), R4, ids=[f"{t}-{p.name}" for t, p in R4])
def test_names_kinds_paths_and_targets_are_those_of_r4(type_name: str, expected: Parameter) -> None:
    assert parameters(type_name)[expected.name] == expected


# R4's compartment of a patient: type and the references that put a resource into it.
COMPARTMENT = """
Account subject | AdverseEvent subject | AllergyIntolerance patient recorder asserter | Appointment actor
AppointmentResponse actor | AuditEvent patient | Basic patient author | CarePlan patient performer
CareTeam patient participant | ChargeItem subject | Claim patient payee | ClaimResponse patient
ClinicalImpression subject | Communication subject sender recipient
CommunicationRequest subject sender recipient requester | Composition subject author attester
Condition patient asserter | Consent patient
Coverage policy-holder subscriber beneficiary payor | CoverageEligibilityRequest patient
CoverageEligibilityResponse patient | DetectedIssue patient | DeviceRequest subject performer
DeviceUseStatement subject | DiagnosticReport subject | DocumentReference subject author | Encounter patient
EnrollmentRequest subject | EpisodeOfCare patient | ExplanationOfBenefit patient payee | FamilyMemberHistory patient
Flag patient | Goal patient | Group member | ImagingStudy patient | Immunization patient
Invoice subject patient recipient | List subject source | Media subject
MedicationAdministration patient performer subject | MedicationDispense subject patient receiver
MedicationRequest subject | MedicationStatement subject | NutritionOrder patient | Observation subject performer
Patient link | Person patient | Procedure patient performer | Provenance patient | QuestionnaireResponse subject author
RelatedPerson patient | RequestGroup subject participant | RiskAssessment subject | Schedule actor
ServiceRequest subject performer | Specimen subject | SupplyDelivery patient | SupplyRequest subject
VisionPrescription patient
"""


@pytest.mark.parametrize("row", COMPARTMENT.strip().replace("\n", " | ").split(" | "))
def test_what_puts_a_resource_into_the_compartment_of_a_patient_points_to_patients(row: str) -> None:
    type_name, *names = row.split()
    assert all(parameters(type_name)[name].allows("Patient") for name in names)


@pytest.mark.parametrize("type_name", TYPES)
def test_every_type_has_the_common_ones_and_those_of_its_plain_elements(type_name: str) -> None:
    named = parameters(type_name)
    assert named.keys() >= COMMON
    wanted = {"identifier": "Identifier", "status": "code", "encounter": "Reference", "subject": "Reference"}
    for name, of_type in wanted.items():
        if element_type(type_name, name) == of_type:
            assert name in named


@pytest.mark.parametrize("type_name", TYPES)
def test_every_path_is_an_element_that_its_kind_can_use(type_name: str) -> None:
    for name, parameter in parameters(type_name).items():
        assert name == parameter.name
        for path in parameter.paths:
            elements = steps_of(type_name, path)[-1].elements
            assert any(leaf(parameter, element) for _, element in elements) or path.endswith(":exists"), path


@pytest.mark.parametrize("type_name", TYPES)
def test_every_reference_path_is_of_json_names_that_end_in_a_reference(type_name: str) -> None:
    for parameter in parameters(type_name).values():
        if parameter.kind != "reference":
            assert parameter.targets == ()
            continue
        for path in parameter.paths:
            owner: str | None = type_name
            for step in path.split("."):
                assert owner is not None
                owner = element_type(owner, step)
            assert owner == "Reference", f"{type_name}.{path}"


@pytest.mark.parametrize("type_name", TYPES)
def test_patient_points_to_patients_only(type_name: str) -> None:
    if patient := parameters(type_name).get("patient"):
        assert patient.targets == ("Patient",)


def test_an_unknown_type_has_no_parameters() -> None:
    for name in ("Banana", "", "Element", "HumanName"):
        with pytest.raises(KeyError):
            parameters(name)


def test_the_mapping_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        parameters("Claim")["x"] = Parameter("x", "token", ("id",))  # type: ignore[index]


def test_no_parameter_of_another_type_and_none_that_is_left_out() -> None:
    assert "beneficiary" not in parameters("Claim")
    assert "near" not in parameters("Location")
    assert "code-value-quantity" not in parameters("Observation")
    assert "subject" not in parameters("Coverage")


def test_includes_are_the_references() -> None:
    assert {"Encounter:patient", "Encounter:service-provider", "Encounter:diagnosis"} <= set(includes("Encounter"))
    assert "Encounter:status" not in includes("Encounter")
    assert all(value.startswith("Encounter:") for value in includes("Encounter"))


def test_reverse_includes_are_references_that_may_point_here() -> None:
    values = set(revincludes("Encounter"))
    assert {"Claim:encounter", "Observation:encounter", "Provenance:target", "Procedure:encounter"} <= values
    assert "Claim:patient" not in values
    assert "Encounter:status" not in values


def test_allows_is_about_targets() -> None:
    assert parameters("Encounter")["patient"].allows("Patient")
    assert not parameters("Encounter")["patient"].allows("Group")
    assert parameters("Provenance")["target"].allows("Group")
    assert not parameters("Encounter")["status"].allows("Patient")


def test_targets_are_types_that_r4_names_so() -> None:
    targets = {target for name in TYPES for one in parameters(name).values() for target in one.targets}
    assert {"Patient", "Practitioner", "Coverage"} <= targets
    assert all(target[0].isupper() and target.isalpha() for target in targets)
    assert is_known("Patient")
