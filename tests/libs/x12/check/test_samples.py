"""Every sample of our guides is accepted at SNIP 1 to 3, apart from the faults that are known to be in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from x12 import check, read

# Rules that a sample breaks. From the README of the corpora, and where it says "fails the pyx12 guide check":
# four LinuxForHealth files use ">" inside composites though ISA16 says ":", one of them lacks BPR16.
_MARKED_OTHERWISE = {
    "component.missing", "element.too-long", "segment.missing", "segment.unexpected", "element.code",
}  # fmt: skip
# README: professional lines (SV1, no SV2, no CL1) under the institutional guide, repeated HI*ABK
_SKETCH = {"837I.charges", "element.code", "segment.missing", "segment.repeat", "segment.unexpected"}
KNOWN = {
    "LinuxForHealth-x12--out-of-network-repriced-claim.837i": _MARKED_OTHERWISE,
    "LinuxForHealth-x12--ppo-repriced-claim.837i": _MARKED_OTHERWISE,
    "LinuxForHealth-x12--automobile-accident.837": {"guide.unknown"},
    "LinuxForHealth-x12--institutional-ppo-repriced.837": {"guide.unknown"},
    **{f"hccinfhir--sample_837_{number}.txt": _SKETCH for number in (1, 2, 3, 4, 6, 7, 8)},
    "stupidedi--1.era": {"iea.control"},
    "LinuxForHealth-x12--subscriber-health-benefit-check-error.271": {"se.control"},
    "LinuxForHealth-x12--secondary-payment.835": {"element.missing", "component.missing", "element.code"},
    "LinuxForHealth-x12--demo.example11.837": {
        "component.missing", "element.too-long", "segment.missing", "segment.unexpected", "element.code",
        "element.whole",
    },
    "stupidedi--1.edi": {"isa.width", "guide.unknown"},
    "stupidedi--request-for-home-health-care.edi": {"se.count"},
    # 4010: read, written, balanced, but no guide of ours
    "oxedi--balanced_4010_sample.txt": {"guide.unknown"},
    "LinuxForHealth-x12--dependent-commercial-insurance-01.837": {"guide.unknown"},
    "LinuxForHealth-x12--dependent-commercial-insurance-03.837": {"guide.unknown"},
}  # fmt: skip
NAMING = {"NM1": (3, 4, 9), "N3": (1,), "DMG": (2,), "CLM": (1,), "CLP": (1, 7)}
FOLDERS = (
    "270", "271", "277", "277CA", "278", "835", "837D", "837I", "837I-predet", "837P", "837P-predet", "997", "999",
)  # fmt: skip


def test_samples_have_only_their_known_faults(x12_corpus: Path) -> None:
    seen: Counter[str] = Counter()
    for folder in FOLDERS:
        for path in sorted((x12_corpus / folder).glob("*")):
            if path.name == "stupidedi--3a.edi" or path.name.startswith("hipaa-attachments"):
                continue
            findings = [item for found in read(path.read_bytes()) for item in check(found)]
            errors = {item.rule for item in findings if item.is_error and item.snip <= 3}
            assert errors == KNOWN.get(path.name, set()), (path.name, errors)
            seen[folder] += 1
    assert seen == {
        "270": 2, "271": 2, "277": 1, "277CA": 1, "278": 3, "835": 8, "837D": 3, "837I": 14, "837I-predet": 2,
        "837P": 14, "837P-predet": 6, "997": 1, "999": 1,
    }  # fmt: skip


def test_sketches_are_read_and_found_wanting(x12_corpus: Path) -> None:
    """README: the hipaa-attachments files do not follow the guide's loops."""
    paths = list((x12_corpus / "278").glob("hipaa-attachments*"))
    assert len(paths) == 8
    for path in paths:
        assert any(item.is_error for found in read(path.read_bytes()) for item in check(found)), path.name


def test_findings_never_hold_names_or_numbers(x12_corpus: Path) -> None:
    """Whatever is found in an example, a claim's own values do not appear in the findings."""
    for folder in FOLDERS:
        for path in (x12_corpus / folder).glob("*"):
            if path.name == "stupidedi--3a.edi":
                continue
            for interchange in read(path.read_bytes()):
                named = {
                    segment.get(at)
                    for segment in interchange.segments()
                    for at in {"NM1": (3, 4, 9), "N3": (1,), "DMG": (2,), "CLM": (1,), "CLP": (1, 7)}.get(
                        segment.id, ()
                    )
                    if len(segment.get(at)) > 3
                }
                for item in check(interchange):
                    assert item.found not in named
                    assert item.expected not in named
