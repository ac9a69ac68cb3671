"""Which file of rows is in force: the site's own stands before the shipped one. It is only named here, never read."""

from __future__ import annotations

from pathlib import Path


def rule_file(name: str, site: Path | None, shipped: Path) -> Path:
    """`name` in the folder `site` where it is a file there, else in the folder `shipped`."""
    own = site / name if site is not None else None
    return own if own is not None and own.is_file() else shipped / name
