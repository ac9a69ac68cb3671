"""What a coder looks at: the facts of a visit, the lines and diagnoses proposed for a claim, and the findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID, uuid5

from kernel.transitions import Transitions

Severity = Literal["error", "warning"]
ERROR: Final = "error"
WARNING: Final = "warning"

MAX_DIAGNOSES = 12  # 837P HI of 2300
MAX_POINTERS = 4  # SV107
MAX_MODIFIERS = 4  # SV101-3 to -6

# codings.state: where the coding of one visit stands.
TRANSITIONS = Transitions(
    {
        "review": {"coded", "cancelled", "review"},
        "coded": {"cancelled"},
        "cancelled": {"coded", "review"},
    }
)

_NAMESPACE = UUID("5b0c1f6e-2f0a-5a43-9d2b-2c6f0a7d9e11")  # ours; so that the same visit always gives the same ids


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`sequence` is the claim's order, from 1. `source` names the Condition."""

    sequence: int
    icd10cm: str
    source: str


@dataclass(frozen=True, slots=True)
class Line:
    """One billable line as coding hands it on. Dates are inclusive; `units` are exact."""

    line_id: str
    code: str
    modifiers: tuple[str, ...]
    pointers: tuple[int, ...]
    service_from: date
    service_to: date
    units: Decimal
    place: str
    source: str
    rendering_npi: str = ""
    ordering_npi: str = ""
    ndc: str = ""
    ndc_quantity: Decimal | None = None
    ndc_unit: str = ""
    order: str = ""
    unit: str = "UN"


@dataclass(frozen=True, slots=True)
class Service:
    """Something that was done, as the record has it, before anybody coded it. Empty texts mean: not documented.

    `performed` is the moment, where the record has one: it tells a repeat from a double entry.
    `reasons` are the references of the Conditions that it was done for.
    `dose` is what was given of a drug with its UCUM unit; `units` what a procedure or a charge counts.
    """

    source: str
    code: str
    service_from: date | None
    service_to: date | None
    performed: datetime | None = None
    modifiers: tuple[str, ...] = ()
    laterality: str = ""
    distinct: str = ""
    reasons: tuple[str, ...] = ()
    reason_codes: tuple[str, ...] = ()
    units: Decimal = Decimal(1)
    dose: Decimal | None = None
    dose_unit: str = ""
    ndc: str = ""
    rendering_npi: str = ""
    ordering_npi: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """The documented facts of one finished encounter.

    `diagnoses` are (Condition reference, ICD-10-CM) in claim order. `place` is "" when only `visit_class` is known.
    `em` holds the words of the E/M documentation by element, `minutes` the total time.
    `unmapped` are sources whose codes the map does not know; `without_code` have no billing code at all.
    """

    encounter: str
    encounter_key: str
    visit_class: str
    date: date | None
    place: str
    payer: str
    diagnoses: tuple[tuple[str, str], ...]
    services: tuple[Service, ...]
    em: Mapping[str, str] = field(default_factory=dict)
    minutes: int = 0
    rendering_npi: str = ""
    unmapped: tuple[str, ...] = ()
    without_code: tuple[str, ...] = ()
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. An error holds the visit for a coder, a warning informs."""

    rule_id: str
    severity: Severity
    source: str
    code: str
    because: str


@dataclass(frozen=True, slots=True)
class Coded:
    """What coding proposes, and whether a coder must look first."""

    diagnoses: tuple[Diagnosis, ...]
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == ERROR)

    @property
    def is_sure(self) -> bool:
        return not self.errors

    @property
    def work_kind(self) -> str:
        """Unmapped codes are a matter for whoever keeps the code maps, when nothing else is wrong."""
        kinds = {finding.rule_id for finding in self.errors} - _FOLLOWS_FROM_UNMAPPED
        return "unmapped-code" if kinds == {"unmapped"} else "coder-review"

    def same_billing(self, other: Coded) -> bool:
        """Whether both would put the same on a claim and leave the same charges open."""
        return (self.diagnoses, self.lines, _unmapped(self)) == (other.diagnoses, other.lines, _unmapped(other))


# What is missing because a code could not be mapped is not a second cause.
_FOLLOWS_FROM_UNMAPPED = frozenset({"no-billable-code", "no-diagnosis"})


def _unmapped(coded: Coded) -> frozenset[str]:
    return frozenset(finding.source for finding in coded.findings if finding.rule_id == "unmapped")


def sure_of_nothing_more(coded: Coded) -> Coded:
    """The proposal as a coder keeps it: what was found stays as information, nothing holds any longer."""
    return replace(coded, findings=tuple(replace(finding, severity=WARNING) for finding in coded.findings))


def line_id(encounter_key: str, source: str) -> str:
    """The same visit and source give the same line, however often they are sent."""
    return str(uuid5(_NAMESPACE, f"line|{encounter_key}|{source}"))


def work_id(kind: str, subject: str) -> str:
    """One work item per kind and subject."""
    return str(uuid5(_NAMESPACE, f"work|{kind}|{subject}"))


@dataclass(frozen=True, slots=True)
class Coding:
    """One visit's coding as we keep it. `proposal` is the machine's, also where a coder decided otherwise.

    `facts` is what the visit's fact carried, unread: it goes on with encounter.coded. `trace` is the burst that waits.
    """

    encounter_key: str
    encounter: str
    patient: str
    service_date: date | None
    version: int
    state: str
    proposal: Coded
    facts: bytes
    journey_id: str
    trace: str


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Something that a person must decide about a visit. `state`: open, resolved or cancelled."""

    work_id: str
    kind: str
    reason: str
    encounter_key: str
    encounter: str
    patient: str
    state: str
    due_on: date
    opened_at: datetime

    @property
    def owner(self) -> str:
        """The queue of the next action: code maps belong to whoever runs the feed."""
        return "it" if self.kind == "unmapped-code" else "coder"
