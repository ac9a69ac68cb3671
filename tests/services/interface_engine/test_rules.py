"""Source channels: codes put beside codes on their day, and files that are wrong refused with their line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from interface_engine.rules import load_sources, map_codes
from interface_engine.rules.loading import COLUMNS, SHIPPED
from kernel.codes import CPT, CVX, HCPCS, ICD10CM, SNOMED, is_hcpcs
from kernel.rules import RuleError

HEAD = ",".join(COLUMNS)
MAPS = f"name: x\nmaps:\n  - {{file: x.csv, from: '{SNOMED}', to: '{CPT}'}}\n"
GOOD = f"{SNOMED},1,{CPT},99213,,,map,coding"


def procedure(code: str, system: str = SNOMED, **more: Any) -> dict[str, Any]:
    concept = {"coding": [{"system": system, "code": code}]}
    return {"resourceType": "Procedure", "status": "completed", "code": concept} | more


def write(folder: Path, yaml: str, *rows: str) -> Path:
    (folder / "sources").mkdir()
    (folder / "sources" / "x.yaml").write_text(yaml)
    (folder / "sources" / "x.csv").write_text("\n".join((HEAD, *rows)) + "\n")
    return folder


def test_the_shipped_channels_load_and_the_sites_take_their_place(tmp_path: Path) -> None:
    assert load_sources().keys() == {"default", "synthea"}
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "default.yaml").write_text("name: default\nunmapped: {Procedure: ignore}\n")
    site = load_sources(tmp_path)
    assert site.keys() == {"default", "synthea"}
    assert site["default"].holds("Condition") and not site["default"].holds("Procedure")
    assert not map_codes(site["default"], procedure("1"), None).unmapped


def test_a_code_is_mapped_on_its_days_only(tmp_path: Path) -> None:
    synthea = load_sources()["synthea"]

    def codes(on: date | None) -> list[tuple[str, str]]:
        mapped = map_codes(synthea, procedure("15081005"), on)
        return [(coding["system"], coding["code"]) for coding in mapped.resource["code"]["coding"][1:]]

    assert codes(date(2022, 1, 1)) == [(CPT, "94625")]
    assert [system for system, _ in codes(date(2021, 12, 31))] == [HCPCS]
    assert codes(date(2009, 12, 31)) == []
    assert map_codes(synthea, procedure("15081005"), date(2009, 12, 31)).unmapped


def test_what_needs_no_map_is_left_as_it_is() -> None:
    source = load_sources()["synthea"]
    for resource in (
        procedure("99213", CPT),
        procedure("1", "urn:oid:2.16.840.1.113883.6.12"),
        procedure("428191000124101"),
        procedure("1", status="not-done"),
    ):
        mapped = map_codes(source, resource, None)
        assert mapped.resource is resource and not mapped.unmapped
    assert map_codes(source, procedure("1"), None).unmapped
    assert map_codes(source, {"resourceType": "Procedure", "status": "completed"}, None).unmapped


def test_each_kind_of_resource_has_its_systems() -> None:
    source = load_sources()["synthea"]
    wanted = {"system": ICD10CM, "code": "J20.9"}
    condition = {"resourceType": "Condition", "code": {"coding": [{"system": SNOMED, "code": "10509002"}]}}
    assert map_codes(source, condition, None).resource["code"]["coding"][1] == wanted
    refuted = condition | {"code": {}, "verificationStatus": {"coding": [{"code": "refuted"}]}}
    assert not map_codes(source, refuted, None).unmapped
    vaccine = {"coding": [{"system": CVX, "code": "140"}]}
    given = {"resourceType": "Immunization", "status": "completed", "vaccineCode": vaccine}
    assert map_codes(source, given, None).resource["vaccineCode"]["coding"][1]["code"] == "90656"
    visit = {"resourceType": "Encounter", "type": [{"coding": [{"system": SNOMED, "code": "185349003"}]}, {}]}
    made = map_codes(source, visit, None).resource["type"]
    assert (made[0]["coding"][1]["code"], made[1]) == ("99395", {})
    drug = {"resourceType": "MedicationAdministration", "status": "completed"}
    assert map_codes(source, drug, None).unmapped
    coded = {"resourceType": "Medication", "code": {"coding": [{"system": HCPCS, "code": "J1050"}]}}
    assert not map_codes(source, drug, None, coded).unmapped


def test_the_shipped_map_has_codes_of_the_right_shape_and_no_words() -> None:
    lines = (SHIPPED / "synthea_codes.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    assert all(len(row) == len(COLUMNS) and row[6] in ("map", "not-billable") for row in rows)
    assert all(is_hcpcs(row[3]) for row in rows if row[2] == HCPCS and row[3])
    assert all(" " not in line for line in lines)


@pytest.mark.parametrize(
    ("yaml", "rows", "file", "line"),
    [
        ("name: [", (), "x.yaml", 1),
        ("- a", (), "x.yaml", 1),
        ("maps: []", (), "x.yaml", None),
        ("name: x\nverbs: 1", (), "x.yaml", None),
        ("name: x\nunmapped: {Patient: hold}", (), "x.yaml", 2),
        ("name: x\nunmapped: {Condition: drop}", (), "x.yaml", 2),
        ("name: x\nmaps:\n  - {file: y.csv, from: a, to: b}", (), "x.yaml", 3),
        ("name: synthea", (), "x.yaml", None),
        (MAPS, (GOOD, GOOD), "x.csv", 3),
        (MAPS, (GOOD.replace("99213", "9921"),), "x.csv", 2),
        (MAPS, (GOOD, GOOD.replace(",1,", ",2,").replace("map", "maybe")), "x.csv", 3),
        (MAPS, (GOOD.replace("map", "not-billable"),), "x.csv", 2),
        (MAPS, (GOOD.replace(",,,map", ",2026-13-01,,map"),), "x.csv", 2),
        (MAPS, (GOOD.replace(",,,map", ",2026-02-01,2026-01-01,map"),), "x.csv", 2),
        (MAPS, (GOOD.removesuffix("coding"),), "x.csv", 2),
        (MAPS, (GOOD + ",more",), "x.csv", 2),
        (MAPS, (f"{CVX},1,{CPT},99213,,,map,coding",), "x.csv", 2),
        (MAPS, (f"{SNOMED},1,{HCPCS},J1050,,,map,coding",), "x.csv", 2),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_line(
    tmp_path: Path, yaml: str, rows: tuple[str, ...], file: str, line: int | None
) -> None:
    with pytest.raises(RuleError) as caught:
        load_sources(write(tmp_path, yaml, *rows))
    assert caught.value.file == file
    assert line is None or caught.value.line == line


def test_a_good_file_of_the_site_is_a_source_too(tmp_path: Path) -> None:
    source = load_sources(write(tmp_path, MAPS, GOOD, f"{SNOMED},2,,,,,not-billable,coding"))["x"]
    assert map_codes(source, procedure("1"), None).resource["code"]["coding"][1]["code"] == "99213"
    assert not map_codes(source, procedure("2"), None).unmapped
    assert map_codes(source, procedure("3"), None).unmapped
