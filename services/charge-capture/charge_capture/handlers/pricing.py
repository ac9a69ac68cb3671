"""Which charges a visit has and which are missing, from lines, performed orders, decisions and the charge master."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from charge_capture.model import (
    NO_CHARGE,
    NO_PRICE,
    Charge,
    Decision,
    Line,
    Missing,
    Order,
    Reckoning,
    Visit,
    charge_cents,
)
from charge_capture.rules import ChargeMaster


def reckon(visit: Visit, remembered: Iterable[Order], decisions: Iterable[Decision], master: ChargeMaster) -> Reckoning:
    """Prices every line once, however often it was sent, and finds performed orders that no line answers."""
    decided = {decision.subject: decision for decision in decisions}
    added = [decision.line for decision in decided.values() if decision.line is not None]
    lines = {line.line_id: line for line in (*visit.lines, *added)}
    kept = [line for line in lines.values() if not _is_dropped(line, decided)]
    charges, unpriced = [], []
    for line in kept:
        charge = price_line(line, master, decided.get(line.line_id))
        if charge is None:
            unpriced.append(Missing(NO_PRICE, line.line_id, next(iter(line.orders), ""), line.code))
        else:
            charges.append(charge)
    orders = () if visit.closed else (*visit.orders, *remembered)
    forgotten = _unanswered(orders, list(lines.values()), decided, master)
    return Reckoning(tuple(charges), (*forgotten, *unpriced))


def price_line(line: Line, master: ChargeMaster, decision: Decision | None = None) -> Charge | None:
    """The line's charge, by the person's price or the charge master's; None when there is no price on its day."""
    own = None if decision is None else decision.unit_cents
    unit_cents = master.unit_cents(line.code, line.modifiers, line.service_from) if own is None else own
    return None if unit_cents is None else Charge(line, unit_cents, charge_cents(unit_cents, line.units))


def _is_dropped(line: Line, decided: Mapping[str, Decision]) -> bool:
    return line.line_id in decided and decided[line.line_id].drops


def _unanswered(
    orders: Sequence[Order], lines: Sequence[Line], decided: Mapping[str, Decision], master: ChargeMaster
) -> tuple[Missing, ...]:
    answered = {line.source for line in lines} | {order for line in lines for order in line.orders} | decided.keys()
    missing = {order.reference: order for order in orders if order.reference not in answered}
    return tuple(
        Missing(NO_CHARGE, order.reference, order.reference, order.code, _estimate(order, master))
        for order in missing.values()
    )


def _estimate(order: Order, master: ChargeMaster) -> int:
    """What one unit of the ordered code costs, when it was ordered by a code that has a price."""
    return 0 if order.on is None else master.unit_cents(order.code, (), order.on) or 0
