"""Marked patients at the doors of feeds: HL7 v2 by MLLP, by HTTP and as files, and CSV exports; good and broken."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import hl7v2
from canary_fhir import HL7, FhirDoor, wanted
from canary_people import Canary
from cli.access import Credentials
from feed_line import CODES, FeedLine
from feed_messages import LOCAL, code_map

FOLDER_FEED = "drops"


def add_folder_feed(sources: Path, drop: Path) -> None:
    """The clinic's feed once more, by files."""
    drop.mkdir(parents=True, exist_ok=True)
    lines = (sources / "clinic.yaml").read_text().replace("name: clinic", f"name: {FOLDER_FEED}").splitlines()
    here = f'transport: {{kind: directory, folder: "{drop}", pattern: "*", poll_s: 1}}'
    (sources / f"{FOLDER_FEED}.yaml").write_text(
        "\n".join(here if line.startswith("transport:") else line for line in lines) + "\n"
    )
    (sources / "clinic_codes.csv").write_text(code_map(CODES))


# Messages of other kinds: name, type, and their own segments, where {...} is a mark.
_KINDS = (
    ("order", "ORM^O01", "ORC|NW|{placer}\rOBR|1|{placer}||70551^{order name}^C4\rNTE|1||{order note hl7}"),
    ("document", "MDM^T02", "TXA|1|DS|TX|||||||||{document number}\rOBX|1|TX|{heading}||{document text hl7}"),
    ("booking", "SIU^S12", "SCH|{booking number}||||||{booking reason}^{booking text}\rNTE|1||{booking comment}"),
    ("result", "ORU^R01", "OBR|1||{filler}|80053^{result name}^C4\rOBX|1|TX|{result code}||{result text}"),
)


def broken(one: Canary) -> Iterator[tuple[str, bytes]]:
    """Messages that cannot be read, understood or believed, with marks where they break."""
    word, (check_in, charges, end) = one.word, one.messages()
    head = check_in.split(b"\r")[0].decode()
    control = head.split("|")[9]
    renamed = lambda raw, name: raw.replace(raw.split(b"|")[9], word(name).encode())  # noqa: E731
    yield "no header", f"PID|1||{word('headless')}".encode()
    yield "short header", f"MSH|{word('short header')}".encode()
    yield "unknown message", renamed(check_in, "unknown message").replace(b"ADT^A04", f"ADT^{word('trigger')}".encode())
    yield (
        "unknown charset",
        renamed(check_in, "unknown charset").replace(b"|P|2.5.1", f"|P|2.5.1||||||{word('charset')}".encode()),
    )
    yield "unreadable birth date", renamed(check_in, "bad birth").replace(
        f"|{one.visit.person.birth_date:%Y%m%d}|".encode(), f"|{word('unreadable birth date')}|".encode())  # fmt: skip
    yield "unreadable visit date", renamed(end, "bad end").replace(
        f"{one.visit.day:%Y%m%d}092500".encode(), word("unreadable end").encode())  # fmt: skip
    yield "unmapped code", renamed(charges, "unmapped").replace(b"|OV", f"|{word('unmapped code')}".encode())
    yield "unreadable amount", renamed(charges, "bad amount").replace(b".00|", word("bad amount").encode() + b"|")
    yield (
        "nobody",
        renamed(check_in, "nobody").replace(one.visit.mrn.encode(), b"").replace(word("second mrn").encode(), b""),
    )
    yield (
        "same number, other content",
        check_in.replace(control.encode(), control.encode()) + f"ZXX|{word('other content')}\r".encode(),
    )
    yield (
        "merge",
        renamed(check_in, "merge").replace(b"ADT^A04", b"ADT^A40") + f"MRG|{word('merged mrn')}^^^CLINIC^MR\r".encode(),
    )
    for name, kind, lines in _KINDS:
        filled = re.sub(r"\{([^}]+)\}", lambda found: word(found[1]), lines)
        yield name, _other(head, word(f"{name} control"), kind, check_in, filled)
    yield (
        "insurance unknown",
        renamed(end, "insurance unknown").replace(b"|PLAN|P", f"|PLAN|{word('unknown payer')}".encode()),
    )


def _other(head: str, control: str, kind: str, like: bytes, rest: str) -> bytes:
    """A message of another kind about the same person."""
    fields = head.split("|")
    fields[8], fields[9] = kind, control
    people = [line for line in like.decode().split("\r") if line[:3] in ("PID", "PV1")]
    return ("\r".join(["|".join(fields), *people, rest]) + "\r").encode()


async def send_raw(port: int, *pieces: bytes) -> bytes:
    """Bytes as they are, and what comes back within a moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    try:
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(0.7):
                while data := await reader.read(65_536):
                    found += data
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return found


@dataclass
class Feeds:
    """All doors of feeds of one stack."""

    line: FeedLine
    door: FhirDoor
    folder: Path
    sent: list[bytes]

    async def mllp(self, *raw: bytes) -> list[str]:
        self.sent += raw
        return await self.line.send(*raw)

    async def break_mllp(self, one: Canary) -> None:
        """Broken messages, and frames that are none."""
        cases = list(broken(one))
        self.sent += [raw for _, raw in cases]
        await asyncio.gather(*(send_raw(self.line.port, hl7v2.frame(raw)) for _, raw in cases))
        frames = [
            one.word("stray").encode(),
            b"\x0b" + one.word("torn").encode(),
            b"\x0b\x1c\r" + one.word("tail").encode(),
        ]
        self.sent += frames
        await asyncio.gather(*(send_raw(self.line.port, frame) for frame in frames))

    async def http(self, one: Canary, credentials: Credentials) -> None:
        """The same door by HTTP: good, broken, not this client's, of another type, without a token."""
        cases = [*((f"message {number}", raw) for number, raw in enumerate(one.messages())), *broken(one)]
        for label, raw in cases:
            await self.door.ask(wanted(f"HL7 {label}", "POST", "/hl7v2/clinic", raw, Content_Type=HL7), credentials)
        raw = one.messages()[0]
        for label, path, headers in (
            ("other feed", f"/hl7v2/{one.word('other feed')}", {"Content_Type": HL7}),
            ("other type", "/hl7v2/clinic", {"Content_Type": f"x/{one.word('other type')}"}),
            ("no token", "/hl7v2/clinic", {"Content_Type": HL7, "Authorization": f"Bearer {one.word('hl7 token')}"}),
            (
                "no token at all",
                f"/hl7v2/clinic?patient={one.word('hl7 query')}",
                {"Content_Type": HL7, "Authorization": ""},
            ),
        ):
            await self.door.ask(wanted(f"HL7 {label}", "POST", path, raw, **headers), credentials)

    async def drops(self, one: Canary) -> None:
        """Files whose names are marked: messages, batches that do not add up, garbage, an export with bad rows."""
        content = b"".join(one.messages())
        cases = [
            (self.folder, f"{one.word('file name')}.hl7", content),
            (self.folder, f"{one.word('bad file name')}.hl7", one.word("no message").encode()),
            (self.folder, f"{one.word('batch file')}.hl7", b"BHS|^~\\&|EHR\r" + content + b"BTS|9\r"),
            (self.line.drop, f"{one.word('export name')}.csv", one.export()),
            (self.line.drop, f"{one.word('short export')}.csv", one.export()[:-20]),
            (self.line.drop, f"{one.word('garbage export')}.csv", one.word("no export").encode()),
            (self.line.drop, f"{one.word('bad rows')}.csv", self._bad_rows(one)),
        ]
        for folder, name, data in cases:
            self.sent.append(name.encode() + data)
            draft = folder / f"{name}.part"
            draft.write_bytes(data)
            draft.rename(folder / name)

    def _bad_rows(self, one: Canary) -> bytes:
        born = one.visit.person.birth_date.isoformat().encode()
        rows = one.export().split(b"\r\n")
        bad = [row.replace(b"," + born, b"," + one.word("unreadable born").encode()) for row in rows[1:-2]]
        twisted = [row.replace(b".00,", one.word("unreadable amount").encode() + b",") for row in rows[1:-2]]
        return b"\r\n".join([rows[0], *bad, *twisted, *rows[-2:]])


LOCAL_SYSTEM = LOCAL
