"""Every row of the table of what peers get wrong, on published samples and on our own: caught, and no base refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from x12 import Finding, check, read
from x12.views.claim import build_837p
from x12.views.remittance import build_835
from x12_examples import CLAIMS, ENVELOPE, REMITTANCE

Change = Callable[[str], str]
OURS_835, OURS_837 = build_835(REMITTANCE, ENVELOPE), build_837p(CLAIMS, ENVELOPE)
# published samples, valid at SNIP 1 to 3
REMITTANCES = ("stupidedi--era-sample.edi", "stupidedi--multiple-claims-single-check.edi", "pyx12--835_mult_loops.txt",
               "stupidedi--secondary-payments.edi", "oxedi--balanced_5010_sample.txt")  # fmt: skip
CLAIM_FILES = ("stupidedi--drug-administered-in-the-physician-office.edi", "stupidedi--wheelchair.edi",
               "stupidedi--oxygen.edi", "LinuxForHealth-x12--demo.example8.837")  # fmt: skip


def _more(text: str) -> str:
    """An amount, one cent higher."""
    whole, _, fraction = text.partition(".")
    cents = int(whole) * 100 + int((fraction + "00")[:2]) + 1
    return f"{cents // 100}.{cents % 100:02d}"


def _element(segment: str, number: int, change: Callable[[str], str], which: Callable[[list[str]], bool]) -> Change:
    """Change element `number` of the first such segment that `which` takes."""

    def apply(text: str) -> str:
        end, mark = text[105], text[3]
        parts = text.split(end)
        for at, part in enumerate(parts):
            elements = part.strip().split(mark)
            if elements[0] == segment and len(elements) > number and which(elements):
                elements[number] = change(elements[number])
                parts[at] = mark.join(elements)
                return end.join(parts)
        raise AssertionError(f"no {segment}")

    return apply


def _any(elements: list[str]) -> bool:
    return True


REMIT_ROWS: list[tuple[str, str, int, Change]] = [
    ("BPR02 off by one", "835.transaction.balance", 3, _element("BPR", 2, _more, _any)),
    ("SVC03 off by one", "835.line.balance", 3, _element("SVC", 3, _more, _any)),
    ("CARC 999", "code.carc", 5, _element("CAS", 2, lambda code: "999", _any)),
]
CLAIM_ROWS: list[tuple[str, str, int, Change]] = [
    ("CLM02 differs from the lines", "837P.charges", 3, _element("CLM", 2, _more, _any)),
    ("bad NPI check digit", "code.npi", 5,
     _element("NM1", 9, lambda npi: npi[:9] + str((int(npi[9]) + 1) % 10), lambda e: e[1] == "85")),
    ("bad ICD code", "code.diagnosis", 5,
     _element("HI", 1, lambda text: re.sub(r"(?<=.)([A-Z0-9]+)$", "1I1", text), _any)),
    ("bad CPT code", "code.procedure", 5,
     _element("SV1", 1, lambda text: re.sub(r"^(HC.).+", r"\g<1>9921", text), _any)),
    ("bad diagnosis pointer", "837P.diagnosis-pointer", 4, _element("SV1", 7, lambda text: "12", _any)),
    ("service date in the future", "837P.service-in-future", 4,
     _element("DTP", 3, lambda text: "20990101" + ("-20990102" if len(text) > 8 else ""), lambda e: e[1] == "472")),
    ("birth after service", "837P.service-before-birth", 4,
     _element("DMG", 2, lambda text: "20980101", _any)),
    ("wrong HL parent", "hl.parent", 1, _element("HL", 2, lambda text: "9", lambda e: e[3] == "22")),
    ("bad state", "code.state", 5, _element("N4", 2, lambda text: "ZZ", _any)),
    ("place of service 00", "code.place-of-service", 5, _element("CLM", 5, lambda text: "00" + text[2:], _any)),
]  # fmt: skip


def _errors(text: str) -> list[Finding]:
    return [item for found in read(text) for item in check(found) if item.is_error]


def _base(corpus: Path, folder: str, name: str) -> str:
    return (corpus / folder / name).read_text().lstrip()


def _with_npi(text: str) -> str:
    """The guides' examples carry made-up NPIs: this one is good before it is broken."""
    return _element("NM1", 9, lambda npi: "1234567893", lambda e: e[1] == "85")(text)


def _caught(base: str, rule: str, snip: int, change: Change) -> None:
    known = {(item.rule, item.position) for item in _errors(base)}
    new = [item for item in _errors(change(base)) if (item.rule, item.position) not in known]
    assert (rule, snip) in {(item.rule, item.snip) for item in new}, [(item.rule, item.path) for item in new]


@pytest.mark.parametrize(("row", "rule", "snip", "change"), REMIT_ROWS, ids=[row[0] for row in REMIT_ROWS])
def test_broken_remittances(row: str, rule: str, snip: int, change: Change) -> None:
    _caught(OURS_835, rule, snip, change)


@pytest.mark.parametrize(("row", "rule", "snip", "change"), CLAIM_ROWS, ids=[row[0] for row in CLAIM_ROWS])
def test_broken_claims(row: str, rule: str, snip: int, change: Change) -> None:
    _caught(OURS_837, rule, snip, change)


@pytest.mark.parametrize(("row", "rule", "snip", "change"), REMIT_ROWS, ids=[row[0] for row in REMIT_ROWS])
@pytest.mark.parametrize("name", REMITTANCES)
def test_broken_published_remittances(
    x12_corpus: Path, name: str, row: str, rule: str, snip: int, change: Change
) -> None:
    _caught(_base(x12_corpus, "835", name), rule, snip, change)


@pytest.mark.parametrize(("row", "rule", "snip", "change"), CLAIM_ROWS, ids=[row[0] for row in CLAIM_ROWS])
@pytest.mark.parametrize("name", CLAIM_FILES)
def test_broken_published_claims(x12_corpus: Path, name: str, row: str, rule: str, snip: int, change: Change) -> None:
    _caught(_with_npi(_base(x12_corpus, "837P", name)), rule, snip, change)


@pytest.mark.parametrize("name", REMITTANCES)
def test_no_published_remittance_is_refused(x12_corpus: Path, name: str) -> None:
    assert [item for item in _errors(_base(x12_corpus, "835", name)) if item.rule != "code.npi"] == []


@pytest.mark.parametrize("name", CLAIM_FILES)
def test_no_published_claim_is_refused(x12_corpus: Path, name: str) -> None:
    """The guides' own examples carry made-up NPIs: a finding of SNIP 5, which refuses nothing."""
    assert [item for item in _errors(_base(x12_corpus, "837P", name)) if item.rule != "code.npi"] == []


def test_our_own_have_no_errors() -> None:
    assert _errors(OURS_835) == []
    assert _errors(OURS_837) == []
