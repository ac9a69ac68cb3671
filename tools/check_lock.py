"""Refuses a lock file with an index address, a package without a hash, or a package that requirements.in misses."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def normal(name: str) -> str:
    """The canonical form of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def problems(lock: str, wanted: str) -> list[str]:
    """One line for each thing that is wrong with the lock file."""
    found = [f"line {n}: an address" for n, line in enumerate(lock.splitlines(), 1) if "://" in line]
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    pinned = {normal(match.group(1)) for block in blocks if (match := re.match(r"([\w.-]+)==", block))}
    found += [f"{block.splitlines()[0]}: no hash" for block in blocks if "--hash=sha256:" not in block]
    names = [re.split(r"[\[<>=;]", line)[0].strip() for line in wanted.splitlines() if line.strip()]
    found += [f"{name} is in requirements.in and not in the lock file" for name in names if normal(name) not in pinned]
    return found


def main() -> int:
    """Prints the problems; 1 when there are any."""
    found = problems((ROOT / "requirements.lock").read_text(), (ROOT / "requirements.in").read_text())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
