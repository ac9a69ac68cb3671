"""Who delivers the care: two invented clinics, their doctors and rooms. Every NPI passes the Luhn check."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.identifiers import npi_valid
from x12.views.parties import Address

from simulator.ehr import resources
from simulator.ehr.resources import Resource

PLACES = {"AMB": "11", "EMER": "23"}


def invented_npi(number: int) -> str:
    """An NPI from a nine-digit base in a range that we made up, completed by its check digit."""
    body = f"{199_990_000 + number:09d}"
    return next(body + str(digit) for digit in range(10) if npi_valid(body + str(digit)))


@dataclass(frozen=True, slots=True)
class Clinic:
    """A billing organisation with its doctors and one room per class of visit."""

    organization: Resource
    practitioners: tuple[Resource, ...]
    rooms: dict[str, Resource]


def _clinic(number: int, key: str, name: str) -> Clinic:
    address = Address(f"{number} Fixture Avenue", "Austin", "TX", f"78701{number:04d}")
    doctors = tuple(
        resources.practitioner(f"dr-{key}-{n}", invented_npi(number * 10 + n), f"Example-{name}-{n}", "Doctor")
        for n in range(1, 4)
    )
    organization = resources.clinic(
        f"org-{key}", f"Synthetic Clinic {name}", invented_npi(number), f"99000{number:04d}", address
    )
    rooms = {
        kind: resources.location(f"loc-{key}-{kind.lower()}", f"Synthetic {name} {place}", place, organization)
        for kind, place in PLACES.items()
    }
    return Clinic(organization, doctors, rooms)


CLINICS = (_clinic(101, "north", "North"), _clinic(102, "south", "South"))
