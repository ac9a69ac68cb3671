"""A feed of HL7 v2 as a site would configure it, for tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from interface_engine.rules import load_channels
from interface_engine.rules.channel import Channel

_YAML = "name: clinic\nformat: hl7v2\ntransport: {kind: mllp}\n"


@cache
def feed(text: str = _YAML, name: str = "clinic") -> Channel:
    """The channel of this file."""
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "sources"
        sources.mkdir()
        (sources / f"{name}.yaml").write_text(text)
        return load_channels(site=Path(folder))[name]
