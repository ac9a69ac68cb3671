"""The command line: what it says and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from x12.__main__ import main
from x12.views.claim import build_837p
from x12.views.remittance import build_835
from x12_examples import CLAIMS, ENVELOPE, REMITTANCE

CLAIM_TEXT = build_837p(CLAIMS, ENVELOPE)
REMIT_TEXT = build_835(REMITTANCE, ENVELOPE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.edi"


@pytest.mark.parametrize(
    ("command", "text", "code", "words"),
    [
        ("check", CLAIM_TEXT, 0, ""),
        ("check", CLAIM_TEXT.replace("*125.5*", "*125*", 1), 1, "837P.charges 837P/2300/CLM02"),
        ("balance", REMIT_TEXT, 0, "paid 86 less 6 is 80: balanced"),
        ("balance", REMIT_TEXT.replace("BPR*I*80*", "BPR*I*81*"), 1, "transaction BPR02"),
        ("balance", CLAIM_TEXT, 0, ""),
        ("ack", CLAIM_TEXT, 0, "TA1 A 000\n999 AK9 A 1/1/1\n  AK2 837 IK5 A"),
        ("ack", CLAIM_TEXT.replace("11:B:1*", "11:B*", 1), 1, "999 AK9 R 1/1/0"),
        ("describe", CLAIM_TEXT, 0, "[2300]"),
    ],
)
def test_commands(
    file: Path, capsys: pytest.CaptureFixture[str], command: str, text: str, code: int, words: str
) -> None:
    file.write_text(text)
    assert main([command, str(file)]) == code
    out = capsys.readouterr().out
    assert words in out
    assert "ORCHARD" not in out


def test_what_is_not_x12(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("ORCHARD")
    assert main(["check", str(file)]) == 2
    assert capsys.readouterr().err == "not X12: an interchange starts with ISA at position 0\n"


def test_phi_only_when_asked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(CLAIM_TEXT)
    assert main(["describe", "--show-phi", str(file)]) == 0
    assert "ORCHARD" in capsys.readouterr().out
