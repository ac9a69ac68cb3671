"""The delimiters of a message, which its own MSH-1 and MSH-2 state (HL7 v2 chapter 2, "Message delimiters")."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from kernel.errors import Unreadable

ABSENT = "\uffff"  # a delimiter that the message does not have: no character, so no text is ever split on it
HEADERS = frozenset({"MSH", "FHS", "BHS"})  # the segments whose first two fields are the delimiters


@dataclass(frozen=True, slots=True)
class Delimiters:
    """One character each; `truncation` (version 2.7) is "" when it is not declared."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding(self) -> str:
        """The text of MSH-2."""
        text = self.component + self.repetition + self.escape + self.subcomponent + self.truncation
        return text.replace(ABSENT, "")


DEFAULT = Delimiters()


def delimiters_of(header: str) -> Delimiters:
    """The delimiters that an MSH, FHS or BHS line states.

    Tolerated: a fifth character, fewer than four (the usual ones stand in), and the escape character doubled by a
    program that quoted it. Errors: `hl7.short` without MSH-2, `hl7.delimiters` when they cannot be told apart.
    """
    separator = header[3:4]
    if not separator:
        raise Unreadable("hl7.short", "MSH-1", "the header ends before its field separator", len(header))
    return told_apart(separator, header[4:].partition(separator)[0])


@lru_cache(maxsize=256)
def told_apart(separator: str, stated: str) -> Delimiters:
    """The same from MSH-1, one character, and MSH-2."""
    if separator.isalnum() or separator.isspace():
        raise Unreadable("hl7.delimiters", "MSH-1", "the field separator is a letter, a digit or a blank", 3)
    if not stated:
        raise Unreadable("hl7.short", "MSH-2", "the header states no encoding characters", 4)
    if len(stated) > 4 and stated[2] == stated[3]:
        stated = stated[:3] + stated[4:]
    chosen = [separator, *stated[:4]]
    for usual in DEFAULT.encoding[len(chosen) - 1 :]:
        chosen.append(ABSENT if usual in chosen else usual)
    if any(character.isalnum() or character.isspace() for character in chosen):
        raise Unreadable("hl7.delimiters", "MSH-2", "an encoding character is a letter, a digit or a blank", 4)
    named = [character for character in chosen if character != ABSENT]
    if len(set(named)) < len(named):
        raise Unreadable("hl7.delimiters", "MSH-2", "two delimiters are the same character", 4)
    truncation = stated[4:5]
    usable = truncation and truncation not in chosen and not truncation.isalnum() and not truncation.isspace()
    field, component, repetition, escape, subcomponent = chosen
    return Delimiters(field, component, repetition, escape, subcomponent, truncation if usable else "")
