"""A stored 835 for people: its proof on three levels, its claims page by page, and its segments made readable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from kernel.errors import Unreadable
from x12.balance import BalanceReport, balance
from x12.describe import describe_lines
from x12.read import transaction_sets
from x12.tree import TransactionSet, X12Error
from x12.views.remittance import read_835
from x12.write import write_segments

from remittance.model.advice import Adjustment, ClaimPayment, LinePayment
from remittance.model.identity import derived_id
from remittance.model.shown import QUARANTINED, Opened, ShownBreak, ShownClaim, ShownLine, ShownRemittance, Sum
from remittance.wire.era import content_of, payment_of, place_of, provider_adjustment_of

MOST_BREAKS = 100
USUAL_CLAIMS, MOST_CLAIMS = 50, 200
USUAL_LINES, MOST_LINES = 400, 2000


@dataclass(frozen=True, slots=True)
class Window:
    """Which part to show: how many come before it and how many are wanted, of claims and of lines."""

    claims_before: int = 0
    claims: int = USUAL_CLAIMS
    lines_before: int = 0
    lines: int = USUAL_LINES
    masked: bool = False

    @classmethod
    def of(cls, claims_after: str, claims: int, lines_after: str, lines: int, masked: bool) -> Window:
        """From tokens and limits as they were asked for. Unreadable: page-token."""
        return cls(
            _count(claims_after, "claims_after"),
            min(claims or USUAL_CLAIMS, MOST_CLAIMS),
            _count(lines_after, "readable_after"),
            min(lines or USUAL_LINES, MOST_LINES),
            masked,
        )


def _count(token: str, path: str) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise Unreadable("page-token", path, "not a token of an earlier page")
    return int(token)


def open_remittance(raw: bytes, shown: ShownRemittance, window: Window) -> Opened:
    """The 835 within its file; of a file that holds no such set only the readable lines, as far as they can be read."""
    item = _find(raw, shown)
    if item is None:
        return _readable(Opened(), _lines(raw, window.masked), window)
    text = write_segments([item.interchange, item.group, *item.segments], item.delimiters)
    return _readable(_proved(item, window), _lines(text, window.masked), window)


def _find(raw: bytes, shown: ShownRemittance) -> TransactionSet | None:
    try:
        return next((item for item in transaction_sets(raw) if _is(item, shown)), None)
    except X12Error:
        return None


def _is(item: TransactionSet, shown: ShownRemittance) -> bool:
    """A posted one is known by its content, a quarantined one by what its id was derived from."""
    content = content_of(item)
    if shown.state == QUARANTINED:
        return derived_id("quarantine", content, shown.rule) == shown.remittance_id
    return content == shown.content


def _proved(item: TransactionSet, window: Window) -> Opened:
    report = balance(item)
    opened = Opened(
        claims_paid_cents=report.paid_cents,
        provider_adjustment_cents=report.provider_adjustment_cents,
        total_cents=report.total_cents,
        breaks=tuple(_breaks(item, report)),
        balanced=report.balanced,
    )
    try:
        view = read_835(item)
    except ValueError:  # what breaks it is said above; the segments can still be read
        return opened
    end = window.claims_before + window.claims
    page = enumerate(view.claims[window.claims_before : end], window.claims_before + 1)
    return replace(
        opened,
        claims=tuple(_claim(ordinal, payment_of(claim)) for ordinal, claim in page),
        claims_next=str(end) if end < len(view.claims) else "",
        provider_adjustments=tuple(map(provider_adjustment_of, view.provider_adjustments)),
    )


def _breaks(item: TransactionSet, report: BalanceReport) -> Iterator[ShownBreak]:
    for found in report.breaks[:MOST_BREAKS]:
        yield ShownBreak(found.level, place_of(item, found.position), found.expected_cents, found.found_cents)


def _claim(ordinal: int, payment: ClaimPayment) -> ShownClaim:
    return ShownClaim(
        ordinal=ordinal,
        control_number=payment.control_number,
        status=payment.status,
        sum=Sum(payment.charge_cents, _cents(payment.every_adjustment()), payment.paid_cents),
        adjustments=payment.adjustments,
        remarks=payment.remark_codes,
        lines=tuple(map(_line, payment.lines)),
    )


def _line(line: LinePayment) -> ShownLine:
    return ShownLine(
        code=line.code,
        control_number=line.line_control,
        sum=Sum(line.charge_cents, _cents(line.adjustments), line.paid_cents),
        adjustments=line.adjustments,
        remarks=line.remark_codes,
    )


def _cents(adjustments: Iterable[Adjustment]) -> int:
    return sum(adjustment.amount_cents for adjustment in adjustments)


def _lines(source: bytes | str, masked: bool) -> Iterator[str]:
    """What is no X12, or ends to be, is readable no further."""
    try:
        yield from describe_lines(source, masked)
    except X12Error:
        return


def _readable(opened: Opened, lines: Iterator[str], window: Window) -> Opened:
    end = window.lines_before + window.lines
    found = list(islice(lines, window.lines_before, end + 1))
    following = str(end) if len(found) > window.lines else ""
    return replace(opened, readable=tuple(found[: window.lines]), readable_next=following)
