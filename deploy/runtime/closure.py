"""Prints the part of a lock file that named packages need: python closure.py LOCK NAMES.in... [--without NAMES.in...]

The lock file holds the tools of tests, too, and an image shall hold none of them. Who needs what is in the lock file
itself ("# via"), so nothing is resolved again and every hash stays.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path


def normal(name: str) -> str:
    """The canonical form of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def blocks_of(lock: str) -> dict[str, str]:
    """Name -> its lines in the lock file: version, marker, hashes, and who needs it."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    return {normal(re.split(r"[=\s\[]", block, maxsplit=1)[0]): block for block in blocks}


def needed_by(block: str) -> set[str]:
    """The packages that a block's comments name as the reason why it is there."""
    comments = [line.strip()[1:].strip() for line in block.splitlines() if line.strip().startswith("#")]
    return {normal(line.removeprefix("via ").split("[")[0]) for line in comments if line != "via"}


def names_in(text: str) -> tuple[set[str], set[str]]:
    """The names of an .in file: those that are wanted, and those behind an exclamation mark, which are left out."""
    lines = {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")}
    unwanted = {line for line in lines if line.startswith("!")}
    return {normal(line) for line in lines - unwanted}, {normal(line[1:]) for line in unwanted}


def closure(lock: str, wanted: set[str], unwanted: set[str]) -> dict[str, str]:
    """The blocks of the wanted packages and of all that they need. LookupError for a name that is not locked."""
    blocks = blocks_of(lock)
    if missing := sorted((wanted | unwanted) - blocks.keys()):
        raise LookupError(f"not in the lock file: {', '.join(missing)}")
    found: set[str] = set()
    more = wanted
    while more:
        found |= more
        more = {name for name, block in blocks.items() if needed_by(block) & found} - found - unwanted
    return {name: blocks[name] for name in sorted(found)}


def closure_of(lock: str, lists: Sequence[str]) -> dict[str, str]:
    """The closure of all names in some .in files, by their paths."""
    return closure(lock, *names_in("\n".join(Path(one).read_text() for one in lists)))


def main(lock: str, *lists: str) -> int:
    """Prints the blocks; 1 and a line that names what is not locked. What stands behind --without is there already."""
    middle = lists.index("--without") if "--without" in lists else len(lists)
    try:
        text = Path(lock).read_text()
        there = closure_of(text, lists[middle + 1 :])
        blocks = [block for name, block in closure_of(text, lists[:middle]).items() if name not in there]
        sys.stdout.write("\n".join(blocks) + "\n")
    except LookupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
