"""The kinds of stories: four in five go well, one in five goes wrong in one of the ways in which visits go wrong.

A kind is a row: which visits, which members (their last digit chooses the payer's behaviour), what the EHR gets wrong,
and where the line should end.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Final

from simulator.ehr import table_visits as table
from simulator.ehr.assemble import Plot, tell
from simulator.ehr.expect import Expectation
from simulator.ehr.story import Story
from simulator.ehr.table_visits import Visit
from simulator.rules.load import load_payers

_NORMAL = "01257"
_PAID = Expectation("paid")
_WRONG_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of story. `flaws` name what is wrong with the record (see `assemble`); `digits` whom it happens to."""

    name: str
    weight: int
    visits: tuple[Visit, ...]
    expected: Expectation = _PAID
    flaws: frozenset[str] = frozenset()
    digits: str = _NORMAL
    payers: str = "AB"
    days_ago: tuple[int, int] = (0, 10)


def _kind(
    name: str, weight: int, visits: tuple[Visit, ...], expected: Expectation, flaws: str = "", **more: object
) -> Kind:
    return Kind(name, weight, visits, expected, frozenset(flaws.split()), **more)  # type: ignore[arg-type]


def _documented(evaluation: str, diagnoses: str, findings: tuple[str, str, str], minutes: int) -> Visit:
    return Visit(evaluation, tuple(diagnoses.split()), documented=(findings, minutes))


_WITH_SEPARATE_SERVICE = tuple(v for v in table.INJECTIONS + table.PROCEDURES + table.JOINTS if v.evaluation)
_SEVERAL_LINES = tuple(v for v in table.LABS if v.evaluation and v.labs)
_ORDERED = "order-first"

_UNDER = (
    _documented("99213", "E11.65 I10 E78.2", table.MODERATE, 20),
    _documented("99212", "I10", table.LOW, 10),
    _documented("99203", "R07.9 I10", table.MODERATE, 30),
)
_OVER = (
    _documented("99215", "J06.9", table.LOW, 20),
    _documented("99205", "L30.9", table.LOW, 30),
    _documented("99215", "I10", table.MODERATE, 30),
)
_OUTDATED = (
    Visit("99441", ("J06.9",), where="VR"),
    Visit("99201", ("B35.1",)),
    Visit("99213", ("M17.11",), drugs=(table.Done("J1030"),), documented=(table.LOW, 20)),
)
_UNBILLABLE = tuple(Visit("99213", (code,)) for code in ("M54.5", "E11.6", "J45.90", "I25.1", "N18.3"))

CLEAN = tuple(
    Kind(name, weight, visits, flaws=frozenset({_ORDERED} if name.endswith("-authorized") else ()))
    for name, weight, visits in table.CLEAN
)

_HELD: Final = "claim-held"
_REVIEW = Expectation("coder-review", work=("coder-review",))

WRONG = (
    _kind("missing-modifier-25", 8, _WITH_SEPARATE_SERVICE, _PAID),
    _kind("under-coded", 6, _UNDER, Expectation("paid", reason="em-under")),
    _kind("auth-pended", 5, table.ADVANCED_IMAGING, _PAID, _ORDERED, digits="4"),
    _kind("duplicate-submission", 6, table.OFFICE, _PAID, "sent-twice"),
    _kind(
        "missing-charge", 8, table.OFFICE, Expectation("missing-charge", work=("missing-charge",)), "uncharged-order"
    ),
    _kind("unmapped-code", 6, table.OFFICE, Expectation("unmapped-code", work=("unmapped-code",)), "local-code"),
    _kind("outdated-code", 5, _OUTDATED, _REVIEW),
    _kind("unbillable-diagnosis", 5, _UNBILLABLE, replace(_REVIEW, reason="icd-not-billable")),
    _kind("over-coded", 6, _OVER, replace(_REVIEW, reason="em-over")),
    _kind(
        "demographic-mismatch",
        4,
        table.OFFICE,
        Expectation(_HELD, work=("coverage-gap", "claim-hold"), reason="edit-02"),
        "wrong-birth",
    ),
    _kind(
        "demographic-mismatch",
        3,
        table.OFFICE,
        Expectation(_HELD, work=("coverage-gap", "claim-hold"), reason="edit-02"),
        "wrong-name",
    ),
    _kind(
        "coverage-inactive",
        6,
        table.OFFICE,
        Expectation(_HELD, work=("coverage-gap", "claim-hold"), reason="edit-01"),
        "lapsed",
    ),
    _kind("no-coverage", 3, table.OFFICE, Expectation(_HELD, work=("claim-hold",), reason="edit-01"), "uninsured"),
    _kind(
        "unknown-payer",
        4,
        table.OFFICE,
        Expectation(_HELD, work=("claim-hold",), reason="payer-unknown"),
        "strange-payer",
    ),
    _kind(
        "missing-authorization",
        6,
        table.ADVANCED_IMAGING,
        Expectation(_HELD, work=("claim-hold",), reason="edit-06"),
        digits="0125",
    ),
    _kind(
        "auth-denied",
        5,
        table.ADVANCED_IMAGING,
        Expectation(_HELD, work=("authorization-needed", "claim-hold"), reason="edit-06"),
        _ORDERED,
        digits="3",
    ),
    _kind(
        "late-filing",
        3,
        table.OFFICE,
        Expectation(_HELD, work=("claim-hold",), reason="edit-09"),
        payers="A",
        days_ago=(220, 240),
    ),
    _kind("payer-rejects", 5, table.OFFICE, Expectation("rejected", work=("rejection",), reason="A3"), digits="8"),
    _kind("payer-denies", 6, table.LABS, Expectation("denied", work=("denial",), reason="carc-50"), digits="9"),
    _kind(
        "partial-denial", 5, _SEVERAL_LINES, Expectation("partly-paid", work=("denial",), reason="carc-50"), digits="6"
    ),
)


@cache
def _payers_by_letter() -> dict[str, str]:
    return {payer.letter: payer.id for payer in load_payers().payers.values()}


def stories(seed: int, count: int, today: date, wrong_share: float = _WRONG_SHARE) -> Iterator[Story]:
    """`count` stories of a seed; the same seed, index and day tell the same story."""
    for index in range(count):
        yield story(seed, index, today, wrong_share)


def story(seed: int, index: int, today: date, wrong_share: float = _WRONG_SHARE) -> Story:
    """The story of one index."""
    draw = random.Random(f"{seed}/{index}")
    kinds = WRONG if draw.random() < wrong_share else CLEAN
    kind = draw.choices(kinds, [kind.weight for kind in kinds])[0]
    return _cast(kind, draw, seed, index, today)


def story_of(kind: str, seed: int, index: int, today: date) -> Story:
    """One story of a chosen kind."""
    draw = random.Random(f"{seed}/{index}/{kind}")
    kinds = [row for row in CLEAN + WRONG if row.name == kind]
    return _cast(draw.choice(kinds), draw, seed, index, today)


def _cast(kind: Kind, draw: random.Random, seed: int, index: int, today: date) -> Story:
    """Choose the visit, the payer, the member and the day."""
    visits = [visit for visit in kind.visits if set(visit.payers) & set(kind.payers)]
    visit = draw.choice(visits)
    letter = draw.choice(sorted(set(visit.payers) & set(kind.payers)))
    plot = Plot(
        seed=seed,
        index=index,
        kind=kind.name,
        visit=visit,
        payer_id=_payers_by_letter()[letter],
        gender=visit.sex or draw.choice("FM"),
        digit=draw.choice(kind.digits),
        day=today - timedelta(days=draw.randint(*kind.days_ago)),
        flaws=kind.flaws,
        clinic=draw.randrange(2),
        doctor=draw.randrange(3),
        booked=bool(visit.evaluation) and visit.where != "EMER" and draw.random() < 0.4,
    )
    return tell(plot, kind.expected)
