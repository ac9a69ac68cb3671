"""What is checked of a resource before it is kept, and how a refusal is said in FHIR."""

from __future__ import annotations

from fhir_r4 import Issue, has_errors, outcome, validate

from interface_engine.model import Rejected, Resource


def rejected(status: int, code: str, path: str, rule_id: str, text: str) -> Rejected:
    """A refusal with one issue."""
    return Rejected(status, outcome(Issue("error", code, path, rule_id, text)))


def check(resource: Resource, root: str = "") -> None:
    """Rejected 422 with every issue when one of them is an error. `root` is the path by which issues name it."""
    issues = validate(resource)
    if has_errors(issues):
        found = outcome(issues)
        if root:
            put_below(found, resource.get("resourceType", ""), root)
        raise Rejected(422, found)


def put_below(found: Resource, type_name: str, root: str) -> None:
    """Paths of an entry's resource as paths of the Bundle that it came in."""
    for issue in found["issue"]:
        if "expression" in issue:
            issue["expression"] = [root + path.removeprefix(type_name) for path in issue["expression"]]
