"""Marks: values that stand for patient data and can occur nowhere by chance, and the search for any trace of one.

A mark is found as itself, in any case, percent-encoded, in hex, in base64 at any offset, and as an unsalted hash of
itself or of its lower or upper form, whole or cut down to 16 hex digits.
"""

from __future__ import annotations

import base64
import hashlib
import random
import re
import secrets
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import quote

LETTERS = "bcdfghjklmnpqrstvwxz"  # no vowels: no word of any language, no template, no identifier of ours
GRAM = 8  # the shortest form that is looked for
HASHES = (hashlib.md5, hashlib.sha1, hashlib.sha256)
HASH_DIGITS = 16
SPACES = (uuid.NAMESPACE_DNS, uuid.NAMESPACE_URL, uuid.NAMESPACE_OID, uuid.NAMESPACE_X500)
TOKEN = re.compile(rb"[^\x00-\x20\"'(),<>\[\]{}|^~*\\;`]+")
ALNUM = re.compile(rb"[0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A field's name and the ways in which its value may be written. `bounded` forms count as whole words only."""

    name: str
    texts: tuple[str, ...]
    bounded: bool = False

    @property
    def value(self) -> str:
        return self.texts[0]


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which a mark could show. Of what is not case-sensitive the bytes are lower case."""

    mark: str
    kind: str
    sought: bytes
    exact: bool = False
    bounded: bool = False


@dataclass
class Marks:
    """The marks of one run, made as they are asked for. The same name is the same mark."""

    seed: int = field(default_factory=lambda: secrets.randbits(64))
    by_name: dict[str, Mark] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @property
    def people_seed(self) -> int:
        """What the generator of people is given, so that no two runs have the same."""
        return self.seed % 90_000_000 + 10_000_000

    def forget(self, name: str) -> None:
        """What was made and never sent is not sought."""
        self.by_name.pop(name, None)

    def word(self, name: str) -> str:
        """Twelve letters, the first a capital: a name, a line of text, a number of somebody's."""
        return self._of(name, lambda: ("".join(self._random.choices(LETTERS, k=12)).capitalize(),))

    def number(self, name: str, digits: int) -> str:
        """Digits alone, where a field takes nothing else."""
        first = str(self._random.randint(2, 9))
        made = lambda: (first + "".join(self._random.choices("0123456789", k=digits - 1)),)  # noqa: E731
        return self._of(name, made, bounded=True)

    def day(self, name: str, earliest: date = date(1901, 1, 1), days: int = 9_000) -> date:
        """A day that no clock says."""
        if name not in self.by_name:
            self.known_day(name, earliest + timedelta(days=self._random.randrange(days)))
        return date.fromisoformat(self.by_name[name].value)

    def known_day(self, name: str, day: date) -> None:
        """A day that is given; found in the usual ways of writing it."""
        texts = (day.isoformat(), f"{day:%Y%m%d}", f"{day:%m/%d/%Y}", f"{day:%m%d%Y}")
        self.by_name[name] = Mark(name, texts, bounded=True)

    def known(self, name: str, value: str, *, bounded: bool = False) -> str:
        """A value that somebody else made, which is as rare as ours and one word."""
        assert TOKEN.fullmatch(value.encode()), name
        return self._of(name, lambda: (value,), bounded=bounded)

    def _of(self, name: str, make: object, *, bounded: bool = False) -> str:
        if name not in self.by_name:
            assert callable(make)
            self.by_name[name] = Mark(name, make(), bounded)
        return self.by_name[name].value

    def __iter__(self) -> Iterator[Mark]:
        return iter(list(self.by_name.values()))


def forms_of(mark: Mark) -> Iterator[Form]:
    """Everything that would give the mark away."""
    for text in dict.fromkeys(mark.texts):
        plain = text.lower().encode()
        yield Form(mark.name, "itself", plain, bounded=mark.bounded)
        if (quoted := quote(text, safe="").lower().encode()) != plain:
            yield Form(mark.name, "percent-encoded", quoted)
        yield Form(mark.name, "percent-encoded", "".join(f"%{byte:02x}" for byte in text.encode()).encode())
        for cased in dict.fromkeys((text, text.lower(), text.upper())):
            yield Form(mark.name, "hex", cased.encode().hex().encode())
            yield from _base64(mark.name, cased.encode())
            yield from _hashes(mark.name, cased.encode())


def _base64(name: str, value: bytes) -> Iterator[Form]:
    """At each of the three offsets at which it may stand in a longer text, without the edges that neighbours change."""
    for offset, lead in enumerate((0, 2, 3)):
        whole = base64.b64encode(bytes(offset) + value)
        cut = whole[lead : len(whole) - 4 if (offset + len(value)) % 3 else len(whole)]
        if len(cut) >= GRAM:
            yield Form(name, "base64", cut, exact=True)
            yield Form(name, "base64", cut.replace(b"+", b"-").replace(b"/", b"_"), exact=True)


def _hashes(name: str, value: bytes) -> Iterator[Form]:
    for make in HASHES:
        digest = make(value)
        kind, said = digest.name, digest.hexdigest()[:HASH_DIGITS]
        yield Form(name, kind, said.encode())
        yield Form(name, f"{kind} as a uuid", f"{said[:8]}-{said[8:12]}-".encode())
        coded = base64.b64encode(digest.digest())[:10]
        yield Form(name, f"{kind} in base64", coded, exact=True)
        yield Form(name, f"{kind} in base64", coded.replace(b"+", b"-").replace(b"/", b"_"), exact=True)
    for space in SPACES:
        yield Form(name, "uuid5", str(uuid.uuid5(space, value.decode()))[:18].encode())


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can be observed: what kind of thing it is, which one, and what stands in it."""

    kind: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a mark shows, told without saying it: the word it stands in, and how far into it."""

    place: Place
    form: Form
    word: bytes
    into: int

    def __str__(self) -> str:
        """The line and a little of what stands before; the mark itself is left out."""
        content, start = self.place.content, self.place.content.find(self.word)
        line, at = content.count(b"\n", 0, start) + 1, start + self.into
        before = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in content[max(0, at - 60) : at])
        return (
            f"{self.place.kind} {self.place.name}: {self.form.mark} ({self.form.kind}) at line {line}: ...{before}[#]"
        )


class Finder:
    """Looks for all forms of all marks at once. A text is cut into words first; one that repeats is read once."""

    def __init__(self, marks: Iterable[Mark]) -> None:
        self._grams: dict[bytes, list[Form]] = {}
        for form in dict.fromkeys(form for mark in marks for form in forms_of(mark)):
            assert len(form.sought) >= GRAM, (form.mark, form.kind)
            self._grams.setdefault(form.sought[:GRAM].lower(), []).append(form)

    def hits(self, places: Iterable[Place]) -> list[Hit]:
        """Each mark at most once for each place and form."""
        return [hit for place in places for hit in self._in_place(place)]

    def _in_place(self, place: Place) -> list[Hit]:
        words = b" ".join(dict.fromkeys(TOKEN.findall(place.content)))
        low, grams = words.lower(), self._grams
        starts = [at for at in range(len(low) - GRAM + 1) if low[at : at + GRAM] in grams]
        found: dict[tuple[str, str], Hit] = {}
        for at in starts:
            for form in grams[low[at : at + GRAM]]:
                if (form.mark, form.kind) not in found and _stands(form, words, low, at):
                    found[form.mark, form.kind] = _hit(place, form, words, at)
        return list(found.values())


def _hit(place: Place, form: Form, words: bytes, at: int) -> Hit:
    start, end = words.rfind(b" ", 0, at) + 1, words.find(b" ", at)
    return Hit(place, form, words[start : end if end > 0 else len(words)], at - start)


def _stands(form: Form, words: bytes, low: bytes, at: int) -> bool:
    end = at + len(form.sought)
    if (words if form.exact else low)[at:end] != form.sought:
        return False
    edges = words[max(0, at - 1) : at] + words[end : end + 1]
    return not (form.bounded and ALNUM.search(edges))
