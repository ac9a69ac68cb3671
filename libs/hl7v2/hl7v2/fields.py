"""One field: what `leaf` and `part` find in its text, and the same as an object."""

from __future__ import annotations

from hl7v2.delimiters import Delimiters
from hl7v2.escapes import NULL_TEXT, unescape
from hl7v2.path import Path


def leaf(text: str, path: Path, delimiters: Delimiters, charset: str) -> str:
    """The one decoded value at `path` in the text of its field; what is not named is the first; "" when absent or null.

    A component that a later version of the standard divided is read by its first subcomponent, as the standard wants.
    """
    _, _, _, repetition, component, subcomponent, _, _, _, literal = path
    if literal:
        return text
    try:
        if delimiters.repetition in text:
            text = text.split(delimiters.repetition)[repetition]
        elif repetition:
            return ""
        if delimiters.component in text:
            text = text.split(delimiters.component)[component]
        elif component:
            return ""
        if delimiters.subcomponent in text:
            text = text.split(delimiters.subcomponent)[subcomponent]
        elif subcomponent:
            return ""
    except IndexError:
        return ""
    if delimiters.escape in text:
        return unescape(text, delimiters, charset)
    return "" if text == NULL_TEXT else text


def _nth(parts: list[str], index: int) -> str:
    return parts[index] if index < len(parts) else ""


def steps(text: str, path: Path, delimiters: Delimiters) -> list[str]:
    """The encoded texts from the whole field down to the deepest part that `path` names."""
    found = [text]
    if path.literal:
        return found
    levels = (
        (path.repetition, delimiters.repetition),
        (path.component, delimiters.component),
        (path.subcomponent, delimiters.subcomponent),
    )
    for index, delimiter in levels[: path.depth]:
        found.append(_nth(found[-1].split(delimiter), index))
    return found


class Field:
    """A field, or one repetition of it. `raw` is its text with escapes and delimiters."""

    __slots__ = ("charset", "delimiters", "raw")

    def __init__(self, raw: str, delimiters: Delimiters, charset: str) -> None:
        self.raw = raw
        self.delimiters = delimiters
        self.charset = charset

    @property
    def is_absent(self) -> bool:
        """Nothing was sent: no change."""
        return not self.raw

    @property
    def is_null(self) -> bool:
        """Two quotes were sent: delete."""
        return self.raw == NULL_TEXT

    @property
    def repetitions(self) -> list[Field]:
        """Each repetition as a field of its own; none when the field is absent."""
        if not self.raw:
            return []
        return [Field(part, self.delimiters, self.charset) for part in self.raw.split(self.delimiters.repetition)]

    @property
    def components(self) -> list[str]:
        """The first repetition's components, decoded, each by its first subcomponent."""
        first = self.raw.partition(self.delimiters.repetition)[0]
        return [self._read(part, 0, 0) for part in first.split(self.delimiters.component)]

    def get(self, component: int = 1, subcomponent: int = 1) -> str:
        """One decoded value of the first repetition; "" when absent or null."""
        return self._read(self.raw, component - 1, subcomponent - 1)

    def _read(self, text: str, component: int, subcomponent: int) -> str:
        path = Path("", 0, 0, 0, component, subcomponent, 3, False, True, False)
        return leaf(text, path, self.delimiters, self.charset)

    def __str__(self) -> str:
        return self.get()

    def __repr__(self) -> str:
        return f"Field({len(self.raw)} characters)"  # never the text: it may be about a patient
