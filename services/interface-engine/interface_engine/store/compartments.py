"""What belongs to a Patient or an Encounter, by the parameters that lead there.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html and compartmentdefinition-encounter.html, as far as their
types are known here.
"""

from __future__ import annotations

from functools import cache

from fhir_r4.search import parameters
from fhir_r4.types import is_known, known_types

# A type and its parameters that make it belong; every type's `patient` or `encounter` does so without a row.
_ROWS = {
    "Patient": """
Account subject
AllergyIntolerance recorder asserter
Appointment actor
AppointmentResponse actor
AuditEvent entity
Basic author
CarePlan performer
CareTeam participant
ClaimResponse patient
Claim payee
Communication subject sender recipient
CommunicationRequest subject sender recipient requester
Composition subject author attester
Condition asserter
Consent consentor
Coverage policy-holder subscriber beneficiary payor
CoverageEligibilityRequest patient
DeviceRequest subject performer
DiagnosticReport subject
DocumentManifest subject author recipient
DocumentReference subject author
Encounter patient
ExplanationOfBenefit payee
Flag subject
Goal subject
Group member
Invoice subject recipient
List subject source
MeasureReport subject
Media subject
MedicationAdministration performer subject
MedicationDispense subject receiver
MedicationRequest subject
MedicationStatement subject
Observation subject performer
Patient link
Person link
Procedure performer
Provenance target
QuestionnaireResponse subject author
RelatedPerson patient
RequestGroup subject participant
RiskAssessment subject
Schedule actor
ServiceRequest subject performer
Specimen subject
Task subject owner requester
VisionPrescription patient
""",
    "Encounter": """
Claim encounter
Communication encounter
Composition encounter
Condition encounter
DocumentReference encounter context
ExplanationOfBenefit encounter
MedicationAdministration context
MedicationDispense context
ChargeItem context
Procedure encounter
QuestionnaireResponse encounter
""",
}
_ALWAYS = {"Patient": ("patient", "subject"), "Encounter": ("encounter", "context")}


@cache
def belonging(compartment: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a type and a path of the reference index by which its resources belong to a Patient or an Encounter."""
    lines = (line.split() for line in _ROWS[compartment].strip().split("\n"))
    named = {name: rest for name, *rest in lines if is_known(name)}
    pairs = {
        (type_name, f"{type_name}.{path}")
        for type_name in known_types()
        for name in (*_ALWAYS[compartment], *named.get(type_name, ()))
        for path in _paths(type_name, name, compartment)
    }
    return tuple(sorted(pairs))


def _paths(type_name: str, name: str, compartment: str) -> tuple[str, ...]:
    parameter = parameters(type_name).get(name)
    leads = parameter is not None and parameter.kind == "reference" and parameter.allows(compartment)
    return parameter.paths if parameter is not None and leads else ()
