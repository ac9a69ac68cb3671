"""Facts of one journey -> its rows. Pure, and the same for every order of hearing: facts are sorted and made unique.

The order is (occurred_at, event id). A balance that a payment tells is how the claim stands after it, so what a payment
changed is the difference to the payment before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from journey.kpi.rows import Claim, Denial, Derived, Money, Visit
from journey.model import Fact

LATE_AFTER_DAYS = 3
PAYMENTS = frozenset({"payment.posted", "payment.reversed"})
ANSWERS = frozenset({"claim.acknowledged", "claim.rejected"})
DISPUTES = {"claim.denied": "denied", "claim.underpaid": "underpaid"}
BALANCE = ("billed_cents", "paid_cents", "adjusted_cents", "contractual_cents", "patient_cents", "open_cents")


@dataclass(slots=True)
class Account:
    """The facts of one claim by what they are, in order."""

    facts: list[Fact] = field(default_factory=list)
    moves: list[Fact] = field(default_factory=list)
    payments: list[Fact] = field(default_factory=list)
    patient: list[Fact] = field(default_factory=list)
    disputes: list[Fact] = field(default_factory=list)

    def take(self, fact: Fact) -> None:
        self.facts.append(fact)
        if fact.type in PAYMENTS:
            self.payments.append(fact)
        elif fact.type == "patient.paid":
            self.patient.append(fact)
        elif fact.type in DISPUTES:
            self.disputes.append(fact)
        elif fact.type.startswith("claim."):
            self.moves.append(fact)

    @property
    def known(self) -> bool:
        """Whether it is a claim of ours: something moved it or paid it."""
        return bool(self.moves or self.payments)


def derive(journey_id: str, facts: Iterable[Fact]) -> Derived:
    """The rows of a journey from all its facts."""
    own = {fact.event_id: fact for fact in facts if fact.journey_id == journey_id}
    ordered = sorted(own.values(), key=lambda fact: (fact.occurred_at, fact.event_id))
    accounts: dict[str, Account] = defaultdict(Account)
    for fact in ordered:
        if claim_id := fact.detail.get("claim_id"):
            accounts[claim_id].take(fact)
    visit = _visit(journey_id, ordered)
    claims = {key: _claim(key, visit, account) for key, account in accounts.items() if account.known}
    denials = [row for key, claim in claims.items() for row in _denials(claim, accounts[key])]
    return Derived(visit, tuple(claims.values()), tuple(denials), tuple(_money(visit, ordered, claims)))


def first(facts: Iterable[Fact], *types: str) -> datetime | None:
    """The instant of the first fact of these types."""
    return next((fact.occurred_at for fact in facts if fact.type in types), None)


def last_word(facts: Sequence[Fact], name: str) -> str:
    """The last non-empty text under a key."""
    return next((str(fact.detail[name]) for fact in reversed(facts) if fact.detail.get(name)), "")


def day_of(text: Any) -> date | None:
    """A date from YYYY-MM-DD; None when it is none."""
    try:
        return date.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None


def instant_of(text: Any) -> datetime | None:
    """An aware instant from ISO text; None when it is none."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _cents(fact: Fact, name: str) -> int:
    return int(fact.detail.get(name) or 0)


def _charges(fact: Fact) -> int:
    return _cents(fact, "gross_cents") if "gross_cents" in fact.detail else _cents(fact, "billed_cents")


def by_payer(fact: Fact) -> bool:
    """Posted from an 835 and not by a person."""
    return bool(fact.detail.get("remittance_id")) and not fact.detail.get("by_person")


def _visit(journey_id: str, facts: Sequence[Fact]) -> Visit:
    days = [day for day in (day_of(fact.detail.get("service_on")) for fact in facts) if day]
    charges = [fact for fact in facts if fact.type == "charges.captured"]
    return Visit(
        journey_id=journey_id,
        feed=last_word(facts, "source"),
        provider=last_word(facts, "provider"),
        service_on=min(days, default=None),
        finished_at=first(facts, "encounter.finished"),
        charged_at=charges[0].occurred_at if charges else None,
        gross_cents=_charges(charges[-1]) if charges else 0,
        cancelled=first(facts, "encounter.cancelled") is not None,
        billed=any(fact.type in ("claim.built", "claim.voided") and _primary([fact]) for fact in facts),
        missing_charge=any(fact.type == "work.opened" and fact.qualifier == "missing-charge" for fact in facts),
    )


def _primary(facts: Sequence[Fact]) -> bool:
    told = last_word(facts, "responsibility")
    return told in ("", "1")


def _clean(moves: Sequence[Fact]) -> bool:
    """No edit held it and no person touched it before it first left."""
    for fact in moves:
        if fact.type == "claim.held" or fact.qualifier == "held" or fact.detail.get("touched"):
            return False
        if fact.type == "claim.submitted":
            break
    return True


def _answers(moves: Sequence[Fact]) -> list[tuple[str, datetime]]:
    """What the clearinghouse and payer said to submissions: accepted or rejected."""
    said = [fact for fact in moves if fact.type in ANSWERS]
    words = [("rejected" if fact.type == "claim.rejected" else fact.qualifier, fact.occurred_at) for fact in said]
    return [(word, at) for word, at in words if word in ("accepted", "rejected")]


def _claim(claim_id: str, visit: Visit, account: Account) -> Claim:
    answers = _answers(account.moves)
    postings = [fact for fact in account.payments if fact.type == "payment.posted" and by_payer(fact)]
    opening = postings[0] if postings else None
    left = [fact for fact in account.moves if fact.type == "claim.submitted" or fact.type in ANSWERS]
    sent = [fact.occurred_at for fact in (*left, *postings)]
    denied = next((fact for fact in account.disputes if fact.type == "claim.denied"), None)
    primary, voided = _primary(account.facts), first(account.moves, "claim.voided") is not None
    standing = _standing(account, bool(sent))
    patient_paid = sum(_cents(fact, "paid_cents") for fact in account.patient)
    owed = standing["open_cents"] + standing["patient_cents"] - patient_paid
    return Claim(
        claim_id=claim_id,
        journey_id=visit.journey_id,
        payer_id=last_word(account.facts, "payer_id"),
        payer_class=last_word(account.facts, "payer_class"),
        provider=last_word(account.facts, "provider") or visit.provider,
        feed=visit.feed,
        is_primary=primary,
        service_on=visit.service_on,
        built_at=first(account.moves, "claim.built"),
        clean=_clean(account.moves),
        submitted_at=min(sent, default=None),
        accepted_at=next((at for word, at in answers if word == "accepted"), None),
        first_answer=answers[0][0] if answers else "",
        accepted=sum(word == "accepted" for word, _ in answers),
        rejected=sum(word == "rejected" for word, _ in answers),
        voided=voided,
        posted_at=opening.occurred_at if opening else None,
        received_at=instant_of(opening.detail.get("received_at")) if opening else None,
        resolved_first=opening is not None and opening.qualifier == "paid" and _cents(opening, "open_cents") <= 0,
        patient_paid_cents=patient_paid,
        receivable_cents=owed if primary and sent and not voided else 0,
        denied_at=denied.occurred_at if denied else None,
        denied_cents=_disputed_cents(denied) if denied else 0,
        **standing,
    )


def _standing(account: Account, sent: bool) -> dict[str, int]:
    """The balance after the last payment; before any, a claim that left is open in full."""
    if account.payments:
        last = account.payments[-1]
        return {name: _cents(last, name) for name in BALANCE}
    billed = next((_cents(one, "billed_cents") for one in reversed(account.moves) if "billed_cents" in one.detail), 0)
    return dict.fromkeys(BALANCE, 0) | {"billed_cents": billed, "open_cents": billed if sent else 0}


def _disputed_cents(fact: Fact) -> int:
    return _cents(fact, "denied_cents") or _cents(fact, "dollars_cents")


def _settled(fact: Fact | None) -> int:
    """What payer and patient bear after a payment: more of it after a denial is what the denial was overturned for."""
    return _cents(fact, "paid_cents") + _cents(fact, "patient_cents") if fact else 0


def _denials(claim: Claim, account: Account) -> list[Denial]:
    denied = [fact for fact in account.disputes if fact.type == "claim.denied"]
    return [_denial(claim, account, fact, bool(denied) and fact is denied[0]) for fact in account.disputes]


def _denial(claim: Claim, account: Account, fact: Fact, initial: bool) -> Denial:
    detail: Mapping[str, Any] = fact.detail
    cents, work_id = _disputed_cents(fact), str(detail.get("work_id") or "")
    before = [one for one in account.payments if one.occurred_at <= fact.occurred_at]
    after = [one for one in account.payments if one.occurred_at > fact.occurred_at]
    gained = _settled(after[-1]) - _settled(before[-1] if before else None) if after else 0
    overturned = max(0, min(cents, gained))
    appealed = [one.occurred_at for one in account.facts if one.type == "claim.appealed" and _about(one, fact, work_id)]
    resolved = _resolved(account, after, fact)
    return Denial(
        denial_id=fact.event_id,
        kind=DISPUTES[fact.type],
        work_id=work_id,
        journey_id=claim.journey_id,
        claim_id=claim.claim_id,
        payer_id=claim.payer_id,
        payer_class=claim.payer_class,
        provider=claim.provider,
        feed=claim.feed,
        category=str(detail.get("category") or fact.reason),
        carc=next(iter(detail.get("carc") or ()), ""),
        carcs=",".join(detail.get("carc") or ()),
        rarcs=",".join(detail.get("rarc") or ()),
        codes=",".join(detail.get("codes") or ()),
        cents=cents,
        initial=initial,
        denied_at=fact.occurred_at,
        due_on=day_of(detail.get("due_on")),
        state=_state(overturned, after, resolved, appealed),
        appealed_at=min(appealed, default=None),
        resolved_at=resolved,
        overturned_cents=overturned,
    )


def _about(one: Fact, denial: Fact, work_id: str) -> bool:
    """Whether a later fact is about this denial: by its work item where both name one."""
    named = one.detail.get("work_id")
    return one.occurred_at >= denial.occurred_at and (not work_id or not named or named == work_id)


def _resolved(account: Account, after: Sequence[Fact], denial: Fact) -> datetime | None:
    """Nothing was open with the payer any more, or the claim was voided."""
    ends = [one.occurred_at for one in after if one.type == "payment.posted" and _cents(one, "open_cents") <= 0]
    ends += [one.occurred_at for one in account.moves if one.type == "claim.voided" and _about(one, denial, "")]
    return min(ends, default=None)


def _state(overturned: int, after: Sequence[Fact], resolved: datetime | None, appealed: Sequence[datetime]) -> str:
    given_up = any(
        not by_payer(one) and one.type == "payment.posted" and _cents(one, "open_cents") <= 0 for one in after
    )
    if overturned:
        return "overturned"
    if resolved:
        return "written-off" if given_up else "closed"
    return "appealed" if appealed else "open"


def _money(visit: Visit, facts: Sequence[Fact], claims: Mapping[str, Claim]) -> Iterable[Money]:
    before: dict[str, Fact] = {}
    for fact in facts:
        claim_id = str(fact.detail.get("claim_id") or "")
        if fact.type == "charges.captured":
            yield _charge(visit, fact, before.get(""))
            before[""] = fact
        elif fact.type in PAYMENTS and claim_id:
            yield _posting(visit, fact, before.get(claim_id), claims[claim_id])
            before[claim_id] = fact
        elif fact.type == "patient.paid":
            yield _movement(
                visit,
                fact,
                "patient",
                paid_cents=_cents(fact, "paid_cents"),
                point_of_service=bool(fact.detail.get("point_of_service")),
            )


def _movement(visit: Visit, fact: Fact, kind: str, **what: Any) -> Money:
    plain: dict[str, Any] = {
        "is_primary": True,
        "by_payer": False,
        "received_at": None,
        "gross_cents": 0,
        "late": False,
        "paid_cents": 0,
        "contractual_cents": 0,
        "point_of_service": False,
    }
    return Money(
        event_id=fact.event_id,
        kind=kind,
        journey_id=visit.journey_id,
        claim_id=str(fact.detail.get("claim_id") or ""),
        at=fact.occurred_at,
        **(plain | what),
    )


def _charge(visit: Visit, fact: Fact, before: Fact | None) -> Money:
    day = fact.occurred_at.astimezone(UTC).date()
    late = visit.service_on is not None and (day - visit.service_on).days > LATE_AFTER_DAYS
    return _movement(visit, fact, "charge", gross_cents=_charges(fact) - (_charges(before) if before else 0), late=late)


def _posting(visit: Visit, fact: Fact, before: Fact | None, claim: Claim) -> Money:
    def changed(name: str) -> int:
        return _cents(fact, name) - (_cents(before, name) if before else 0)

    return _movement(
        visit,
        fact,
        "posting" if fact.type == "payment.posted" else "reversal",
        is_primary=claim.is_primary,
        by_payer=by_payer(fact),
        received_at=instant_of(fact.detail.get("received_at")),
        paid_cents=changed("paid_cents"),
        contractual_cents=changed("contractual_cents"),
    )
