"""Small damages to a text, each leaving the segment count right so that only the damage is found."""

from __future__ import annotations

from collections.abc import Callable

Change = Callable[[str], str]


def swap(old: str, new: str) -> Change:
    """The first `old` becomes `new`."""

    def change(text: str) -> str:
        assert old in text, old
        return recounted(text.replace(old, new, 1))

    return change


def without(start: str, number: int = 0) -> Change:
    """The segment (counted from 0) that starts so is dropped."""

    def change(text: str) -> str:
        lines = text.split("~")
        del lines[[at for at, line in enumerate(lines) if line.startswith(start)][number]]
        return recounted("~".join(lines))

    return change


def after(start: str, *segments: str) -> Change:
    """Segments are put behind the first that starts so."""

    def change(text: str) -> str:
        lines = text.split("~")
        at = next(number for number, line in enumerate(lines) if line.startswith(start))
        return recounted("~".join([*lines[: at + 1], *segments, *lines[at + 1 :]]))

    return change


def both(*changes: Change) -> Change:
    """One change after the other."""

    def change(text: str) -> str:
        for item in changes:
            text = item(text)
        return text

    return change


def recounted(text: str) -> str:
    """SE01 made right again, in a text with one set."""
    lines = text.split("~")
    start = next(number for number, line in enumerate(lines) if line.startswith("ST*"))
    end = next(number for number, line in enumerate(lines) if line.startswith("SE*"))
    control = lines[end].split("*")[2]
    lines[end] = f"SE*{end - start + 1}*{control}"
    return "~".join(lines)
