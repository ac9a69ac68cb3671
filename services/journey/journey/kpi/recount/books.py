"""All KPIs added up over journeys that are told one after another. Sums in integers; lags are kept for percentiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from journey.kpi.recount.claims import ClaimBook
from journey.kpi.recount.ending import first_end
from journey.kpi.recount.heard import Heard, lag_us, parse_instant
from journey.kpi.recount.visits import VisitBook

DAY_US = 86_400_000_000
LAGS = ("charge-lag", "payer-lag", "posting-lag", "denial-to-appeal", "denial-to-resolution", "encounter-to-payment")
# KPIs that divide by a daily or monthly average: their numerators are multiplied by the days of the period at the end.
PER_DAY = frozenset({"net-days-in-ar", "days-in-ar", "dnfb-days", "fbns-days", "dnsp-days"})
PER_MONTH = frozenset({"initial-denial-rate", "initial-denial-dollars"})
AGES = ((30, "aged-ar-0-30"), (60, "aged-ar-31-60"), (90, "aged-ar-61-90"), (120, "aged-ar-91-120"))
OLDEST = "aged-ar-over-120"


class Line(NamedTuple):
    """What one row adds to one KPI."""

    kpi: str
    key: str
    above: int
    below: int


@dataclass(slots=True)
class Sum:
    """A KPI's sums and, for lags, its percentiles."""

    numerator: int = 0
    denominator: int = 0
    p50: int | None = None
    p90: int | None = None


@dataclass(slots=True)
class Books:
    """`cost`: the month's first day, the following month's first day, and its cost in cents. `wanted`: KPIs whose rows
    are kept in `rows`, by KPI and then by key."""

    as_of: datetime
    cost: tuple[date, date, int] | None = None
    wanted: frozenset[str] = frozenset()
    sums: dict[str, Sum] = field(default_factory=dict)
    rows: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    lags: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in LAGS})
    first_charge: datetime | None = None
    first_submission: datetime | None = None
    remits: dict[str, tuple[datetime, bool, int, int]] = field(default_factory=dict)
    deposits: dict[str, list[Heard]] = field(default_factory=dict)

    def since(self, days: int) -> datetime:
        """So many days before the instant as of which all is computed."""
        return self.as_of - timedelta(days=days)

    def hear_line(self, fact: Heard) -> None:
        """A fact of the whole line: a remittance or a deposit."""
        remittance = fact.word("remittance_id")
        if not remittance:
            return
        if fact.type == "deposit.matched":
            self.deposits.setdefault(remittance, []).append(fact)
        elif fact.type in ("remittance.received", "remittance.quarantined"):
            came = parse_instant(fact.word("received_at")) or fact.at
            bad = fact.type == "remittance.quarantined"
            old = self.remits.get(remittance, (came, bad, 0, 0))
            claims, waiting = max(old[2], fact.number("claims")), max(old[3], fact.number("unmatched"))
            self.remits[remittance] = (min(old[0], came), old[1] or bad, claims, waiting)

    def hear_journey(self, journey_id: str, facts: Sequence[Heard]) -> None:
        """All facts of one journey, by instant and id."""
        book = VisitBook()
        for fact in facts:
            book.hear(fact)
        self._add(_of_visit(self, journey_id, book))
        self._add(_of_ending(self, journey_id, facts))
        self._claims(book)

    def hear_stray(self, facts: Iterable[Heard]) -> None:
        """All facts of one claim that no journey holds."""
        book = VisitBook()
        for fact in facts:
            book.hear(fact)
        self._claims(book)
        self._add(_of_cash(self, book))

    def _claims(self, book: VisitBook) -> None:
        for claim in book.claims.values():
            if claim.real:
                for rule in CLAIM_RULES:
                    self._add(rule(self, book, claim))

    def _add(self, lines: Iterable[Line]) -> None:
        for line in lines:
            total = self.sums.setdefault(line.kpi, Sum())
            total.numerator += line.above
            total.denominator += line.below
            if line.kpi in self.lags:
                self.lags[line.kpi].append(line.above)
            if line.kpi in self.wanted:
                self.rows.setdefault(line.kpi, {})[line.key] = (line.above, line.below)

    def close(self) -> Mapping[str, Sum]:
        """The sums of all KPIs, once everything has been told."""
        self._add(_of_remits(self))
        self._add(_of_cost(self))
        self._scale(PER_DAY, self._days(self.first_charge, 1))
        self._scale(PER_MONTH, self._days(self.first_submission, 30))
        for name, values in self.lags.items():
            if values:
                values.sort()
                self.sums[name].p50 = values[(len(values) + 1) // 2 - 1]
                self.sums[name].p90 = values[(9 * len(values) + 9) // 10 - 1]
        return self.sums

    def _scale(self, names: Iterable[str], days: int) -> None:
        for name in names:
            if name in self.sums:
                self.sums[name].numerator *= days
            self.rows[name] = {key: (top * days, low) for key, (top, low) in self.rows.get(name, {}).items()}

    def _days(self, first: datetime | None, least: int) -> int:
        """Begun days since then, between `least` and 90."""
        if first is None:
            return least
        begun = -(-((self.as_of - first) // timedelta(microseconds=1)) // DAY_US)
        return max(least, min(90, begun))


def _of_visit(books: Books, journey_id: str, visit: VisitBook) -> Iterator[Line]:
    quarter = books.since(90)
    if visit.gross > 0 and not visit.billed and not visit.cancelled:
        yield Line("dnfb-days", journey_id, visit.gross, 0)
        yield Line("dnsp-days", journey_id, visit.gross, 0)
    if visit.finished is not None and visit.finished > quarter and not visit.cancelled:
        yield Line("capture-gap", journey_id, int(visit.gap), 1)
    if visit.charges and visit.charges[0].at > quarter and visit.service_day is not None:
        morning = datetime(visit.service_day.year, visit.service_day.month, visit.service_day.day, tzinfo=UTC)
        yield Line("charge-lag", journey_id, lag_us(morning, visit.charges[0].at), 1)
    yield from _of_charges(books, visit)
    yield from _of_cash(books, visit)


def _of_charges(books: Books, visit: VisitBook) -> Iterator[Line]:
    for charge in visit.charges:
        if charge.at <= books.since(90):
            continue
        books.first_charge = min(books.first_charge or charge.at, charge.at)
        for name in (*sorted(PER_DAY), "gross-collection-rate"):
            yield Line(name, charge.key, 0, charge.added)
        if charge.added > 0:
            yield Line("late-charges", charge.key, charge.added if visit.is_late(charge) else 0, charge.added)


def _of_cash(books: Books, visit: VisitBook) -> Iterator[Line]:
    for paid in visit.cash:
        if paid.at > books.since(90):
            yield Line("gross-collection-rate", paid.key, paid.cents, 0)
            yield Line("point-of-service-cash", paid.key, paid.cents if paid.at_service else 0, paid.cents)
        yield from _cash_of_month(books, paid.key, paid.at, paid.cents)


def _cash_of_month(books: Books, key: str, at: datetime, cents: int) -> Iterator[Line]:
    if books.cost is not None and books.cost[0] <= at.astimezone(UTC).date() < books.cost[1]:
        yield Line("cost-to-collect", key, 0, cents)


def _of_receivable(books: Books, visit: VisitBook, claim: ClaimBook) -> Iterator[Line]:
    owed = claim.owed
    if owed:
        yield Line("days-in-ar", claim.claim_id, owed, 0)
    if owed > 0 and claim.out is not None:
        yield Line("net-days-in-ar", claim.claim_id, owed, 0)
        day = visit.service_day or claim.out.astimezone(UTC).date()
        age = books.as_of.astimezone(UTC).date().toordinal() - day.toordinal()
        bucket = next((name for most, name in AGES if age <= most), OLDEST)
        for name in (*(name for _, name in AGES), OLDEST):
            yield Line(name, claim.claim_id, owed if name == bucket else 0, owed)
    if claim.primary and claim.built is not None and claim.out is None and not claim.voids:
        yield Line("fbns-days", claim.claim_id, claim.billed, 0)
        yield Line("dnsp-days", claim.claim_id, claim.billed, 0)


def _of_submission(books: Books, visit: VisitBook, claim: ClaimBook) -> Iterator[Line]:
    quarter = books.since(90)
    if claim.built is not None and claim.built > quarter:
        yield Line("clean-claim-rate", claim.claim_id, int(not claim.spoiled), 1)
    if claim.out is not None and claim.out > quarter and claim.answers:
        yield Line("claim-acceptance-rate", claim.claim_id, sum(claim.answers), len(claim.answers))
        yield Line("first-pass-acceptance", claim.claim_id, int(claim.answers[0]), 1)


def _of_first_denial(books: Books, visit: VisitBook, claim: ClaimBook) -> Iterator[Line]:
    if not claim.primary:
        return
    sent = claim.out is not None and claim.out > books.since(90)
    if sent and claim.out is not None:
        books.first_submission = min(books.first_submission or claim.out, claim.out)
    denied = claim.denials[0] if claim.denials and claim.denials[0].at > books.since(30) else None
    if sent or denied:
        cents = denied.cents if denied else 0
        yield Line("initial-denial-rate", claim.claim_id, int(denied is not None), 30 if sent else 0)
        yield Line("initial-denial-dollars", claim.claim_id, cents, claim.billed * 30 if sent else 0)


def _of_payer(books: Books, visit: VisitBook, claim: ClaimBook) -> Iterator[Line]:
    answer = claim.first_835
    if answer is None:
        return
    posted = answer.fact.at
    if posted > books.since(90):
        done = answer.fact.qualifier == "paid" and answer.open_cents <= 0
        yield Line("first-pass-resolution", claim.claim_id, int(done), 1)
        if claim.out is not None:
            yield Line("payer-lag", claim.claim_id, lag_us(claim.out, answer.received or posted), 1)
    first_day = books.as_of.astimezone(UTC).date() - timedelta(days=365)
    if visit.service_day is not None and visit.service_day > first_day:
        last = claim.remits[-1].fact
        kept = (claim.billed if claim.primary else 0) - last.number("contractual_cents")
        yield Line("net-collection-rate", claim.claim_id, last.number("paid_cents") + claim.from_patient, kept)


def _of_remit_lines(books: Books, visit: VisitBook, claim: ClaimBook) -> Iterator[Line]:
    for one in claim.remits:
        key, at = one.fact.event_id, one.fact.at
        if at > books.since(90):
            yield Line("net-days-in-ar", key, 0, -one.contractual)
            yield Line("gross-collection-rate", key, one.paid, 0)
        yield from _cash_of_month(books, key, at, one.paid)
        if one.fact.type != "payment.posted" or not one.from_payer:
            continue
        if one.received is not None and at > books.since(90):
            yield Line("posting-lag", key, lag_us(one.received, at), 1)
        if claim.primary and (one.received or at) > books.since(28):
            yield Line("primary-denial-rate", key, int(one.paid == 0), 1)


def _of_denials(books: Books, visit: VisitBook, claim: ClaimBook) -> Iterator[Line]:
    for number, denial in enumerate(claim.denials):
        appealed, over = claim.appealed_at(denial), claim.over_at(denial)
        if appealed is not None and appealed > books.since(90):
            yield Line("denial-to-appeal", denial.key, lag_us(denial.at, appealed), 1)
        if over is not None and over > books.since(90):
            yield Line("denial-to-resolution", denial.key, lag_us(denial.at, over), 1)
        if number == 0 and denial.at > books.since(365):
            won = claim.won_back(denial)
            yield Line("denials-overturned", denial.key, int(won > 0), 1)
            yield Line("denials-overturned-dollars", denial.key, won, denial.cents)


def _of_ending(books: Books, journey_id: str, facts: Sequence[Heard]) -> Iterator[Line]:
    remittances = {fact.word("remittance_id") for fact in facts if fact.word("remittance_id")}
    deposits = [fact for name in sorted(remittances) for fact in books.deposits.get(name, ())]
    found = first_end([*facts, *deposits])
    if found is not None and found[1] > books.since(90):
        yield Line("encounter-to-payment", journey_id, lag_us(*found), 1)


def _of_remits(books: Books) -> Iterator[Line]:
    for key, (came, bad, claims, waiting) in books.remits.items():
        if came > books.since(90):
            yield Line("auto-post-rate", key, 0 if bad else max(0, claims - waiting), claims)


def _of_cost(books: Books) -> Iterator[Line]:
    if books.cost is not None:
        yield Line("cost-to-collect", "cost", books.cost[2], 0)


CLAIM_RULES: tuple[Callable[[Books, VisitBook, ClaimBook], Iterator[Line]], ...] = (
    _of_receivable,
    _of_submission,
    _of_first_denial,
    _of_payer,
    _of_remit_lines,
    _of_denials,
)
