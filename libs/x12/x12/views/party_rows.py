"""The segments that name people and organisations, both ways."""

from __future__ import annotations

from datetime import date

from x12.tree import Loop, Segment
from x12.views.compose import Row, ViewError, day
from x12.views.extract import day as read_day
from x12.views.parties import Address, Contact, Diagnosis, Member, Payer, Provider, Rejection


def payer_row(entity: str, payer: Payer) -> Row:
    """NM1 of an organisation that pays."""
    return ("NM1", entity, "2", payer.name, "", "", "", "", payer.id_qualifier if payer.id else "", payer.id)


def provider_row(entity: str, npi: str, last: str, first: str = "", is_person: bool = False) -> Row:
    """NM1 of a provider known by NPI."""
    kind = "1" if is_person else "2"
    return ("NM1", entity, kind, last, first, "", "", "", "XX" if npi else "", npi)


def provider_rows(entity: str, provider: Provider | None, function: str = "", addressed: bool = False) -> list[Row]:
    """NM1 of a provider, with PRV (`function` is PRV01) and address where the guide has a place for them."""
    if provider is None:
        return []
    kind = "1" if provider.is_person else "2"
    qualifier = "XX" if provider.npi else ""
    rows: list[Row] = [
        ("NM1", entity, kind, provider.last, provider.first, provider.middle, "", provider.suffix, qualifier,
         provider.npi),
    ]  # fmt: skip
    rows += address_rows(provider.address) if addressed else []
    if provider.taxonomy and function:
        rows.append(("PRV", function, "PXC", provider.taxonomy))
    return rows


def read_provider(loop: Loop | None, entity: str = "") -> Provider | None:
    """The provider of a loop."""
    name = loop.first("NM1", *([entity] if entity else [])) if loop else None
    if loop is None or name is None:
        return None
    return Provider(
        npi=name.get(9) if name.get(8) == "XX" else "",
        last=name.get(3),
        first=name.get(4),
        middle=name.get(5),
        suffix=name.get(7),
        is_person=name.get(2) != "2",
        taxonomy=loop.value("PRV", 3),
        address=read_address(loop),
    )


def member_row(entity: str, member: Member, with_id: bool = True) -> Row:
    """NM1 of a person on a policy."""
    return (
        "NM1", entity, "1", member.last, member.first, member.middle, "", member.suffix,
        "MI" if with_id and member.member_id else "", member.member_id if with_id else "",
    )  # fmt: skip


def demographic_rows(birth: date | None, gender: str) -> list[Row]:
    """DMG, when there is something to say."""
    return [("DMG", "D8" if birth else "", day(birth), gender)] if birth or gender else []


def address_rows(address: Address | None) -> list[Row]:
    """N3 and N4."""
    if address is None:
        return []
    return [
        ("N3", address.line1, address.line2),
        ("N4", address.city, address.state, address.postal_code, address.country),
    ]


def read_address(loop: Loop) -> Address | None:
    """N3 and N4 of a loop; None without either."""
    street, city = loop.first("N3"), loop.first("N4")
    if street is None and city is None:
        return None
    return Address(
        line1=street.get(1) if street else "",
        line2=street.get(2) if street else "",
        city=city.get(1) if city else "",
        state=city.get(2) if city else "",
        postal_code=city.get(3) if city else "",
        country=city.get(4) if city else "",
    )


def read_member(loop: Loop, entity: str, relationship: str = "", group_qualifiers: tuple[str, ...] = ()) -> Member:
    """The person of a loop."""
    name = loop.first("NM1", entity)
    born = loop.first("DMG")
    return Member(
        last=name.get(3) if name else "",
        first=name.get(4) if name else "",
        middle=name.get(5) if name else "",
        suffix=name.get(7) if name else "",
        member_id=name.get(9) if name else "",
        birth_date=read_day(born.get(2), "DMG02") if born else None,
        gender=born.get(3) if born else "",
        group_number=loop.value("REF", 2, *group_qualifiers) if group_qualifiers else "",
        address=read_address(loop),
        relationship=relationship,
    )


def contact_rows(function: str, contact: Contact | None) -> list[Row]:
    """PER with up to three numbers."""
    if contact is None:
        return []
    numbers = (("TE", contact.phone), ("EM", contact.email), ("FX", contact.fax), ("EX", contact.extension))
    given = [(kind, number) for kind, number in numbers if number]
    if len(given) > 3:
        raise ViewError(f"PER*{function}", "more than three ways to reach a contact")
    return [("PER", function, contact.name, *(text for pair in given for text in pair))]


def read_contact(segment: Segment | None) -> Contact | None:
    """The contact of a PER."""
    if segment is None:
        return None
    numbers = {segment.get(at): segment.get(at + 1) for at in (7, 5, 3)}
    return Contact(
        segment.get(2), numbers.get("TE", ""), numbers.get("EM", ""), numbers.get("FX", ""), numbers.get("EX", "")
    )


def diagnosis_row(diagnoses: tuple[Diagnosis, ...]) -> list[Row]:
    """HI with up to twelve diagnoses."""
    if len(diagnoses) > 12:
        raise ViewError("HI", "more than twelve diagnoses")
    return [("HI", *((item.qualifier, item.code) for item in diagnoses))] if diagnoses else []


def read_diagnoses(segment: Segment | None, component: str) -> tuple[Diagnosis, ...]:
    """The diagnoses of an HI."""
    if segment is None:
        return ()
    pairs = (text.split(component) for text in segment.elements if text)
    return tuple(Diagnosis(pair[1], pair[0]) for pair in pairs if len(pair) > 1)


def rejection_row(rejection: Rejection) -> Row:
    """AAA."""
    return ("AAA", "Y" if rejection.valid_request else "N", "", rejection.code, rejection.follow_up)


def read_rejections(loop: Loop) -> list[Rejection]:
    """The AAA segments directly in a loop."""
    return [Rejection(loop.id, item.get(3), item.get(4), item.get(1) == "Y") for item in loop.all("AAA")]
