"""Less than the whole of a resource: _elements and _summary (https://hl7.org/fhir/R4/search.html#summary)."""

from __future__ import annotations

from fhir_r4 import read, write
from fhir_r4.types import shape

_ALWAYS = frozenset({"resourceType", "id", "meta"})
_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def subset(text: bytes, summary: str | None, elements: tuple[str, ...]) -> bytes:
    """The text with those elements, or that summary, and marked as such; the whole where neither is asked for.

    Which elements make a summary is not in our tables: _summary=true tells all but narrative, which R4 allows.
    """
    if not elements and summary not in ("text", "data", "true"):
        return text
    resource = read(text)
    wanted = _ALWAYS | set(elements) if elements else _ALWAYS | {"text"}
    needed = {name for _, names in shape(resource["resourceType"]).required for name in names}
    if elements or summary == "text":
        made = {name: value for name, value in resource.items() if name.lstrip("_") in wanted | needed}
    else:
        made = {name: value for name, value in resource.items() if name != "text"}
    meta = made.get("meta") or {}
    return write(made | {"meta": meta | {"tag": [*meta.get("tag", ()), _SUBSETTED]}})
