"""Which revision of its schema the installed code of a service was written for, read without loading Alembic.

Every service asks this at each start; loading the migration tools for it would take longer than all else together.

A version either expands, and older code runs on its schema as before, or it contracts: it takes something away, or asks
for something, of which older code does not know. Then its module says `SERVES_FROM = "0007"`: code older than that
cannot run on it (docs/adr/0026-expand-and-contract.md).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SERVICES = (
    "eligibility",
    "prior_auth",
    "coding",
    "charge_capture",
    "claims_gateway",
    "remittance",
    "journey",
    "interface_engine",
    "simulator",
)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a schema. `serves_from` is the oldest code that runs on it where it contracts, else None."""

    revision: str
    down_revision: str | None
    serves_from: str | None = None


def schema_of(service: str) -> str:
    """The schema of a service, in snake_case as its package."""
    return service.replace("-", "_")


def announced(schema: str, revision: str) -> str:
    """What the sessions of running code call themselves, for migrations to see."""
    return f"{schema}/{revision}"


def migrations_folder(service: str) -> Path | None:
    """The installed migrations folder of a service; None where the service brings no versions."""
    package = find_spec(schema_of(service))
    for location in (package.submodule_search_locations or ()) if package is not None else ():
        folder = Path(location) / "migrations"
        if (folder / "versions").is_dir():
            return folder
    return None


def installed_services() -> tuple[str, ...]:
    """The services, in snake_case, whose packages are installed here and bring at least one version."""
    folders = {service: migrations_folder(service) for service in SERVICES}
    return tuple(service for service, folder in folders.items() if folder is not None and _versions(folder))


def _versions(folder: Path) -> list[Path]:
    return sorted((folder / "versions").glob("*.py"))


def _named_texts(file: Path) -> dict[str, str | None]:
    """The texts (or None) that a version's module gives to names at its top level."""
    found: dict[str, str | None] = {}
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                found[name] = None if value is None else str(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value)):
                found[name] = None if value is None else str(value)
    return found


def history_of(service: str) -> tuple[Version, ...]:
    """The versions that the installed code of a service knows, oldest first.

    LookupError where they are not one line, or where one that contracts serves from a revision that is not before it.
    """
    folder = migrations_folder(service)
    if folder is None:
        raise LookupError(f"{service} has no migrations that are installed here")
    found = _in_line(service, [_version(_named_texts(file)) for file in _versions(folder)])
    for number, version in enumerate(found, 1):
        if version.serves_from not in {None, *(one.revision for one in found[:number])}:
            raise LookupError(f"{service} {version.revision} serves from a revision that does not come before it")
    return found


def _version(names: dict[str, str | None]) -> Version:
    return Version(str(names.get("revision")), names.get("down_revision"), names.get("SERVES_FROM"))


def _in_line(service: str, versions: list[Version]) -> tuple[Version, ...]:
    after = {version.down_revision: version for version in versions}
    found: list[Version] = []
    while len(found) < len(versions) and (found[-1].revision if found else None) in after:
        found.append(after[found[-1].revision if found else None])
    if not found or len({version.revision for version in found}) != len(versions):
        raise LookupError(f"{service} needs versions that follow one another, from one first to one newest")
    return tuple(found)


def served_by(history: Sequence[Version]) -> tuple[str, ...]:
    """The revisions of the code that runs on the newest schema of a history, oldest first, its own the last."""
    revisions = [version.revision for version in history]
    oldest = max((revisions.index(one.serves_from) for one in history if one.serves_from is not None), default=0)
    return tuple(revisions[oldest:])


def expected_revision(service: str) -> str:
    """The newest revision that the installed code of a service knows. LookupError where there is not exactly one."""
    return history_of(service)[-1].revision
