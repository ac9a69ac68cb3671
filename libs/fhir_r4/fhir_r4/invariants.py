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

    `warns_in` are resources in which a breach is only a warning.
    """

    rule_id: str
    text: str
    holds: Callable[[Node], bool]
    at: str = ""
    code: str = "invariant"
    warns_in: frozenset[str] = frozenset()


# ISO 4217 minor units that are not two.
_MINOR_UNITS = dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3) | {"CLF": 4, "UYW": 4}
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
    if not isinstance(value, Decimal):
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


def _in_order(first: str, second: str) -> Callable[[Node], bool]:
    return lambda node: first not in node or second not in node or not_after(node[first], node[second])


def _together(first: str, second: str) -> Callable[[Node], bool]:
    """The first needs the second."""
    return lambda node: first not in node or second in node


def _never_together(first: str, second: str) -> Callable[[Node], bool]:
    return lambda node: first not in node or second not in node


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


def _no_home(node: Node, name: str) -> bool:
    return all(one.get("use") != "home" for one in node.get(name, ()))


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
        numbers = [one["sequence"] for one in node.get(name, ()) if "sequence" in one]
        if len(numbers) != len(set(numbers)):
            return False
    return True


def _sequences_exist(node: Node) -> bool:
    known = {part: {one.get("sequence") for one in node.get(part, ())} for part in _SEQUENCES.values()}
    return all(
        set(item.get(name, ())) - {None} <= known[part]
        for item in node.get("item", ())
        for name, part in _SEQUENCES.items()
    )


def _inner(node: Node) -> list[Node]:
    return list(node.get("contained", ()))


def _parameter_has_one(node: Node) -> bool:
    given = [_has_choice(node, "value"), "resource" in node, "part" in node]
    return sum(given) == 1 or (sum(given) == 0 and "extension" in node)


def _at_least_zero(name: str) -> Callable[[Node], bool]:
    return lambda node: node.get(name, 0) >= 0


def _offset_has_event(node: Node) -> bool:
    return "offset" not in node or ("when" in node and not set(node["when"]) & set(_MEALS))


_SEQUENCE_RULES = (
    Invariant("fhir-sequence-unique", "sequence numbers repeat", _sequences_unique),
    Invariant(
        "fhir-sequence-known",
        "an item points to a sequence number that does not exist",
        _sequences_exist,
        at="item",
        warns_in=_STATEMENTS,
    ),
)

INVARIANTS: Mapping[str, tuple[Invariant, ...]] = {
    "Period": (Invariant("per-1", "start is after end", _in_order("start", "end")),),
    "Quantity": (Invariant("qty-3", "a code needs its system", _together("code", "system")),),
    "Range": (Invariant("rng-2", "low is greater than high", _range_in_order),),
    "Ratio": (Invariant("rat-1", "numerator and denominator come together", _ratio_whole),),
    "ContactPoint": (Invariant("cpt-2", "a value needs its system", _together("value", "system")),),
    "Attachment": (Invariant("att-1", "data needs its contentType", _together("data", "contentType")),),
    "Extension": (Invariant("ext-1", "an extension has either a value or extensions", _extension_has_one),),
    "Money": (
        Invariant(
            "fhir-money-decimals",
            "more decimals than the currency has",
            _money_fits_currency,
            at="value",
            code="value",
            warns_in=_STATEMENTS,
        ),
    ),
    "TimingRepeat": (
        Invariant("tim-1", "duration needs its unit", _together("duration", "durationUnit")),
        Invariant("tim-2", "period needs its unit", _together("period", "periodUnit")),
        Invariant("tim-4", "duration is negative", _at_least_zero("duration")),
        Invariant("tim-5", "period is negative", _at_least_zero("period")),
        Invariant("tim-6", "periodMax needs period", _together("periodMax", "period")),
        Invariant("tim-7", "durationMax needs duration", _together("durationMax", "duration")),
        Invariant("tim-8", "countMax needs count", _together("countMax", "count")),
        Invariant("tim-9", "offset needs an event that is no meal", _offset_has_event),
        Invariant("tim-10", "timeOfDay and when exclude each other", _never_together("timeOfDay", "when")),
    ),
    "DomainResource": (
        Invariant(
            "dom-2",
            "a contained resource must not contain others",
            lambda node: all("contained" not in one for one in _inner(node)),
        ),
        Invariant(
            "dom-4",
            "a contained resource has no version and no update time",
            lambda node: all(not {"versionId", "lastUpdated"} & one.get("meta", {}).keys() for one in _inner(node)),
        ),
        Invariant(
            "dom-5",
            "a contained resource has no security label",
            lambda node: all("security" not in one.get("meta", {}) for one in _inner(node)),
        ),
    ),
    "Bundle": (
        Invariant(
            "bdl-1",
            "total belongs to a searchset or history",
            lambda node: "total" not in node or node.get("type") in ("searchset", "history"),
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
        Invariant("bdl-7", "fullUrls repeat", _full_urls_distinct),
        Invariant("bdl-9", "a document needs an identifier with a system and a value", _document_identified),
        Invariant(
            "bdl-10", "a document needs a timestamp", lambda node: node.get("type") != "document" or "timestamp" in node
        ),
        Invariant("bdl-11", "a document begins with a Composition", _first_is("document", "Composition")),
        Invariant("bdl-12", "a message begins with a MessageHeader", _first_is("message", "MessageHeader")),
    ),
    "BundleEntry": (
        Invariant("bdl-5", "an entry needs a resource, request or response", _some("resource", "request", "response")),
        Invariant(
            "bdl-8", "a fullUrl has no version", lambda node: "/_history/" not in node.get("fullUrl", ""), "fullUrl"
        ),
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
        Invariant("org-2", "an organization has no home address", lambda node: _no_home(node, "address"), "address"),
        Invariant("org-3", "an organization has no home telecom", lambda node: _no_home(node, "telecom"), "telecom"),
    ),
    "AppointmentParticipant": (Invariant("app-1", "needs a type or an actor", _some("type", "actor")),),
    "Appointment": (
        Invariant("app-2", "start and end come together", lambda node: ("start" in node) == ("end" in node)),
        Invariant("app-3", "only a proposed or cancelled appointment has no time", _appointment_timed),
        Invariant(
            "app-4",
            "a cancelation reason belongs to a cancelled appointment",
            lambda node: "cancelationReason" not in node or node.get("status") in ("cancelled", "noshow"),
        ),
    ),
    "Condition": (
        Invariant("con-4", "abated, but the clinical status says otherwise", _abated_is_not_active),
        Invariant("con-5", "entered in error leaves no clinical status", _no_status_if_error),
    ),
    "ConditionStage": (Invariant("con-1", "needs a summary or an assessment", _some("summary", "assessment")),),
    "ConditionEvidence": (Invariant("con-2", "needs a code or details", _some("code", "detail")),),
    "AllergyIntolerance": (
        Invariant("ait-1", "needs a clinical status unless entered in error", _status_unless_error),
        Invariant("ait-2", "entered in error leaves no clinical status", _no_status_if_error),
    ),
    "Observation": (
        Invariant(
            "obs-6",
            "a reason for absence excludes a value",
            lambda node: "dataAbsentReason" not in node or not _has_choice(node, "value"),
        ),
        Invariant("obs-7", "a component repeats the code of an observation with a value", _component_repeats_no_code),
    ),
    "ObservationReferenceRange": (Invariant("obs-3", "needs low, high or text", _some("low", "high", "text")),),
    "ImmunizationEducation": (
        Invariant("imm-1", "needs a document type or a reference", _some("documentType", "reference")),
    ),
    "CarePlanActivity": (
        Invariant("cpl-3", "detail and reference exclude each other", _never_together("detail", "reference")),
    ),
    "GoalTarget": (
        Invariant(
            "gol-1", "a detail needs its measure", lambda node: not _has_choice(node, "detail") or "measure" in node
        ),
    ),
    "ServiceRequest": (Invariant("prr-1", "orderDetail needs a code", _together("orderDetail", "code")),),
    "Task": (Invariant("inv-1", "modified before it was authored", _in_order("authoredOn", "lastModified")),),
    "MedicationAdministrationDosage": (
        Invariant("mad-1", "needs a dose or a rate", lambda node: "dose" in node or _has_choice(node, "rate")),
    ),
    "MedicationDispense": (
        Invariant("mdd-1", "handed over before it was prepared", _in_order("whenPrepared", "whenHandedOver")),
    ),
    "QuestionnaireResponseItem": (
        Invariant("qrs-1", "answer and item exclude each other", _never_together("answer", "item")),
    ),
    "CompositionSection": (
        Invariant("cmp-1", "needs text, entries or sections", _some("text", "entry", "section")),
        Invariant("cmp-2", "an empty reason excludes entries", _never_together("emptyReason", "entry")),
    ),
    "AuditEventEntity": (Invariant("sev-1", "name and query exclude each other", _never_together("name", "query")),),
    "Group": (
        Invariant(
            "grp-1", "only an actual group has members", lambda node: "member" not in node or node.get("actual") is True
        ),
    ),
    "InsurancePlan": (Invariant("ipn-1", "needs an identifier or a name", _some("identifier", "name")),),
    "Claim": _SEQUENCE_RULES,
    "ExplanationOfBenefit": _SEQUENCE_RULES,
}
