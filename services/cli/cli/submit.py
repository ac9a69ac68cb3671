"""Sends files that nobody here wrote: Bundles and single resources, plain or gzip, a folder or a list of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.client import FhirClient

SUFFIXES = (".json", ".json.gz")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file."""

    file: Path
    status: int
    resources: int
    problem: str
    encounters: tuple[str, ...] = ()


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and those with a FHIR ending below the folders named, in order of their names."""
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.name.endswith(SUFFIXES))
        else:
            yield path


def content_of(file: Path) -> bytes:
    """The bytes, unpacked. OSError when the file cannot be read or is not gzip after all."""
    data = file.read_bytes()
    return gzip.decompress(data) if file.suffix == ".gz" else data


async def submit_file(client: FhirClient, file: Path) -> Outcome:
    """Posts a Bundle to the base and any other resource to its type. What cannot be read is an outcome too."""
    try:
        data = content_of(file)
        resource = json.loads(data)
        type_ = resource["resourceType"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Outcome(file, 0, 0, f"not a FHIR file ({type(error).__name__})")
    is_bundle = type_ == "Bundle" and resource.get("type") in ("transaction", "batch")
    sent = await (client.post_bundle(data) if is_bundle else client.create(type_, data))
    entries = sent.body.get("entry", []) if is_bundle else [sent.body]
    places = [str((entry.get("response") or {}).get("location", "")) for entry in entries]
    encounters = tuple(_reference(place) for place in places if "Encounter/" in place)
    if type_ == "Encounter" and not sent.problem():
        encounters = (f"Encounter/{sent.body.get('id', '')}",)
    return Outcome(file, sent.status, 0 if sent.problem() else len(entries), sent.problem(), encounters)


def _reference(location: str) -> str:
    parts = location.split("/")
    return "/".join(parts[parts.index("Encounter") : parts.index("Encounter") + 2])
