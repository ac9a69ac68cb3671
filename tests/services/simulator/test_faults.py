"""Faults happen only where they are asked for, and at their rate."""

from __future__ import annotations

import pytest
from simulator.faults import NAMES, Faults, read_faults


def test_nothing_goes_wrong_unasked() -> None:
    assert not any(Faults().fires(name, key) for name in NAMES for key in range(200))


def test_without_a_rate_it_always_happens() -> None:
    faults = read_faults("takeback, realtime-503:0.25")
    assert all(faults.fires("takeback", key) for key in range(100))
    fired = sum(faults.fires("realtime-503", key) for key in range(4000))
    assert 800 < fired < 1200
    assert not faults.fires("duplicate-file", 1)


def test_the_seed_repeats_and_varies() -> None:
    runs = [[read_faults("takeback:0.5", seed).fires("takeback", key) for key in range(64)] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("text", ["flood", "takeback:2", "takeback:-1", "takeback:x"])
def test_wrong_settings_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_faults(text)
