"""A channel of one's own and HL7 v2 messages for it, segment by segment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fhir_r4
import hl7v2
from interface_engine.rules import Channel
from interface_engine.rules.loading import read_channel
from interface_engine.wire.hl7 import Mapped, bundle_of, map_message

NOW = datetime(2026, 3, 20, tzinfo=UTC)
MRN = "https://feed.example/mrn"
BASIC = f"""
name: feed
format: hl7v2
timezone: America/Chicago
identity:
  mrn: {{from: PID-3, type: MR, system: {MRN}}}
"""
CHARGED = BASIC + "finish: charges\ncharges: {code: [FT1-25, FT1-7]}\n"
PID = "PID|1||100^^^H^MR||Sample-Alder^Testa^B||19800506|F|||1 Elm St^^Austin^TX^78701||5125550100"
PV1 = "PV1|1|O|CLINIC^^^MAIN||||1999000015^Sample-Doc^Ada|||||||||||| V1" + "|" * 25 + "202603160900"


def channel(folder: Path, text: str = BASIC, **files: str) -> Channel:
    named = {}
    for name, content in {"feed.yaml": text, **{key.replace("_", "."): one for key, one in files.items()}}.items():
        (folder / name).write_text(content)
        named[name] = folder / name
    return read_channel(folder / "feed.yaml", named)


def message(kind: str, *segments: str, at: str = "20260316090000", control: str = "1") -> hl7v2.Message:
    head = f"MSH|^~\\&|APP|FAC|TL|RCM|{at}||{kind}|{control}|P|2.5.1"
    return hl7v2.read("\r".join((head, f"EVN||{at}", *segments)).encode() + b"\r")


def mapped(one: Channel, *args: Any, **more: Any) -> Mapped:
    found = map_message(one, message(*args, **more), NOW)
    assert isinstance(found, Mapped)
    errors = [issue for issue in fhir_r4.validate(bundle_of(found)) if issue.severity == "error"]
    assert errors == []
    return found


def only(found: Mapped, type_name: str) -> dict[str, Any]:
    (made,) = [one.resource for one in found.entries if one.resource["resourceType"] == type_name]
    return made


def types(found: Mapped) -> list[str]:
    return [one.resource["resourceType"] for one in found.entries]


def ft1(number: int = 1, *, code: str = "99213^^C4", **fields: Any) -> str:
    texts = {1: number, 2: f"T{number}", 4: "20260316", 6: "CG", 10: "1", 11: "100.00", 25: code}
    texts |= {int(name[1:]): value for name, value in fields.items()}
    return "|".join(["FT1", *(str(texts.get(place, "")) for place in range(1, max(texts) + 1))])
