"""Claims that are built alike: they are stepped over, what is wrong in one is still found where it stands, and what is
remembered of them has a limit."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from x12 import check_stream
from x12.check import patterns
from x12.check.body import Body
from x12.check.patterns import Patterns
from x12.views.claim import build_837p
from x12.views.remittance import build_835
from x12_examples import CLAIM, ENVELOPE, REMITTANCE

CLAIM_TEXT = build_837p([CLAIM], ENVELOPE)
REMIT_TEXT = build_835(REMITTANCE, ENVELOPE)
HEAD = REMIT_TEXT[: REMIT_TEXT.index("CLP*")]


def _payment(number: int) -> str:
    """A payment with two lines, no value of which another one has."""
    paid, cut = 100 + number, f"{number % 97}.{number % 90 + 10}"
    charge = f"{paid + number % 97}.{number % 90 + 10}"
    total = f"{2 * paid + 2 * (number % 97) + 1}"
    lines = "".join(
        f"SVC*HC:99213*{charge}*{paid}~DTM*472*202601{number % 28 + 1:02d}~CAS*CO*45*{cut}~REF*6R*{number}L{line}~"
        for line in (1, 2)
    )
    last = f"SVC*HC:99214*1*1~DTM*472*20260105~REF*6R*{number}L3~"
    both = 2 * (number % 90 + 10)
    whole, rest = divmod(both, 100)
    charged = f"{int(total) + whole}.{rest:02d}"
    patient = f"NM1*QC*1*OAK{number}*IRIS****MI*M{number}~"
    return f"CLP*C{number}*1*{charged}*{2 * paid + 1}**12*P{number}~{patient}{lines}{last}"


def _remittance(count: int) -> str:
    body = "".join(map(_payment, range(count)))
    total = sum(2 * (100 + number) + 1 for number in range(count))
    text = HEAD.replace("BPR*I*80*", f"BPR*I*{total}*") + body
    segments = text[text.index("~ST*") + 1 :].count("~") + 1
    return f"{text}SE*{segments}*0001~GE*1*{REMIT_TEXT[REMIT_TEXT.index('~GE*1*') + 6 :]}"


def _claims(count: int) -> Iterator[str]:
    start, end = CLAIM_TEXT.index("HL*2*"), CLAIM_TEXT.index("~SE*") + 1
    yield CLAIM_TEXT[:start]
    for number in range(count):
        body = CLAIM_TEXT[start:end].replace("HL*2*", f"HL*{number + 2}*").replace("MEM0001", f"MEM{number:05d}")
        body = body.replace("CTRL0001", f"C{number}").replace(
            "D8*19800229", f"D8*19{number % 90 + 10}0{number % 9 + 1}11"
        )
        yield body.replace("REF*6R*", f"REF*6R*{number}")
    yield CLAIM_TEXT[end:]


def test_the_made_up_payments_are_right() -> None:
    assert [item.rule for item in check_stream(_remittance(300))] == []
    assert {item.rule for item in check_stream(_claims(300))} == {"se.count"}


def test_most_claims_are_stepped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    over: list[int] = []
    gather = Body._gather

    def counted(self: Body) -> None:
        over.append(sum(map(len, self.alike.values())))
        gather(self)

    monkeypatch.setattr(Body, "_gather", counted)
    list(check_stream(_remittance(500)))
    assert sum(over) > 350
    over.clear()
    list(check_stream(_claims(500)))
    assert sum(over) > 350


@pytest.mark.parametrize(
    ("old", "new", "rule", "path", "loop_path"),
    [
        ("REF*6R*400L2", "REF*6R*" + "4" * 60, "element.too-long", "835/2110/REF02", "2000[1]/2100[401]/2110[2]"),
        ("HC:99214*1*1~DTM*472*20260105~REF*6R*400", "HC:99214*1*1~DTM*472*20261305~REF*6R*400", "element.date",
         "835/2110/DTM02", "2000[1]/2100[401]/2110[3]"),
        ("P400~", "0~", "835.2100.payer-claim-number", "835/2100/CLP07", "2000[1]/2100[401]"),
        ("REF*6R*400L1~", "REF*6R*400L1~LQ*HE*M999~", "code.rarc", "835/LQ02", "2000[1]/2100[401]/2110[1]"),
        ("REF*6R*400L1~", "REF*6R*400L1~FOO*1~", "segment.unknown", "835/2110/FOO", "2000[1]/2100[401]/2110[1]"),
        ("REF*6R*400L3~", "REF*6R*400L3~N3*1 ELM ST~", "segment.unexpected", "835/2110/N3",
         "2000[1]/2100[401]/2110[3]"),
        ("REF*6R*400L1~", "REF*6R*400L1~SVC*HC:99213*0*-1~DTM*472*20260105~", "835.line.balance", "835/SVC03",
         "2000[1]/2100[401]/2110[2]"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_one_of_many_is_found_where_it_stands(
    old: str, new: str, rule: str, path: str, loop_path: str
) -> None:
    text = _remittance(500)
    assert text.count(old) == 1
    found = [item for item in check_stream(text.replace(old, new)) if item.rule == rule]
    assert [(item.path, item.loop_path) for item in found] == [(path, loop_path)]


def test_a_claim_with_a_fault_is_no_pattern_for_others() -> None:
    """The same fault in every claim is found in every claim."""
    text = _remittance(200).replace("HC:99214*1*1~DTM*472*20260105~", "HC:99214*1*1~")
    found = [item.rule for item in check_stream(text)]
    assert found.count("835.2110.service-date") == 200


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_MOST_PATTERNS", 3)
    sizes: set[int] = set()
    learn = Patterns._learn

    def watched(self: Patterns, key: patterns.Key, unit: object) -> patterns.Pattern:
        found = learn(self, key, unit)  # type: ignore[arg-type]
        sizes.add(len(self.known))
        return found

    monkeypatch.setattr(Patterns, "_learn", watched)
    text = _remittance(120)
    for number in range(0, 110, 2):
        extra = "AMT*B6*1~" * (number % 9) + "LQ*HE*N19~" * (number % 5)
        text = text.replace(f"REF*6R*{number}L3~", f"REF*6R*{number}L3~{extra}")
    rules = {item.rule for item in check_stream(text)}
    assert rules == {"se.count"}
    assert max(sizes) <= 3


def test_memory_is_flat_when_no_value_comes_twice() -> None:
    peaks = []
    for count in (400, 400, 4_000):
        for source in ([_remittance(count)], _claims(count)):
            tracemalloc.start()
            list(check_stream(piece[at : at + 50_000] for piece in source for at in range(0, len(piece), 50_000)))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    for small, large in zip(peaks[2:4], peaks[4:], strict=True):
        assert large < small + 2_500_000
