"""The print for people: readable, and masked unless asked otherwise."""

from __future__ import annotations

from pathlib import Path

from x12 import describe
from x12.views.claim import build_837p
from x12.views.eligibility import build_270, build_271
from x12.views.remittance import build_835
from x12_examples import CLAIMS, ENVELOPE, INQUIRY, REMITTANCE, REPLY

TEXTS = (build_837p(CLAIMS, ENVELOPE), build_835(REMITTANCE, ENVELOPE), build_270(INQUIRY, ENVELOPE),
         build_271(REPLY, ENVELOPE))  # fmt: skip
PHI = ("ORCHARD", "ALMA", "FINN", "MEM000", "CTRL000", "19800229", "20120506", "ELM ST", "SPRINGFIELD", "627010000",
       "ICN0001", "AUTH0001", "TRACE0001", "EFT0001", "20260105", "GRP01")  # fmt: skip


def test_names_numbers_and_dates_are_masked() -> None:
    for text in TEXTS:
        found = describe(text)
        assert [word for word in PHI if word in found] == []


def test_codes_and_amounts_are_shown() -> None:
    found = describe(TEXTS[0])
    for shown in ("HC:99213:25", "ABK:E119", "02=125.5", "[2300]", "[2010BA]", "837"):
        assert shown in found


def test_everything_is_shown_when_asked() -> None:
    found = describe(TEXTS[0], mask_phi=False)
    for shown in ("ORCHARD", "MEM0001", "CTRL0001"):
        assert shown in found


def test_every_segment_has_its_line(x12_corpus: Path) -> None:
    for path in (x12_corpus / "837P").glob("*"):
        text = path.read_text()
        lines = [line for line in describe(text).splitlines() if not line.strip().startswith("[")]
        assert len(lines) == len([part for part in text.split("~") if part.strip()])
