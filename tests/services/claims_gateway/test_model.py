"""The table of claim states, exhaustively: the drawing of the line is the oracle."""

from __future__ import annotations

import pytest
from claims_gateway.model import OPEN, SENT, TRANSITIONS
from kernel.errors import Refused

LEGAL = {
    "draft": "held ready closed",
    "held": "ready voided closed",
    "ready": "held submitting voided",
    "submitting": "submitted held",
    "submitted": "received accepted rejected adjudicated",
    "received": "accepted rejected adjudicated",
    "accepted": "rejected adjudicated",
    "rejected": "corrected adjudicated voided written_off",
    "corrected": "ready held",
    "adjudicated": "paid partly_paid denied",
    "paid": "adjudicated reversed underpaid secondary_due closed",
    "partly_paid": "adjudicated reversed underpaid denied appealed replaced voided secondary_due closed",
    "denied": "adjudicated reversed appealed replaced voided written_off secondary_due",
    "underpaid": "adjudicated reversed appealed replaced voided written_off closed",
    "appealed": "adjudicated written_off",
    "reversed": "adjudicated voided",
    "secondary_due": "closed",
    "replaced": "closed",
    "written_off": "closed",
    "voided": "",
    "closed": "reversed",
}


def test_every_pair_of_states_is_decided() -> None:
    wanted = {(a, b): b in LEGAL[a].split() for a in LEGAL for b in LEGAL}
    assert {(a, b): legal for a, b, legal in TRANSITIONS.every_pair()} == wanted


def test_no_state_leads_to_itself() -> None:
    assert not [a for a, b, legal in TRANSITIONS.every_pair() if a == b and legal]


def test_every_state_is_reached_from_a_draft() -> None:
    assert TRANSITIONS.reachable("draft") == TRANSITIONS.states - {"draft"}


@pytest.mark.parametrize(("from_state", "to_state"), [("held", "submitted"), ("draft", "paid"), ("voided", "ready")])
def test_no_short_cut_is_allowed(from_state: str, to_state: str) -> None:
    with pytest.raises(Refused) as raised:
        TRANSITIONS.check(from_state, to_state)
    assert raised.value.code == "transition_refused"


def test_nothing_goes_out_without_having_been_ready() -> None:
    assert [a for a, b, legal in TRANSITIONS.every_pair() if legal and b == "submitting"] == ["ready"]


def test_a_claim_that_is_still_here_is_not_a_sent_one() -> None:
    assert not OPEN & SENT - {"ready"}
    assert "rejected" not in SENT
    assert {"submitting", "submitted", "accepted", "paid", "denied"} <= SENT
