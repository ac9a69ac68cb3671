"""835 bytes to readings: what balances can be posted; what does not is named by rule and segment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from x12.balance import balance
from x12.check import check
from x12.read import transaction_sets
from x12.tree import Segment, TransactionSet, X12Error
from x12.views import parties
from x12.views import remittance as view835
from x12.views.remittance import Remittance, read_835

from remittance.model.advice import Adjustment, ClaimPayment, LinePayment, ProviderAdjustment
from remittance.model.identity import derived_id
from remittance.model.remittance import Broken, Readable, Reading, ReceivedRemittance

SYNTAX = 1
DEBIT = "D"  # BPR03: the payer takes the amount back from our account


def digest_of(raw: bytes) -> str:
    """The identity of a file: the same bytes are the same file."""
    return hashlib.sha256(raw).hexdigest()


def read_remittances(raw: bytes, file_id: str, received_at: datetime) -> list[Reading]:
    """One reading for each 835 of the file. What is not X12, or holds no 835, is one broken reading of the file."""
    readings: list[Reading] = []
    whole = Broken(content=digest_of(raw), rule="x12-empty", segment="ISA[1]", received_at=received_at)
    try:
        readings += (read_remittance(item, file_id, received_at) for item in transaction_sets(raw))
    except X12Error as error:
        readings.append(replace(whole, rule="x12-unreadable", segment=f"character {error.position}"))
    return readings or [whole]


def read_remittance(item: TransactionSet, file_id: str, received_at: datetime) -> Reading:
    """An 835 that is complete and balances on all three levels; otherwise what breaks it, and where."""
    content = content_of(item)
    if item.code != "835":
        place = place_of(item, item.start)
        return Broken(content=content, rule="not-an-835", segment=place, received_at=received_at)
    broken = next(_breaks(item), None)
    if broken is not None:
        rule, segment = broken
        return _set_aside(item, content, rule, segment, received_at)
    try:
        return _readable(read_835(item), content, file_id, received_at)
    except ValueError as error:
        place = str(getattr(error, "path", "")) or place_of(item, item.start)
        return Broken(content=content, rule="835-unreadable", segment=place, received_at=received_at)


def _set_aside(item: TransactionSet, content: str, rule: str, segment: str, received_at: datetime) -> Broken:
    """A broken 835 with what it still tells about itself, so that people see how much is at stake."""
    claims = sum(part.id == "CLP" for part in item.segments)
    broken = Broken(content=content, rule=rule, segment=segment, claims=claims, received_at=received_at)
    try:
        view = read_835(item)
    except ValueError:
        return broken
    return replace(
        broken,
        payer_id=view.payer.id or view.trace_origin,
        paid_cents=view.amount_cents,
        zero_paid=_zero_paid(view),
    )


def _zero_paid(view: Remittance) -> int:
    return sum(claim.paid_cents == 0 for claim in view.claims)


def _breaks(item: TransactionSet) -> Iterator[tuple[str, str]]:
    """What forbids posting: segments that are lost or too many, and sums that fail. A blemish elsewhere does not."""
    for finding in check(item):
        if finding.snip == SYNTAX and finding.scope == "set" and finding.is_error:
            yield _rule(f"835.{finding.rule}"), place_of(item, finding.position)
    for found in balance(item).breaks:
        yield _rule(found.rule), place_of(item, found.position)


def _rule(name: str) -> str:
    """Reasons are written with hyphens all along the line: "835-claim-balance"."""
    return name.replace(".", "-")


def place_of(item: TransactionSet, position: int) -> str:
    """A segment by its id and which one of its kind it is in the set: "CLP[3]". Never its content."""
    before = [segment for segment in item.segments if segment.position <= position]
    if not before:
        return "ST[1]"
    last = before[-1].id
    return f"{last}[{sum(segment.id == last for segment in before)}]"


def content_of(item: TransactionSet) -> str:
    """Digest of the segments between ST and SE: the same payment has it under any control number."""
    body = "~".join(_text(segment) for segment in item.segments if segment.id not in ("ST", "SE"))
    return hashlib.sha256(body.encode("utf-8", "surrogateescape")).hexdigest()


def _text(segment: Segment) -> str:
    return "*".join((segment.id, *segment.elements))


def _readable(view: Remittance, content: str, file_id: str, received_at: datetime) -> Readable:
    payer_id = view.payer.id or view.trace_origin
    remittance = ReceivedRemittance(
        remittance_id=derived_id("remittance", payer_id, view.trace_number, content),
        payer_id=payer_id,
        payer_name=view.payer.name,
        trace_number=view.trace_number,
        trace_origin=view.trace_origin,
        method=view.method,
        paid_cents=-view.amount_cents if view.credit_debit == DEBIT else view.amount_cents,
        payment_date=view.payment_date,
        content=content,
        file_id=file_id,
        received_at=received_at,
        claims=len(view.claims),
        zero_paid=_zero_paid(view),
    )
    return Readable(
        remittance=remittance,
        payments=tuple(map(payment_of, view.claims)),
        provider_adjustments=tuple(map(provider_adjustment_of, view.provider_adjustments)),
    )


def payment_of(view: view835.ClaimPayment) -> ClaimPayment:
    """A claim payment without the names that the books do not need."""
    return ClaimPayment(
        control_number=view.control_number,
        status=view.status,
        charge_cents=view.charge_cents,
        paid_cents=view.paid_cents,
        payer_claim_number=view.payer_claim_number,
        crossover_payer_id=view.crossover_payer_id,
        rendering_npi=view.rendering.id if view.rendering is not None else "",
        adjustments=_adjustments(view.adjustments),
        lines=tuple(map(_line, view.lines)),
        remark_codes=view.remark_codes,
    )


def _line(view: view835.LinePayment) -> LinePayment:
    return LinePayment(
        code=view.code,
        charge_cents=view.charge_cents,
        paid_cents=view.paid_cents,
        original_code=view.original_code,
        modifiers=view.modifiers,
        line_control=view.line_control,
        allowed_cents=view.allowed_cents,
        adjustments=_adjustments(view.adjustments),
        remark_codes=view.remark_codes,
    )


def _adjustments(views: tuple[parties.Adjustment, ...]) -> tuple[Adjustment, ...]:
    return tuple(Adjustment(view.group, view.reason, view.amount_cents) for view in views)


def provider_adjustment_of(view: view835.ProviderAdjustment) -> ProviderAdjustment:
    """A pair of a PLB segment."""
    return ProviderAdjustment(
        provider_id=view.provider_id,
        fiscal_period_end=view.fiscal_period_end,
        reason=view.reason,
        amount_cents=view.amount_cents,
        reference=view.reference,
    )
