"""Published samples: every resource of the FHIR corpora, read once; absent corpora skip the tests that need them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from fhir_r4 import Resource, read

_REPOSITORY = Path(__file__).resolve().parents[3]


def _samples(folder: Path) -> dict[str, Resource]:
    files = [*folder.glob("**/*.json"), *folder.glob("**/*.json.gz")]
    kept = (file for file in files if "profiles" not in file.parts)
    return {f"{file.parent.name}/{file.name}": read(_content(file)) for file in sorted(kept)}


def _content(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()


@pytest.fixture(scope="session")
def samples() -> dict[str, Resource]:
    folder = Path(os.environ.get("RCM_CORPORA", _REPOSITORY.parent / "shared" / "corpora")) / "fhir"
    if not folder.is_dir():
        pytest.skip("the corpora are not here")
    return _samples(folder)


@pytest.fixture(scope="session")
def official(samples: dict[str, Resource]) -> dict[str, Resource]:
    return {name: resource for name, resource in samples.items() if name.startswith("r4-examples/")}
