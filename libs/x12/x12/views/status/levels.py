"""What a claim status request and its response share: the levels of payer, receiver, provider and patient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from x12.tree import Loop
from x12.views.compose import Row, Value
from x12.views.extract import split
from x12.views.parties import Member, Payer
from x12.views.party_rows import demographic_rows, member_row, payer_row, provider_row, read_member
from x12.views.status.model import StatusInfo, StatusInquiry

EMPTY = Loop("", ())


class Parties(NamedTuple):
    """The fields that question and reply have in common, and the loops of one patient's claims."""

    fields: dict[str, object]
    subscriber: Member
    dependent: Member | None
    claims: list[Loop]


def level_rows(asked: StatusInquiry | StatusInfo, with_demographics: bool) -> list[Row]:
    """HL 20 to 22, and 23 for a dependent; only a question carries DMG."""
    dependent = asked.dependent
    own = demographic_rows(asked.subscriber.birth_date, asked.subscriber.gender) if with_demographics else []
    rows: list[Row] = [
        ("HL", "1", "", "20", "1"),
        payer_row("PR", Payer(asked.payer_id, asked.payer_name, asked.payer_id_qualifier)),
        ("HL", "2", "1", "21", "1"),
        ("NM1", "41", "2", asked.receiver_name, "", "", "", "", "46", asked.receiver_id),
        ("HL", "3", "2", "19", "1"),
        provider_row("1P", asked.provider_npi, asked.provider_name, asked.provider_first, asked.provider_is_person),
        ("HL", "4", "3", "22", "1" if dependent else "0"),
        *own,
        member_row("IL", asked.subscriber),
    ]
    if dependent is not None:
        theirs = demographic_rows(dependent.birth_date, dependent.gender) if with_demographics else []
        rows += [("HL", "5", "4", "23"), *theirs, member_row("QC", dependent, with_id=False)]
    return rows


def people(root: Loop) -> Iterator[Parties]:
    """Every subscriber or dependent with claims."""
    reference = root.value("BHT", 3)
    for source in root.loops("2000A"):
        payer = source.loop("2100A") or EMPTY
        for receiver in source.loops("2000B"):
            asker = receiver.loop("2100B") or EMPTY
            for level in receiver.loops("2000C"):
                fields = {"reference": reference, **_fields(payer, asker, level.loop("2100C") or EMPTY)}
                for holder in level.loops("2000D"):
                    subscriber = _person(holder, "2100D", "IL")
                    yield Parties(fields, subscriber, None, holder.loops("2200D"))
                    for other in holder.loops("2000E"):
                        yield Parties(fields, subscriber, _person(other, "2100E", "QC"), other.loops("2200E"))


def _fields(payer: Loop, asker: Loop, provider: Loop) -> dict[str, object]:
    return {
        "payer_id": payer.value("NM1", 9),
        "payer_name": payer.value("NM1", 3),
        "payer_id_qualifier": payer.value("NM1", 8) or "PI",
        "receiver_id": asker.value("NM1", 9),
        "receiver_name": asker.value("NM1", 3),
        "provider_npi": provider.value("NM1", 9),
        "provider_name": provider.value("NM1", 3),
        "provider_first": provider.value("NM1", 4),
        "provider_is_person": provider.value("NM1", 2) == "1",
    }


def _person(level: Loop, loop: str, entity: str) -> Member:
    """The name stands in an inner loop, the demographics in the level itself."""
    name = level.loop(loop) or EMPTY
    return read_member(Loop(loop, (*name.items, *level.all("DMG"))), entity)


def service_value(qualifier: str, code: str, modifiers: tuple[str, ...]) -> Value:
    """SVC01."""
    return (qualifier, code, *modifiers[:4])


def read_service(text: str, mark: str) -> tuple[str, str, tuple[str, ...]]:
    """Qualifier, code and modifiers of SVC01."""
    qualifier, code, *modifiers = split(text, mark, 2)
    return qualifier, code, tuple(modifier for modifier in modifiers[:4] if modifier)
