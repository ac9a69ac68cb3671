"""A good resource with one place of it wrong: what tests of readers are driven with."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
VALUES = ("", "x", "2026", 0, -1, [], {}, None, True, [{}], {"reference": "#x"}, {"reference": "Patient/p1"})


def places(node: Any, path: Path = ()) -> Iterator[Path]:
    """Every place below a node, the deeper ones after those above."""
    if path:
        yield path
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, inner in steps:
        yield from places(inner, (*path, step))


def changed(whole: Any, path: Path, value: Any) -> Any:
    """A copy with another value at that place; without it when the value is None."""
    made = copy.deepcopy(whole)
    node = made
    for step in path[:-1]:
        node = node[step]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return made
