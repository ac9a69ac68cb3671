"""Hypothesis strategies for the values that views share."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from x12.views.parties import Address, Adjustment, Contact, Diagnosis, Member, Payer, Provider

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,'&/#-()"


def words(most: int = 20) -> st.SearchStrategy[str]:
    """Free text that X12 can carry, without blanks around it."""
    return st.text(_LETTERS, min_size=1, max_size=most).map(str.strip).filter(bool)


def codes(most: int = 10, least: int = 1) -> st.SearchStrategy[str]:
    """Letters and digits."""
    return st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=least, max_size=most)


def maybe(strategy: st.SearchStrategy[Any], nothing: Any = "") -> st.SearchStrategy[Any]:
    """The value or nothing."""
    return st.one_of(st.just(nothing), strategy)


days = st.dates(date(1900, 1, 1), date(2099, 12, 31))
cents = st.integers(-(10**11), 10**11)
units = st.decimals("0.001", "99999", places=2).map(lambda value: format(value.normalize(), "f"))
modifiers = st.lists(codes(2, 2), max_size=4).map(tuple)
addresses = st.builds(Address, words(), words(), codes(2, 2), codes(9, 5), maybe(words()), maybe(codes(3, 2)))
contacts = st.builds(Contact, maybe(words()), maybe(codes()), maybe(codes()), maybe(codes()))
payers = st.builds(Payer, codes(20), words(), st.sampled_from(("PI", "XV")), maybe(addresses, None))
diagnoses = st.builds(Diagnosis, codes(7, 3), st.just("ABF"))
adjustments = st.builds(Adjustment, st.sampled_from(("CO", "PR", "OA", "PI")), codes(3), cents, maybe(units))
adjustment_lists = st.lists(adjustments, max_size=9).map(tuple)


def spans() -> st.SearchStrategy[tuple[date, date | None]]:
    """A day, or a day and a later one."""
    later = st.integers(1, 400).map(lambda count: timedelta(days=count))
    return st.tuples(days, maybe(later, None)).map(lambda pair: (pair[0], pair[0] + pair[1] if pair[1] else None))


def providers(taxonomy: bool = False, address: bool = False) -> st.SearchStrategy[Provider]:
    """A provider with what its loop has a place for."""
    return st.builds(
        Provider, maybe(codes(10)), words(), maybe(words()), maybe(words()), maybe(words(9)), st.booleans(),
        maybe(codes(10)) if taxonomy else st.just(""), maybe(addresses, None) if address else st.none(),
    )  # fmt: skip


def members(member_id: bool = True, group: bool = False, related: bool = False) -> st.SearchStrategy[Member]:
    """A person."""
    return st.builds(
        Member, words(), maybe(words()), maybe(codes(20, 2)) if member_id else st.just(""), maybe(days, None),
        maybe(st.sampled_from("FMU")), maybe(words()), maybe(words(9)), maybe(codes()) if group else st.just(""),
        maybe(addresses, None), codes(2, 2) if related else st.just(""),
    )  # fmt: skip
