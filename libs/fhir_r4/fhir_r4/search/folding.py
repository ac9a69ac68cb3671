"""Text as R4's string search compares it: without case, without accents, with single spaces."""

from __future__ import annotations

import unicodedata

# Letters of the Latin alphabet whose stroke or ligature Unicode does not count as an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ı": "i"})


# Characters of a value that are searched by; database indexes hold no more.
MAX_TEXT = 500


def storable(text: str) -> bool:
    """Whether a value is short enough to be indexed and holds nothing that a text column refuses."""
    if len(text) > MAX_TEXT or "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)


def fold(text: str) -> str:
    """Casefolded, accents removed, punctuation kept, whitespace collapsed; folding twice changes nothing."""
    if not text.isascii():
        text = _bare(_bare(text))
    return " ".join(text.casefold().split())


def _bare(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).translate(_LETTERS)
