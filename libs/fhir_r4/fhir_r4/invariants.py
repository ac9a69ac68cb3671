"""R4's invariants that matter to the line, as rows of type, key, predicate and sentence.

Keys such as per-1 are those of the FHIR pages (https://hl7.org/fhir/R4/); keys that begin with fhir- are rules that R4
states in prose only. A predicate sees a node that is structurally sound and answers whether the rule holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Invariant:
    """`at` is the FHIRPath below the node that the issue points to, when it is not the node itself.

    `when` is a property without which the rule cannot be broken; `holds` is only asked where it is there.
    `warns_in` are resources in which a breach is only a warning.
    """

    rule_id: str
    text: str
    holds: Callable[[Node], bool]
    at: str = ""
    code: str = "invariant"
    when: str = ""
    warns_in: frozenset[str] = frozenset()

    def kept_by(self, node: Node) -> bool:
        return (bool(self.when) and self.when not in node) or self.holds(node)


# ISO 4217 minor units that are not two.
_MINOR_UNITS = dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3) | {"CLF": 4, "UYW": 4}
_CENT = Decimal("0.01")
# A payer's statement of what is past: nothing is billed or posted from its amounts, and senders put unrounded ones in.
_STATEMENTS = frozenset(("ExplanationOfBenefit",))
_SEQUENCES = {
    "careTeamSequence": "careTeam",
    "diagnosisSequence": "diagnosis",
    "procedureSequence": "procedure",
    "informationSequence": "supportingInfo",
}
_NUMBERED = (*_SEQUENCES.values(), "insurance", "item")
_REQUEST_BUNDLES = ("batch", "transaction", "history")
_RESPONSE_BUNDLES = ("batch-response", "transaction-response", "history")
_MEALS = ("C", "CM", "CD", "CV")


def _money_fits_currency(money: Node) -> bool:
    value = money.get("value")
    if not isinstance(value, Decimal) or value.same_quantum(_CENT):
        return True
    return -int(value.as_tuple().exponent) <= _MINOR_UNITS.get(money.get("currency", "USD"), 2)


def not_after(first: str, second: str) -> bool:
    """first <= second as far as both are precise; unlike precision compares what they share."""
    if "T" in first and "T" in second:
        try:
            return datetime.fromisoformat(first) <= datetime.fromisoformat(second)
        except ValueError:  # a leap second, which R4 allows and datetime does not
            return True
    shared = min(len(first), len(second), 10)
    return first[:shared] <= second[:shared]


def _ordered(rule_id: str, text: str, first: str, second: str) -> Invariant:
    return Invariant(rule_id, text, lambda node: second not in node or not_after(node[first], node[second]), when=first)


def _needs(rule_id: str, text: str, first: str, second: str) -> Invariant:
    return Invariant(rule_id, text, lambda node: second in node, when=first)


def _excludes(rule_id: str, text: str, first: str, second: str) -> Invariant:
    return Invariant(rule_id, text, lambda node: second not in node, when=first)


def _some(*names: str) -> Callable[[Node], bool]:
    return lambda node: any(name in node for name in names)


def _has_choice(node: Node, group: str) -> bool:
    """Whether a choice has a value; the letter after the group is upper case, as in valueString."""
    return any(key.startswith(group) and key[len(group) : len(group) + 1].isupper() for key in node)


def _extension_has_one(node: Node) -> bool:
    return ("extension" in node) != (_has_choice(node, "value") or any(key.startswith("_value") for key in node))


def _range_in_order(node: Node) -> bool:
    low, high = node.get("low", {}), node.get("high", {})
    units = [(one.get("system"), one.get("code"), one.get("unit")) for one in (low, high)]
    if "value" not in low or "value" not in high or units[0] != units[1]:
        return True
    return bool(low["value"] <= high["value"])


def _ratio_whole(node: Node) -> bool:
    both = ("numerator" in node) == ("denominator" in node)
    return both and ("numerator" in node or "extension" in node)


def _concept_codes(node: Node, name: str) -> set[str]:
    return {coding.get("code", "") for coding in node.get(name, {}).get("coding", ())}


def _abated_is_not_active(node: Node) -> bool:
    if not _has_choice(node, "abatement"):
        return True
    return bool(_concept_codes(node, "clinicalStatus") & {"inactive", "resolved", "remission"})


def _status_unless_error(node: Node) -> bool:
    return "entered-in-error" in _concept_codes(node, "verificationStatus") or "clinicalStatus" in node


def _no_status_if_error(node: Node) -> bool:
    return "entered-in-error" not in _concept_codes(node, "verificationStatus") or "clinicalStatus" not in node


def _pairs(concept: Any) -> set[tuple[str | None, str | None]]:
    codings = concept.get("coding", ()) if isinstance(concept, Mapping) else ()
    return {(one.get("system"), one.get("code")) for one in codings if one.get("code")}


def _component_repeats_no_code(node: Node) -> bool:
    if not _has_choice(node, "value"):
        return True
    own = _pairs(node.get("code"))
    return not any(own & _pairs(component.get("code")) for component in node.get("component", ()))


def _no_home(name: str) -> Callable[[Node], bool]:
    return lambda node: all(one.get("use") != "home" for one in node[name])


def _entries(bundle: Node) -> list[Node]:
    return list(bundle.get("entry", ()))


def _entries_have(name: str, kinds: Iterable[str]) -> Callable[[Node], bool]:
    needed = frozenset(kinds)
    return lambda bundle: all((name in entry) == (bundle.get("type") in needed) for entry in _entries(bundle))


def _full_urls_distinct(bundle: Node) -> bool:
    if bundle.get("type") == "history":
        return True
    urls = [
        (entry["fullUrl"], entry.get("resource", {}).get("meta", {}).get("versionId"))
        for entry in _entries(bundle)
        if "fullUrl" in entry
    ]
    return len(urls) == len(set(urls))


def _unversioned(entry: Node) -> bool:
    return "/_history/" not in entry["fullUrl"]


def _first_is(kind: str, resource_type: str) -> Callable[[Node], bool]:
    def holds(bundle: Node) -> bool:
        if bundle.get("type") != kind:
            return True
        first = next(iter(_entries(bundle)), {})
        return bool(first.get("resource", {}).get("resourceType") == resource_type)

    return holds


def _document_identified(bundle: Node) -> bool:
    return bundle.get("type") != "document" or {"system", "value"} <= set(bundle.get("identifier", ()))


def _appointment_timed(node: Node) -> bool:
    return {"start", "end"} <= set(node) or node.get("status") in ("proposed", "cancelled", "waitlist")


def _sequences_unique(node: Node) -> bool:
    for name in _NUMBERED:
        if len(node.get(name, ())) > 1:
            numbers = [one["sequence"] for one in node[name] if "sequence" in one]
            if len(numbers) != len(set(numbers)):
                return False
    return True


def _sequences_exist(node: Node) -> bool:
    for name, part in _SEQUENCES.items():
        used = {number for item in node.get("item", ()) if name in item for number in item[name]} - {None}
        if used and not used <= {one.get("sequence") for one in node.get(part, ())}:
            return False
    return True


def _parameter_has_one(node: Node) -> bool:
    given = [_has_choice(node, "value"), "resource" in node, "part" in node]
    return sum(given) == 1 or (sum(given) == 0 and "extension" in node)


def _at_least_zero(name: str) -> Callable[[Node], bool]:
    return lambda node: node[name] >= 0


def _offset_has_event(node: Node) -> bool:
    return "when" in node and not set(node["when"]) & set(_MEALS)


_SEQUENCE_RULES = (
    Invariant("fhir-sequence-unique", "sequence numbers repeat", _sequences_unique),
    Invariant(
        "fhir-sequence-known",
        "an item points to a sequence number that does not exist",
        _sequences_exist,
        at="item",
        warns_in=_STATEMENTS,
        when="item",
    ),
)

INVARIANTS: Mapping[str, tuple[Invariant, ...]] = {
    "Period": (_ordered("per-1", "start is after end", "start", "end"),),
    "Quantity": (_needs("qty-3", "a code needs its system", "code", "system"),),
    "Range": (Invariant("rng-2", "low is greater than high", _range_in_order, when="low"),),
    "Ratio": (Invariant("rat-1", "numerator and denominator come together", _ratio_whole),),
    "ContactPoint": (_needs("cpt-2", "a value needs its system", "value", "system"),),
    "Attachment": (_needs("att-1", "data needs its contentType", "data", "contentType"),),
    "Extension": (Invariant("ext-1", "an extension has either a value or extensions", _extension_has_one),),
    "Money": (
        Invariant(
            "fhir-money-decimals",
            "more decimals than the currency has",
            _money_fits_currency,
            at="value",
            code="value",
            warns_in=_STATEMENTS,
            when="value",
        ),
    ),
    "TimingRepeat": (
        _needs("tim-1", "duration needs its unit", "duration", "durationUnit"),
        _needs("tim-2", "period needs its unit", "period", "periodUnit"),
        Invariant("tim-4", "duration is negative", _at_least_zero("duration"), when="duration"),
        Invariant("tim-5", "period is negative", _at_least_zero("period"), when="period"),
        _needs("tim-6", "periodMax needs period", "periodMax", "period"),
        _needs("tim-7", "durationMax needs duration", "durationMax", "duration"),
        _needs("tim-8", "countMax needs count", "countMax", "count"),
        Invariant("tim-9", "offset needs an event that is no meal", _offset_has_event, when="offset"),
        _excludes("tim-10", "timeOfDay and when exclude each other", "timeOfDay", "when"),
    ),
    "DomainResource": (
        Invariant(
            "dom-2",
            "a contained resource must not contain others",
            lambda node: all("contained" not in one for one in node["contained"]),
            when="contained",
        ),
        Invariant(
            "dom-4",
            "a contained resource has no version and no update time",
            lambda node: all(
                not {"versionId", "lastUpdated"} & one.get("meta", {}).keys() for one in node["contained"]
            ),
            when="contained",
        ),
        Invariant(
            "dom-5",
            "a contained resource has no security label",
            lambda node: all("security" not in one.get("meta", {}) for one in node["contained"]),
            when="contained",
        ),
    ),
    "Bundle": (
        Invariant(
            "bdl-1",
            "total belongs to a searchset or history",
            lambda node: node.get("type") in ("searchset", "history"),
            when="total",
        ),
        Invariant(
            "bdl-2",
            "search belongs to a searchset",
            lambda node: node.get("type") == "searchset" or all("search" not in entry for entry in _entries(node)),
        ),
        Invariant(
            "bdl-3",
            "every entry of a batch, transaction or history has a request, and no other",
            _entries_have("request", _REQUEST_BUNDLES),
        ),
        Invariant(
            "bdl-4",
            "every entry of a response or history has a response, and no other",
            _entries_have("response", _RESPONSE_BUNDLES),
        ),
        Invariant("bdl-7", "fullUrls repeat", _full_urls_distinct, when="entry"),
        Invariant("bdl-9", "a document needs an identifier with a system and a value", _document_identified),
        Invariant(
            "bdl-10", "a document needs a timestamp", lambda node: node.get("type") != "document" or "timestamp" in node
        ),
        Invariant("bdl-11", "a document begins with a Composition", _first_is("document", "Composition")),
        Invariant("bdl-12", "a message begins with a MessageHeader", _first_is("message", "MessageHeader")),
    ),
    "BundleEntry": (
        Invariant("bdl-5", "an entry needs a resource, request or response", _some("resource", "request", "response")),
        Invariant("bdl-8", "a fullUrl has no version", _unversioned, "fullUrl", when="fullUrl"),
    ),
    "ParametersParameter": (
        Invariant("inv-1", "a parameter has one of value, resource and parts", _parameter_has_one),
    ),
    "PatientContact": (
        Invariant(
            "pat-1",
            "a contact needs a name, telecom or organization",
            _some("name", "telecom", "address", "organization"),
        ),
    ),
    "Organization": (
        Invariant("org-1", "needs an identifier or a name", _some("identifier", "name")),
        Invariant("org-2", "an organization has no home address", _no_home("address"), "address", when="address"),
        Invariant("org-3", "an organization has no home telecom", _no_home("telecom"), "telecom", when="telecom"),
    ),
    "AppointmentParticipant": (Invariant("app-1", "needs a type or an actor", _some("type", "actor")),),
    "Appointment": (
        Invariant("app-2", "start and end come together", lambda node: ("start" in node) == ("end" in node)),
        Invariant("app-3", "only a proposed or cancelled appointment has no time", _appointment_timed),
        Invariant(
            "app-4",
            "a cancelation reason belongs to a cancelled appointment",
            lambda node: node.get("status") in ("cancelled", "noshow"),
            when="cancelationReason",
        ),
    ),
    "Condition": (
        Invariant("con-4", "abated, but the clinical status says otherwise", _abated_is_not_active),
        Invariant(
            "con-5", "entered in error leaves no clinical status", _no_status_if_error, when="verificationStatus"
        ),
    ),
    "ConditionStage": (Invariant("con-1", "needs a summary or an assessment", _some("summary", "assessment")),),
    "ConditionEvidence": (Invariant("con-2", "needs a code or details", _some("code", "detail")),),
    "AllergyIntolerance": (
        Invariant("ait-1", "needs a clinical status unless entered in error", _status_unless_error),
        Invariant(
            "ait-2", "entered in error leaves no clinical status", _no_status_if_error, when="verificationStatus"
        ),
    ),
    "Observation": (
        Invariant(
            "obs-6",
            "a reason for absence excludes a value",
            lambda node: not _has_choice(node, "value"),
            when="dataAbsentReason",
        ),
        Invariant(
            "obs-7",
            "a component repeats the code of an observation with a value",
            _component_repeats_no_code,
            when="component",
        ),
    ),
    "ObservationReferenceRange": (Invariant("obs-3", "needs low, high or text", _some("low", "high", "text")),),
    "ImmunizationEducation": (
        Invariant("imm-1", "needs a document type or a reference", _some("documentType", "reference")),
    ),
    "CarePlanActivity": (_excludes("cpl-3", "detail and reference exclude each other", "detail", "reference"),),
    "GoalTarget": (
        Invariant(
            "gol-1", "a detail needs its measure", lambda node: not _has_choice(node, "detail") or "measure" in node
        ),
    ),
    "ServiceRequest": (_needs("prr-1", "orderDetail needs a code", "orderDetail", "code"),),
    "Task": (_ordered("inv-1", "modified before it was authored", "authoredOn", "lastModified"),),
    "MedicationAdministrationDosage": (
        Invariant("mad-1", "needs a dose or a rate", lambda node: "dose" in node or _has_choice(node, "rate")),
    ),
    "MedicationDispense": (_ordered("mdd-1", "handed over before it was prepared", "whenPrepared", "whenHandedOver"),),
    "QuestionnaireResponseItem": (_excludes("qrs-1", "answer and item exclude each other", "answer", "item"),),
    "CompositionSection": (
        Invariant("cmp-1", "needs text, entries or sections", _some("text", "entry", "section")),
        _excludes("cmp-2", "an empty reason excludes entries", "emptyReason", "entry"),
    ),
    "AuditEventEntity": (_excludes("sev-1", "name and query exclude each other", "name", "query"),),
    "Group": (
        Invariant("grp-1", "only an actual group has members", lambda node: node.get("actual") is True, when="member"),
    ),
    "InsurancePlan": (Invariant("ipn-1", "needs an identifier or a name", _some("identifier", "name")),),
    "Claim": _SEQUENCE_RULES,
    "ExplanationOfBenefit": _SEQUENCE_RULES,
}
