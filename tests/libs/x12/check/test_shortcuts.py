"""What makes a large file quick must not change a finding: columns, likenesses and remembered shapes against the
plain way, which looks at every segment and every row."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from x12 import X12Error, check_stream
from x12.check import body
from x12.check.code_columns import CodeColumns
from x12.check.likeness import Situations
from x12.check.patterns import Patterns
from x12.check.situations import situation_faults
from x12.views.claim import build_837p
from x12.views.remittance import build_835
from x12_examples import CLAIM, CLAIMS, ENVELOPE, REMITTANCE, SUBSCRIBER


def _claims() -> str:
    found = [
        replace(CLAIMS[at % 3], control_number=f"C{at}", subscriber=replace(SUBSCRIBER, member_id=f"M{at:05d}"))
        for at in range(60)
    ]
    return build_837p([*found, CLAIM], ENVELOPE)


def _payments() -> str:
    found = tuple(replace(item, control_number=f"C{at}") for at in range(30) for item in REMITTANCE.claims)
    return build_835(replace(REMITTANCE, claims=found), ENVELOPE)


def _plainly(text: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with monkeypatch.context() as plain:
        plain.setattr(body, "_FEW", 10**9)
        plain.setattr(body, "_MOST_SHAPES", -1)
        plain.setattr(Patterns, "runs", lambda self, segments: iter(()))
        plain.setattr(CodeColumns, "clean", lambda self, groups: False)
        plain.setattr(Situations, "faults", lambda self, unit, above: situation_faults(unit, self.mark, self.index))
        return sorted(map(repr, check_stream(text)))


def _damaged(text: str, rng: random.Random) -> str:
    """Some segments changed: an element emptied, doubled, replaced, or the segment dropped, doubled or moved."""
    rows = text.split("~")
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(3, len(rows) - 4)
        elements = rows[at].split("*")
        change = rng.randrange(6)
        if change < 3 and len(elements) > 1:
            where = rng.randrange(1, len(elements))
            elements[where] = ("", elements[where] * 2, rng.choice(("ZZ", "22", "-5", "20261399", "A:B", "16")))[change]
            rows[at] = "*".join(elements)
        elif change == 3:
            del rows[at]
        elif change == 4:
            rows.insert(at, rows[at])
        else:
            rows.insert(rng.randrange(3, len(rows) - 4), rows.pop(at))
    return "~".join(rows)


@pytest.mark.parametrize("text", [_claims(), _payments()], ids=["claims", "payments"])
def test_shortcuts_change_no_finding(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(5010)
    kinds: set[str] = set()
    for _ in range(40):
        damaged = _damaged(text, rng)
        quickly = sorted(map(repr, check_stream(damaged)))
        assert quickly == _plainly(damaged, monkeypatch)
        kinds |= {item.rule for item in check_stream(damaged)}
    assert len(kinds) > 12


def test_shortcuts_change_no_finding_of_a_sample(x12_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    for path in sorted(x12_corpus.glob("8*/*")):
        try:
            text = path.read_bytes().decode("utf-8", "surrogateescape") * 2
            quickly = sorted(map(repr, check_stream(text)))
        except X12Error:
            continue
        assert quickly == _plainly(text, monkeypatch), path.name
        seen += 1
    assert seen > 40
