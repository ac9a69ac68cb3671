"""The door may stand open on a machine of one's own, and nowhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from chassis import SettingsError
from interface_engine.app import _gate
from interface_engine.settings import Settings
from structlog.testing import capture_logs


def runtime(**settings: Any) -> Any:
    import structlog

    chosen = Settings(postgres_url="postgresql://x", nats_url="nats://x", **settings)
    return SimpleNamespace(settings=chosen, database=None, clock=None, log=structlog.get_logger())


def test_it_is_shut_unless_somebody_says_so() -> None:
    assert _gate(runtime()).open_to is None


def test_open_it_says_so_aloud() -> None:
    with capture_logs() as said:
        gate = _gate(runtime(open_door=True))
    assert gate.open_to is not None
    assert [line["log_level"] for line in said] == ["warning"]


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "::"])
def test_on_any_other_address_the_service_does_not_start(host: str) -> None:
    with pytest.raises(SettingsError, match="loopback"):
        _gate(runtime(open_door=True, listen_host=host))
