"""What a request must be before anything is done with it: of a known type, good by itself, of the URL's type."""

from __future__ import annotations

from fhir_r4 import outcome_of, read
from fhir_r4.types import is_known

from interface_engine.entry_http.asked import Asked
from interface_engine.handlers.checking import check, rejected
from interface_engine.model import Rejected, Resource


def known_type(type_name: str) -> None:
    """Rejected 404 for a type that is not served."""
    if not is_known(type_name):
        raise Rejected(404, outcome_of("not-supported", "a resource type that is not known here"))


def sent_resource(asked: Asked) -> Resource:
    """The resource in the body, of the URL's type and without an error in it."""
    resource = read(asked.body)
    if resource["resourceType"] != asked.type:
        text = "the resource is not of the URL's type"
        raise rejected(400, "invalid", "Resource.resourceType", "fhir-resource-type", text)
    check(resource)
    return resource


def check_frame(bundle: Resource) -> None:
    """The Bundle without its resources, which have a check of their own."""
    entries = bundle.get("entry")
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        bare = [{name: value for name, value in entry.items() if name != "resource"} for entry in entries]
        bundle = bundle | ({"entry": bare} if bare else {})
    check(bundle)
