"""What a person entered: read from a form, held to its shape, and told by its label when it is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from google.protobuf.message import DecodeError
from kernel.errors import Unreadable
from rcm.billing.v1 import billing_pb2
from starlette.datastructures import FormData

_KEY = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,2})?")
_LONGEST = 200
_MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Entered:
    """A form's values, trimmed; a name that was not sent is an empty text."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, form: FormData) -> Entered:
        """Of a posted form; files are not looked at."""
        names = {name for name, value in form.multi_items() if isinstance(value, str)}
        return cls({name: [str(value).strip() for value in form.getlist(name)] for name in names})

    def text(self, name: str, most: int = _LONGEST) -> str:
        """The first value of a name. Unreadable when it is longer than it may be."""
        found = next(iter(self.values.get(name, ())), "")
        if len(found) > most:
            raise Unreadable("form-too-long", name, f"at most {most} characters")
        return found

    def all(self, name: str) -> list[str]:
        """Each value of a name that is not empty."""
        return [value for value in self.values.get(name, ())[:_MOST_ROWS] if value and len(value) <= _LONGEST]

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """One of what is offered."""
        found = self.text(name)
        if found not in allowed:
            raise Unreadable("form-choice", name, "choose one of what is offered")
        return found

    def cents(self, name: str) -> int:
        """Dollars as integer cents; 0 when nothing was entered."""
        found = self.text(name).removeprefix("$").replace(",", "")
        if not found:
            return 0
        if not _AMOUNT.fullmatch(found):
            raise Unreadable("form-amount", name, "an amount such as 125.00")
        dollars, _, cents = found.partition(".")
        return int(dollars) * 100 + int(cents.ljust(2, "0"))

    def day(self, name: str) -> str:
        """A day as YYYY-MM-DD, empty when none was entered."""
        found = self.text(name)
        try:
            return date.fromisoformat(found).isoformat() if found else ""
        except ValueError:
            raise Unreadable("form-day", name, "a day such as 2026-03-01") from None

    @property
    def key(self) -> str:
        """The form's idempotency key: the same form posted twice does its work once."""
        found = self.text("key")
        if not _KEY.fullmatch(found):
            raise Unreadable("form-key", "key", "the form is not complete: go back, reload the page and try again")
        return found


def read_diagnoses(entered: Entered) -> list[billing_pb2.Diagnosis]:
    """The diagnoses in the order of their boxes; empty boxes do not count."""
    return [
        billing_pb2.Diagnosis(sequence=number, icd10cm=code.upper())
        for number, code in enumerate(entered.all("diagnosis"), 1)
    ]


def read_lines(entered: Entered) -> list[billing_pb2.ServiceLine]:
    """The service lines; a row without a code is left out. What has no box is as it was proposed."""
    return [_line(entered, row) for row in _rows(entered) if entered.text(f"line-{row}-code")]


def _rows(entered: Entered) -> Iterator[int]:
    return (row for row in range(_MOST_ROWS) if f"line-{row}-code" in entered.values)


def _line(entered: Entered, row: int) -> billing_pb2.ServiceLine:
    line = _proposed(entered.text(f"line-{row}-proposed", 4_000))
    line.code = entered.text(f"line-{row}-code").upper()
    line.modifiers[:] = _list(entered.text(f"line-{row}-modifiers").upper())
    line.pointers[:] = _numbers(f"line-{row}-pointers", entered)
    line.units = entered.text(f"line-{row}-units")
    line.place_of_service = entered.text(f"line-{row}-place")
    day = entered.day(f"line-{row}-day")
    if not day:
        raise Unreadable("form-day", f"line-{row}-day", "each line needs its day of service")
    if line.service_from != day:
        line.service_from, line.service_to = day, day
    return line


def _proposed(text: str) -> billing_pb2.ServiceLine:
    try:
        return billing_pb2.ServiceLine.FromString(bytes.fromhex(text))
    except (ValueError, DecodeError):
        raise Unreadable("form-line", "line", "the form is not complete: reload the page and try again") from None


def proposed_text(line: billing_pb2.ServiceLine) -> str:
    """A line on its way through a form, with all that has no box."""
    return line.SerializeToString().hex()


def read_charge(entered: Entered) -> billing_pb2.ServiceLine:
    """One charge; what is left out comes from the visit."""
    return billing_pb2.ServiceLine(
        code=entered.text("code").upper(),
        modifiers=_list(entered.text("modifiers").upper()),
        units=entered.text("units"),
        service_from=entered.day("day"),
        unit_charge_cents=entered.cents("price"),
    )


def _list(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,;:]+", text) if part]


def _numbers(name: str, entered: Entered) -> list[int]:
    parts = _list(entered.text(name))
    if not all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        raise Unreadable("form-pointers", name, "numbers of diagnoses, such as 1 2")
    return [int(part) for part in parts]
