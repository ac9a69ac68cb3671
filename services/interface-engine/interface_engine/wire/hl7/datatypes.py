"""HL7 v2 data types in FHIR R4: CX, XPN, XAD, XTN, CWE, XCN and the moments and numbers, one repetition at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from hl7v2 import parse_timestamp
from kernel.codes import IDENTIFIER_TYPE, canonical_system
from kernel.errors import Unreadable

from interface_engine.rules.channel import Channel
from interface_engine.wire.hl7.scope import Part

Element = dict[str, Any]
Table = Mapping[str, str]
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")
_AMOUNT = re.compile(r"(?P<minus>-?)\$?(?P<whole>\d{0,13})(?:\.(?P<decimals>\d{1,4}))?(?P<after>-?)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DATE_FORMS = ("%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%d-%b-%Y", "%Y/%m/%d")
_STAMPED = re.compile(r"\d{1,2}/\d{1,2}/\d{4} ")


def kept(**elements: Any) -> Element:
    """The elements that have a value."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {})}


def system_of_hd(namespace: str, universal: str, kind: str, base: str) -> str:
    """The identifier system of an assigning authority: its OID or address, else its name under the feed's own base."""
    if _OID.fullmatch(universal):
        return canonical_system(f"urn:oid:{universal}")
    if universal and kind.upper() in ("URI", "URL", "HTTP") and ":" in universal:
        return universal
    if kind.upper() in ("UUID", "GUID") and universal:
        return f"urn:uuid:{universal.lower()}"
    if _OID.fullmatch(namespace):
        return canonical_system(f"urn:oid:{namespace}")
    name = _slug(namespace or universal)
    return f"{base}/{name}" if name else ""


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._~-]+", "-", text).strip("-")


def identifier_system(channel: Channel, authority: str, universal: str, kind: str, type_code: str) -> str:
    """By the channel's rows (authority and type, then one of them), else by the authority itself."""
    names = {authority, universal} - {""}
    rows = channel.identity.authorities
    for row in rows:
        if row.authority in names and row.type == type_code:
            return row.system
    for row in rows:
        if (row.authority in names and not row.type) or (not row.authority and row.type and row.type == type_code):
            return row.system
    return system_of_hd(authority, universal, kind, channel.identity.base)


def identifier(part: Part, channel: Channel, system: str = "", type_code: str = "") -> Element | None:
    """CX or EI-like: value, system, type."""
    value = part.get(1)
    if not value:
        return None
    code = part.get(5) or type_code
    found = identifier_system(channel, part.get(4, 1), part.get(4, 2), part.get(4, 3), code)
    made = {"coding": [{"system": IDENTIFIER_TYPE, "code": code}]} if code and _CODE.fullmatch(code) else None
    return kept(type=made, system=found or system or f"{channel.identity.base}/id", value=value)


def name(part: Part, channel: Channel, use: str = "") -> Element | None:
    """XPN; a given name that holds several stays one text."""
    family, given = part.get(1, 1), [part.get(2), part.get(3)]
    if not family and not any(given):
        return None
    said = channel.tables["name_use"].get(part.get(7), "")
    return kept(
        use=said or use,
        family=family,
        given=[one for one in given if one],
        prefix=[one for one in (part.get(5),) if one],
        suffix=[one for one in (part.get(4), part.get(6)) if one],
    )


def name_of_parts(parts: Mapping[str, str], use: str = "") -> Element | None:
    """A name that stands in columns of its own; `text` is "Family, Given Middle" where that is all there is."""
    family, given, middle = (parts.get(key, "") for key in ("family", "given", "middle"))
    if not family and (text := parts.get("text", "")):
        family, _, rest = (piece.strip() for piece in text.partition(","))
        given, _, middle = rest.partition(" ")
    if not family and not given:
        return None
    return kept(
        use=use,
        family=family,
        given=[one for one in (given, middle.strip()) if one],
        prefix=[one for one in (parts.get("prefix", ""),) if one],
        suffix=[one for one in (parts.get("suffix", ""),) if one],
    )


def address(part: Part, channel: Channel, use: str = "") -> Element | None:
    """XAD."""
    said = part.get(7)
    lines = [line for line in (part.get(1, 1), part.get(2)) if line]
    made = kept(
        use=_address_use(channel, said) or use,
        type=channel.tables["address_type"].get(said, ""),
        line=lines,
        city=part.get(3),
        district=part.get(9),
        state=part.get(4),
        postalCode=part.get(5),
        country=part.get(6),
    )
    return made if made.keys() - {"use", "type", "country"} else None


def _address_use(channel: Channel, code: str) -> str:
    return channel.tables["address_use"].get(code, "")


def address_of_parts(parts: Mapping[str, str], use: str = "") -> Element | None:
    made = kept(
        use=use,
        line=[parts[key] for key in ("line", "line2") if parts.get(key)],
        city=parts.get("city"),
        state=parts.get("state"),
        postalCode=parts.get("postal_code"),
        country=parts.get("country"),
    )
    return made if made.keys() - {"use", "country"} else None


def telecom(part: Part, channel: Channel, use: str = "", system: str = "") -> Element | None:
    """XTN: XTN-1 as older versions write numbers, else the pieces, else an address in XTN-4."""
    equipment = channel.tables["telecom_system"].get(part.get(3), "")
    said = channel.tables["telecom_use"].get(part.get(2), "")
    digits = "".join(piece for piece in (part.get(6), part.get(7)) if piece)
    value = part.get(12) or part.get(1) or digits
    email = part.get(4) if _EMAIL.fullmatch(part.get(4)) else (value if _EMAIL.fullmatch(value) else "")
    if email and (equipment == "email" or not value or value == email):
        return kept(system="email", value=email, use=said or use)
    if not value:
        return None
    return kept(system=system or equipment or "phone", value=value, use=said or use)


def coding_system(channel: Channel, text: str) -> str:
    """The address of a coding system by its name in the message (table 0396, the channel's own rows, an OID)."""
    if not text:
        return ""
    systems = channel.tables["systems"]
    found = systems.get(text) or systems.get(text.upper())
    if found:
        return found
    if text.startswith("HL7") and text[3:].isdigit():
        return f"http://terminology.hl7.org/CodeSystem/v2-{text[3:].zfill(4)}"
    if _OID.fullmatch(text):
        return canonical_system(f"urn:oid:{text}")
    if text.startswith(("http://", "https://", "urn:")):
        return canonical_system(text)
    return f"{channel.identity.base}/codes/{_slug(text)}"


def codeable(part: Part, channel: Channel, system: str = "", table: Table | None = None) -> Element | None:
    """CWE, CE or CNE with its alternate; the text is the original one, or that of what has no code."""
    codings = [
        made
        for code, display, name in ((1, 2, 3), (4, 5, 6))
        if (
            made := _coding(
                channel, part.get(code), part.get(display), part.get(name), system if code == 1 else "", table
            )
        )
    ]
    text = part.get(9) or ("" if codings else part.get(2))
    return kept(coding=codings, text=text) or None


def _coding(channel: Channel, code: str, display: str, name: str, system: str, table: Table | None) -> Element | None:
    code = (table.get(code, "") if table is not None else code).strip()
    if not code or not _CODE.fullmatch(code):
        return None
    return kept(system=coding_system(channel, name) or system, code=code, display=display)


def coding(part: Part, channel: Channel, system: str = "", table: Table | None = None) -> Element | None:
    return _coding(channel, part.get(1), part.get(2), part.get(3), system, table)


def concept_of_parts(parts: Mapping[str, str], system: str = "", table: Table | None = None) -> Element | None:
    made = coding_of_parts(parts, system, table)
    return kept(coding=[made] if made else [], text=parts.get("text", "")) or None


def coding_of_parts(parts: Mapping[str, str], system: str = "", table: Table | None = None) -> Element | None:
    code = parts.get("code", "")
    code = table.get(code, "") if table is not None else code
    return kept(system=system, code=code) if code and _CODE.fullmatch(code) else None


def moment(text: str, zone: tzinfo) -> date | datetime:
    """A moment of HL7 v2, or a day as exports write it. Unreadable hl7.timestamp for anything else."""
    if "/" in text or (len(text) > 4 and text[1:3].find("-") >= 0):
        return _written(text, zone)
    return parse_timestamp(text, zone).value


def _written(text: str, zone: tzinfo) -> date | datetime:
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone).date()
        except ValueError:
            continue
    if _STAMPED.match(text):
        for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p"):
            try:
                return datetime.strptime(text, form).replace(tzinfo=zone)
            except ValueError:
                continue
    return parse_timestamp(text, zone).value


def fhir_date(text: str, zone: tzinfo) -> str:
    """A FHIR date as precise as it was told."""
    return _shortened(text, zone, with_time=False)


def fhir_datetime(text: str, zone: tzinfo) -> str:
    """A FHIR dateTime as precise as it was told."""
    return _shortened(text, zone, with_time=True)


def _shortened(text: str, zone: tzinfo, with_time: bool) -> str:
    value = moment(text, zone)
    if isinstance(value, datetime):
        if not with_time:
            return value.date().isoformat()
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    digits = text.strip().split("^")[0]
    if digits.isdigit() and len(digits) in (4, 6):
        return value.isoformat()[: 4 if len(digits) == 4 else 7]
    return value.isoformat()


def cents(text: str, implied: bool = False) -> int:
    """Cents of "1,234.50", "$12", "(12.00)" or "12.00-"; never rounds. Unreadable amount-unreadable."""
    plain = text.replace(",", "").replace(" ", "")
    negative = plain.startswith("(") and plain.endswith(")")
    match = _AMOUNT.fullmatch(plain[1:-1] if negative else plain.replace("$-", "-$"))
    if match is None or not (match["whole"] or match["decimals"]):
        raise Unreadable("amount-unreadable", "", "not an amount")
    decimals = (match["decimals"] or "").ljust(2, "0")
    if decimals[2:].strip("0"):
        raise Unreadable("amount-unreadable", "", "an amount with parts of a cent")
    whole = int(match["whole"] or 0)
    value = whole if implied and not match["decimals"] else whole * 100 + int(decimals[:2])
    return -value if negative or match["minus"] or match["after"] else value


def number(text: str) -> Decimal:
    """A decimal. Unreadable number-unreadable."""
    try:
        value = Decimal(text.replace(",", "").lstrip("+"))
    except InvalidOperation as error:
        raise Unreadable("number-unreadable", "", "not a number") from error
    if not value.is_finite() or "e" in text.lower():
        raise Unreadable("number-unreadable", "", "not a plain number")
    return value
