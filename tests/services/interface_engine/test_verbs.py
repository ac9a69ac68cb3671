"""The verbs of a channel, each over a row of an export, and amounts as exports write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from feed_world import NOW, channel, only
from interface_engine.wire.hl7 import Mapped, map_row
from interface_engine.wire.hl7.datatypes import cents as read_cents
from kernel.errors import Unreadable

CSV_FEED = """
name: feed
format: csv
timezone: America/Chicago
csv: {columns: [id, visit, mrn, name, born, sex, dos, code, qty, price, paid, flag, when, note]}
identity: {mrn: {from: mrn, system: https://m.example}, visit: visit}
charges: {code: code, day: dos, units: qty, unit_amount: price, transaction: id}
map:
  patient:
"""


@pytest.mark.parametrize(
    ("element", "rule", "row", "wanted"),
    [
        ("name", "{name: name}", {"name": "Doe, Jane Q"}, [{"family": "Doe", "given": ["Jane", "Q"]}]),
        ("birthDate", "{date: born}", {"born": "03/09/1990"}, "1990-03-09"),
        ("birthDate", "{date: born}", {"born": "1990-03-09T10:00:00"}, "1990-03-09"),
        ("deceasedDateTime", "{datetime: when}", {"when": "20260101120000"}, "2026-01-01T12:00:00-06:00"),
        ("deceasedBoolean", "{boolean: flag}", {"flag": "Y"}, True),
        ("multipleBirthInteger", "{whole: qty}", {"qty": "2"}, 2),
        ("language", "{lower: note}", {"note": "EN"}, "en"),
        ("language", "{upper: note}", {"note": "en"}, "EN"),
        ("language", "{strip: {split: note, by: '|', part: 2}}", {"note": "a| en |c"}, "en"),
        ("language", "{digits: note}", {"note": "a1b2"}, "12"),
        ("language", "{before: note, mark: '-'}", {"note": "en-US"}, "en"),
        ("language", "{after: note, mark: '-'}", {"note": "x-en"}, "en"),
        ("language", "{prefix: note, text: e}", {"note": "n"}, "en"),
        ("language", "{drop_prefix: note, text: x}", {"note": "xen"}, "en"),
        ("language", "{drop_suffix: note, text: x}", {"note": "enx"}, "en"),
        ("language", "{join: [note, flag], with: '-'}", {"note": "en", "flag": "US"}, "en-US"),
        ("language", "{coalesce: [note, flag]}", {"flag": "fr"}, "fr"),
        ("language", "{first: {split: note, by: ' '}}", {"note": "en fr"}, "en"),
        ("language", "{when: {place: flag, is: [Y]}, then: note, else: {constant: de}}", {"flag": "N",
         "note": "x"}, "de"),
        ("language", "{when: {place: flag, filled: true}, then: note}", {"flag": "N", "note": "en"}, "en"),
        ("language", "{when: {place: flag, is_not: [N]}, then: note}", {"flag": "N", "note": "en"}, None),
        ("language", "{copy: note}", {"note": "en"}, "en"),
        ("gender", "{lookup: sex, table: sex, otherwise: unknown}", {"sex": "Q"}, "unknown"),
        ("telecom", "{telecom: note}", {"note": "a@b.example"}, [{"system": "email", "value": "a@b.example"}]),
        ("address", "{address: {line: note, city: flag}}", {"note": "1 X", "flag": "Y"}, [{"line": ["1 X"],
         "city": "Y"}]),
        ("maritalStatus", "{codeable: note, system: 'http://s.example'}", {"note": "M"},
         {"coding": [{"system": "http://s.example", "code": "M"}]}),
        ("contact", "{group: {name: {name: note}, period: {period: {start: dos}}}}", {"note": "Kin, K",
         "dos": "20260101"},
         [{"name": {"family": "Kin", "given": ["K"]}, "period": {"start": "2026-01-01"}}]),
    ],
)  # fmt: skip
def test_a_verb(tmp_path: Path, element: str, rule: str, row: dict[str, str], wanted: Any) -> None:
    feed = channel(tmp_path, f"{CSV_FEED}    {element}: {rule}\n")
    found = map_row(feed, {"id": "1", "visit": "V", "mrn": "9", "code": "99213", "dos": "20260101", **row}, NOW)
    assert isinstance(found, Mapped)
    assert only(found, "Patient").get(element) == wanted


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1,234.50", 123450),
        ("$12", 1200),
        ("(12.00)", -1200),
        ("12.00-", -1200),
        ("-.5", -50),
        ("0", 0),
        ("12.500", 1250),
    ],
)
def test_amounts_as_exports_write_them(text: str, cents: int) -> None:
    assert read_cents(text) == cents
    assert read_cents("1250", implied=True) == 1250 and read_cents("12.50", implied=True) == 1250
    for wrong in ("", "1.234,50", "12.345", "1e3", "--1", "NaN"):
        with pytest.raises(Unreadable):
            read_cents(wrong)
