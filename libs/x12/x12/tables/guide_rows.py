"""How a guide table is written, and what becomes of it.

One line per segment use: position, segment, usage, maximum, then narrowing of elements. Loops open with ">" and hold
what is indented below them. Usage: R required, S situational, A required by the guide although its published
examples go without it (reported as a warning). Maximum "*" is unlimited.

Narrowing: `1=A,B` allowed codes, `+3` required, `-5` not used, `5.3=1,7` component 3 of element 5. `1=A/B` writes one
use for A and one for B. The codes of a qualifying element (KEYS) tell uses of the same segment apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

KEYS = {
    "NM1": (1, 0), "N1": (1, 0), "REF": (1, 0), "HL": (3, 0), "DTP": (1, 0), "DTM": (1, 0), "AMT": (1, 0),
    "QTY": (1, 0), "HI": (1, 1), "TRN": (1, 0), "PER": (1, 0), "PRV": (1, 0), "CRC": (1, 0), "LQ": (1, 0),
    "NTE": (1, 0),
}  # fmt: skip

_HIERARCHY = 100_000
_LAST = 1_000_000


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a segment in a loop. `codes`, `required`, `unused` by (element, component), component 0 the whole."""

    segment: str
    position: int
    usage: str
    most: int
    codes: dict[tuple[int, int], frozenset[str]]
    required: frozenset[tuple[int, int]]
    unused: frozenset[tuple[int, int]]
    key: tuple[int, int] | None
    number: int

    @property
    def key_codes(self) -> frozenset[str] | None:
        """The qualifiers that identify this use; None when any will do."""
        return self.codes.get(self.key) if self.key else None


@dataclass(slots=True)
class LoopRow:
    """A loop with what it holds; `index` finds entries by segment id: own uses and the first uses of inner loops.
    The last four are there for speed: what must be present, and what is meant by a count."""

    id: str
    usage: str
    most: int
    uses: list[Use] = field(default_factory=list)
    loops: list[LoopRow] = field(default_factory=list)
    index: dict[str, list[tuple[int, Use, LoopRow | None]]] = field(default_factory=dict)
    demanded: list[Use] = field(default_factory=list)
    demanded_loops: list[LoopRow] = field(default_factory=list)
    by_number: dict[int, Use] = field(default_factory=dict)
    by_id: dict[str, LoopRow] = field(default_factory=dict)

    @property
    def position(self) -> int:
        """Position of the segment that opens the loop."""
        return self.uses[0].position


@dataclass(frozen=True, slots=True)
class Guide:
    """An implementation guide. `prefix` matches ST03 or GS08 without the errata letter; `version` is what we write."""

    name: str
    code: str
    prefix: str
    version: str
    functional_id: str
    root: LoopRow


def guide(name: str, code: str, version: str, functional_id: str, table: str) -> Guide:
    """Read a guide table."""
    root = LoopRow("", "R", 1)
    open_loops: list[tuple[int, LoopRow]] = [(-1, root)]
    for number, line in enumerate(table.strip("\n").splitlines()):
        depth = len(line) - len(line.lstrip())
        while open_loops[-1][0] >= depth:
            open_loops.pop()
        tokens = line.split()
        if tokens[0] == ">":
            inner = LoopRow(tokens[1], tokens[2], _most(tokens[3]))
            open_loops[-1][1].loops.append(inner)
            open_loops.append((depth, inner))
        else:
            open_loops[-1][1].uses += _uses(tokens, number)
    _index(root)
    return Guide(name, code, version[:10], version, functional_id, root)


def _most(text: str) -> int:
    return 0 if text == "*" else int(text)


def _uses(tokens: list[str], number: int) -> list[Use]:
    position, segment, usage, most, *narrowing = tokens
    codes: dict[tuple[int, int], frozenset[str]] = {}
    required: set[tuple[int, int]] = set()
    unused: set[tuple[int, int]] = set()
    split = None
    for token in narrowing:
        if token[0] in "+-":
            (required if token[0] == "+" else unused).add(_place(token[1:]))
            continue
        where, _, listing = token.partition("=")
        place = _place(where)
        codes[place] = frozenset(listing.replace("/", ",").split(","))
        split = (place, listing.split("/")) if "/" in listing else split
    key = KEYS.get(segment)
    one = Use(
        segment, int(position), usage, _most(most), codes, frozenset(required), frozenset(unused),
        key if key in codes else None, number * 100,
    )  # fmt: skip
    if split is None:
        return [one]
    place, listings = split
    return [
        replace(one, codes={**codes, place: frozenset(listing.split(","))}, number=number * 100 + at)
        for at, listing in enumerate(listings)
    ]


def _place(text: str) -> tuple[int, int]:
    element, _, component = text.partition(".")
    return int(element), int(component or 0)


def _index(loop: LoopRow) -> None:
    loop.demanded = [use for use in loop.uses if use.usage != "S"]
    loop.demanded_loops = [inner for inner in loop.loops if inner.usage == "R"]
    loop.by_number = {use.number: use for use in loop.uses}
    loop.by_id = {inner.id: inner for inner in loop.loops}
    for use in loop.uses:
        position = _LAST if use.segment == "SE" else use.position
        loop.index.setdefault(use.segment, []).append((position, use, None))
    for inner in loop.loops:
        _index(inner)
        first = inner.uses[0]
        # positions restart with every HL: a hierarchical level comes after all that belongs to its parent
        position = first.position + (_HIERARCHY if first.segment == "HL" else 0)
        loop.index.setdefault(first.segment, []).append((position, first, inner))
