"""Every pair of states is answered by the table and by nothing else."""

import pytest
from kernel.errors import Refused
from kernel.transitions import Transitions

STEPS = Transitions({"draft": {"ready", "void"}, "ready": {"draft", "sent"}, "sent": {"paid"}, "paid": (), "void": ()})
LEGAL = {("draft", "ready"), ("draft", "void"), ("ready", "draft"), ("ready", "sent"), ("sent", "paid")}


def test_every_pair() -> None:
    pairs = list(STEPS.every_pair())
    assert len(pairs) == 25
    assert {(a, b) for a, b, legal in pairs if legal} == LEGAL
    for from_state, to_state, legal in pairs:
        assert STEPS.allows(from_state, to_state) is legal
        if legal:
            STEPS.check(from_state, to_state)
        else:
            with pytest.raises(Refused) as caught:
                STEPS.check(from_state, to_state)
            assert caught.value.code == "transition_refused"


def test_unknown_states_are_refused() -> None:
    assert not STEPS.allows("nowhere", "draft") and not STEPS.allows("draft", "nowhere")
    with pytest.raises(Refused):
        STEPS.check("nowhere", "draft")


def test_reachable_follows_loops_and_stops() -> None:
    assert STEPS.reachable("draft") == {"draft", "ready", "void", "sent", "paid"}
    assert STEPS.reachable("sent") == {"paid"}
    assert STEPS.reachable("paid") == frozenset()
    assert STEPS.terminal == {"paid", "void"}
    assert STEPS.states == {"draft", "ready", "sent", "paid", "void"}


def test_a_state_without_a_row_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="lost"):
        Transitions({"draft": {"lost"}})
