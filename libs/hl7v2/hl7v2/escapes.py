"""Escape sequences: how a delimiter, a line break or a byte stands inside text (HL7 v2 chapter 2, "Use of escape
sequences in text fields")."""

from __future__ import annotations

import re
from functools import lru_cache

from hl7v2.delimiters import ABSENT, DEFAULT, Delimiters

NULL_TEXT = '""'  # the field that says "delete what you have"
_CONTROLS = "".join(chr(code) for code in range(32) if code != 9)


def unescape(text: str, delimiters: Delimiters = DEFAULT, charset: str = "utf-8") -> str:
    """Text as people read it.

    The sequences of delimiters and of bytes are decoded, the latter by `charset`; `.br` and `.sp` become line breaks;
    highlighting is dropped. Character set switches, locally defined and other formatting sequences stay as they are,
    and so does an escape character that begins no sequence.
    """
    if delimiters.escape not in text:
        return text
    pattern, plain = _reading(delimiters)

    def decode(match: re.Match[str]) -> str:
        body = match[1]
        if body in plain:
            return plain[body]
        if body[0] == "X":
            return _of_hex(body[1:], charset)
        return "\n" * int(body[3:] or 1) if body.startswith(".sp") else match[0]

    return pattern.sub(decode, text)


@lru_cache(maxsize=64)
def _reading(delimiters: Delimiters) -> tuple[re.Pattern[str], dict[str, str]]:
    subcomponent = "&" if delimiters.subcomponent == ABSENT else delimiters.subcomponent
    plain = {
        "F": delimiters.field, "S": delimiters.component, "T": subcomponent, "R": delimiters.repetition,
        "E": delimiters.escape, "H": "", "N": "", ".br": "\n",
    }  # fmt: skip
    if delimiters.truncation:
        plain["P"] = delimiters.truncation
    mark = re.escape(delimiters.escape)
    # sequences that are left as they are have to be recognised too, or their last mark would begin another one
    body = r"[FSTRENH]|X(?:[0-9A-Fa-f]{2})+|\.br|\.sp[0-9]{0,2}|\.(?:in|ti|sk)[+-]?[0-9]{0,4}|\.(?:ce|fi|nf)"
    kept = rf"|C[0-9A-Fa-f]{{4}}|M[0-9A-Fa-f]{{4,6}}|Z[^{mark}]*"
    truncated = "|P" if delimiters.truncation else ""
    return re.compile(f"{mark}({body}{kept}{truncated}){mark}"), plain


def _of_hex(digits: str, charset: str) -> str:
    data = bytes.fromhex(digits)
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def escape(text: str, delimiters: Delimiters = DEFAULT) -> str:
    """Text as it stands in a field: `unescape` gives it back exactly.

    Control characters go as bytes, so that no text ends a segment or a frame. A text that is just two quotes goes as
    bytes too, because it would say "delete".
    """
    if text.isalnum():
        return text
    if text == NULL_TEXT:
        return f"{delimiters.escape}X2222{delimiters.escape}"
    pattern, written = _writing(delimiters)
    return pattern.sub(lambda match: written[match[0]], text)


@lru_cache(maxsize=64)
def _writing(delimiters: Delimiters) -> tuple[re.Pattern[str], dict[str, str]]:
    mark = delimiters.escape
    bodies = {character: f"X{ord(character):02X}" for character in _CONTROLS}
    bodies |= {delimiters.field: "F", delimiters.component: "S", delimiters.repetition: "R",
               delimiters.subcomponent: "T", mark: "E"}  # fmt: skip
    if "." not in delimiters.field + delimiters.encoding:
        bodies["\n"] = ".br"
    if delimiters.truncation:
        bodies[delimiters.truncation] = "P"
    written = {character: f"{mark}{body}{mark}" for character, body in bodies.items()}
    return re.compile("[" + re.escape("".join(written)) + "]"), written
