"""Which revision of its schema the installed code of a service was written for, read without loading Alembic.

Every service asks this at each start; loading the migration tools for it would take longer than all else together.
"""

from __future__ import annotations

import ast
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


def schema_of(service: str) -> str:
    """The schema of a service, in snake_case as its package."""
    return service.replace("-", "_")


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


def expected_revision(service: str) -> str:
    """The newest revision that the installed code of a service knows. LookupError where there is not exactly one."""
    folder = migrations_folder(service)
    if folder is None:
        raise LookupError(f"{service} has no migrations that are installed here")
    versions = [_named_texts(file) for file in _versions(folder)]
    before = {version.get("down_revision") for version in versions}
    newest = sorted({str(version["revision"]) for version in versions if version.get("revision") not in before})
    if len(newest) != 1:
        raise LookupError(f"{service} needs one newest version and has {newest or 'none'}")
    return newest[0]
