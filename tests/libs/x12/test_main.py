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
        ("ack", CLAIM_TEXT.replace("IEA*1*", "IEA*2*"), 1, "TA1 R 021"),
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


def test_a_finding_says_where_it_stands(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(CLAIM_TEXT + CLAIM_TEXT.replace("*125.5*", "*125*", 1))
    assert main(["check", str(file)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        "error snip=3 837P.charges 837P/2300/CLM02 at=2.1.1 segment=22 loop=2000A[1]/2000B[1]/2300[1] "
        "found=125 expected=125.5"
    )


def test_several_files_and_the_worst_of_their_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, other = tmp_path / "good.edi", tmp_path / "bad.edi", tmp_path / "other.txt"
    good.write_text(REMIT_TEXT)
    bad.write_text(REMIT_TEXT.replace("BPR*I*80*", "BPR*I*81*"))
    other.write_text("plain text")
    assert main(["balance", str(good), str(bad)]) == 1
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("==")] == [f"== {good}", f"== {bad}"]
    assert "set 1.1.1: 2 claims, paid 86 less 6 is 80: balanced" in out
    assert main(["balance", str(other), str(good)]) == 2
    assert main(["check", str(tmp_path / "absent.edi")]) == 3
    assert "cannot read" in capsys.readouterr().err


def test_help_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for code in ("0  nothing found", "1  something found", "2  a file is not X12", "3  a file cannot be read"):
        assert code in out


@pytest.mark.parametrize("text", [CLAIM_TEXT, REMIT_TEXT, CLAIM_TEXT.replace("X222A1", "X999")])
def test_every_segment_is_described(file: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Also a set of a guide that is not known, and masked all the same."""
    file.write_text(text)
    assert main(["describe", str(file)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.strip().startswith("[")]
    assert len(lines) == text.count("~")
    assert not any("ORCHARD" in line or "MEM0001" in line for line in lines)
