"""The closed set of verbs that a channel may use: what each takes, which options it has, which FHIR types it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TEXT_TYPES = frozenset(
    {"string", "code", "uri", "url", "canonical", "id", "oid", "markdown", "uuid", "base64Binary"}
)  # fmt: skip
_DATES = frozenset({"date", "dateTime"})
_TIMES = frozenset({"date", "dateTime", "instant"})
_NUMBERS = frozenset({"decimal"})
_WHOLE = frozenset({"integer", "positiveInt", "unsignedInt"})
_ANY = frozenset({"*"})  # as its argument, or checked where it is nested


@dataclass(frozen=True, slots=True)
class Verb:
    """`takes`: value (a place or another verb), values (a list of them), literal (the text itself), parts (a place of
    an HL7 data type, or its parts one by one), elements (FHIR elements), test (a condition), or target (a template).
    `options`: name to kind (text, value, place, whole, flag, table, target)."""

    takes: str
    gives: frozenset[str]
    options: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def _text(**options: str) -> Verb:
    return Verb("value", TEXT_TYPES, options, needs=tuple(options))


VERBS: Mapping[str, Verb] = {
    "copy": Verb("value", TEXT_TYPES),
    "constant": Verb("literal", _ANY),
    "lookup": Verb("value", TEXT_TYPES, {"table": "table", "otherwise": "text"}, needs=("table",)),
    "date": Verb("value", _DATES),
    "datetime": Verb("value", _TIMES),
    "money": Verb("value", frozenset({"Money"})),
    "cents": Verb("value", _WHOLE),
    "number": Verb("value", _NUMBERS),
    "whole": Verb("value", _WHOLE),
    "boolean": Verb("value", frozenset({"boolean"})),
    "split": Verb("value", TEXT_TYPES, {"by": "text", "part": "whole"}, needs=("by",)),
    "join": Verb("values", TEXT_TYPES, {"with": "text"}),
    "first": Verb("value", _ANY),
    "coalesce": Verb("values", _ANY),
    "when": Verb("test", _ANY, {"then": "value", "else": "value"}, needs=("then",)),
    "upper": _text(),
    "lower": _text(),
    "strip": _text(),
    "digits": _text(),
    "before": _text(mark="text"),
    "after": _text(mark="text"),
    "prefix": _text(text="text"),
    "drop_prefix": _text(text="text"),
    "drop_suffix": _text(text="text"),
    "identifier": Verb(
        "parts", frozenset({"Identifier"}), {"system": "text", "type": "text"}, ("value",)
    ),
    "name": Verb(
        "parts", frozenset({"HumanName"}), {"use": "text"}, ("family", "given", "middle", "suffix", "prefix", "text")
    ),
    "address": Verb(
        "parts", frozenset({"Address"}), {"use": "text"}, ("line", "line2", "city", "state", "postal_code", "country")
    ),
    "telecom": Verb(
        "parts", frozenset({"ContactPoint"}), {"system": "text", "use": "text"}, ("value",)
    ),
    "codeable": Verb(
        "parts", frozenset({"CodeableConcept"}), {"system": "text", "table": "table"}, ("code", "text")
    ),
    "coding": Verb("parts", frozenset({"Coding"}), {"system": "text", "table": "table"}, ("code",)),
    "quantity": Verb("value", frozenset({"Quantity"}), {"unit": "value"}),
    "period": Verb("parts", frozenset({"Period"}), {}, ("start", "end")),
    "reference": Verb("target", frozenset({"Reference"}), {"from": "place"}),
    "group": Verb("elements", _ANY, {"each": "place"}),
    "annotation": Verb("value", frozenset({"Annotation"})),
    "attachment": Verb("value", frozenset({"Attachment"}), {"content_type": "text"}),
}  # fmt: skip

# What a reference may lead to: the message's own resources, and those made of the field that is named.
OWN_TARGETS = frozenset({"patient", "visit", "account", "facility", "place"})
MADE_TARGETS = frozenset({"practitioner", "organization", "location"})
TARGETS = OWN_TARGETS | MADE_TARGETS
