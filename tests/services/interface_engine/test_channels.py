"""Channel files: what is wrong in one is refused with file, line and reason, and what was in force stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from interface_engine.rules import ChannelBook, load_channels
from interface_engine.rules.loading import SYSTEMS, base_map
from interface_engine.rules.verbs import VERBS
from kernel.errors import Refused
from kernel.rules import RuleError

GOOD = "name: north\nformat: hl7v2\ntimezone: America/Chicago\n"
CSV = "name: north\nformat: csv\ncsv: {columns: [a, b]}\nidentity: {mrn: a, visit: b}\ncharges: {code: a, day: b}\n"
FACILITY = 'facilities:\n  - {name: X, npi: "1999000015"}\n'


def site(folder: Path, text: str, **files: str) -> Path:
    sources = folder / "sources"
    sources.mkdir(exist_ok=True)
    (sources / "north.yaml").write_text(text)
    for name, content in files.items():
        (sources / f"{name}.csv").write_text(content)
    return folder


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (GOOD + "verbs: 1\n", 4, "unknown key verbs"),
        ("name: North\n", 1, "a name in lower case"),
        ("name: north\nformat: xml\n", 2, "not one of"),
        ("name: north\ncharges: {code: FT1-7}\n", 2, "has no meaning in a channel of FHIR"),
        ("name: north\nformat: csv\n", 1, "csv is missing"),
        (GOOD.replace("America/Chicago", "Mars/Base"), 3, "not a time zone"),
        (GOOD + "transport: {kind: pigeon}\n", 4, "not one of"),
        (GOOD + "transport: {kind: mllp, port: many}\n", 4, "port is a int"),
        (GOOD + "transport: {kind: http, port: 1}\n", 4, "unknown key port"),
        (GOOD + "transport: {kind: mllp, charset: klingon}\n", 4, "not a character set"),
        (GOOD + "transport: {kind: mllp, max_bytes: 1}\n", 4, "a whole number from 1024"),
        (GOOD + "map:\n  patient:\n    birthDay: {date: PID-7}\n", 6, "unknown FHIR element Patient.birthDay"),
        (GOOD + "map:\n  patient:\n    birthDate: {guess: PID-7}\n", 6, "unknown verb guess"),
        (GOOD + "map:\n  patient:\n    birthDate: {date: PID7}\n", 6, "unknown path PID7"),
        (GOOD + "map:\n  patient:\n    birthDate: {date: PID-0}\n", 6, "numbers begin with 1"),
        (GOOD + "map:\n  patient:\n    birthDate: {name: PID-5}\n", 6, "name does not give a date"),
        (GOOD + "map:\n  patient:\n    birthDate: [{date: PID-7}, {date: PID-8}]\n", 6, "holds one value"),
        (GOOD + "map:\n  patient:\n    gender: {constant: banana}\n", 6, "no code"),
        (GOOD + "map:\n  patient:\n    gender: {lookup: PID-8, table: sexes}\n", 6, "unknown table sexes"),
        (GOOD + "map:\n  patient:\n    gender: {lookup: PID-8}\n", 6, "lookup needs table"),
        (GOOD + "map:\n  patient:\n    gender: {copy: PID-8, upper: PID-8}\n", 6, "one verb is needed"),
        (GOOD + "map:\n  patient:\n    contact.name: {name: PID-5}\n", 6, "use the verb group"),
        (GOOD + "map:\n  patient:\n    language: null\n", 6, "has no Patient.language to leave out"),
        (GOOD + "map:\n  horse:\n    name: {name: PID-5}\n", 5, "unknown key horse"),
        (GOOD + "map:\n  visit:\n    subject: {reference: horse}\n", 6, "not one of"),
        (GOOD + "map:\n  visit:\n    subject: {reference: practitioner}\n", 6, "needs from"),
        (GOOD + "charges:\n  code: FT1-7\n  colour: FT1-8\n", 6, "unknown key colour"),
        (GOOD + "charges:\n  code: {split: FT1-7}\n", 5, "split needs by"),
        (GOOD + "messages: {ADT^A99: {like: ADT^A98}}\n", 4, "no message ADT^A98"),
        (GOOD + "messages: {hello: ignore}\n", 4, "unknown message"),
        (GOOD + "messages: {ADT^A04: {make: [tea]}}\n", 4, "unknown maker tea"),
        (GOOD + "facilities:\n  - {name: X, npi: '1234567890'}\n", 5, "not an NPI"),
        (GOOD + FACILITY.replace("}", ", place_of_service: 1}"), 5, "two digits"),
        (GOOD + "identity: {authorities: [{system: https://x}]}\n", 4, "authority or type"),
        (GOOD + "filters: [{name: x}]\n", 4, "when is missing"),
        (GOOD + "filters: [{name: x, when: {place: PID-5}}]\n", 4, "a condition has one of"),
        (GOOD + "providers: none.csv\n", 4, "a roster that is not there"),
        (GOOD + "unmapped: {ChargeItem: {default: {system: http://loinc.org, code: x}}}\n", 4, "the default is a code"),
        (GOOD + "name: twice\n", 4, "the key name twice"),
        (GOOD + "finish: never\n", 4, "not one of"),
        (CSV + "map:\n  patient:\n    birthDate: {date: c}\n", 8, "unknown column c"),
        (CSV.replace("[a, b]", "[a, a]"), 3, "the same column twice"),
        (CSV.replace("[a, b]}", "[a, b], required: [c]}"), 3, "unknown column c"),
        (CSV.replace("[a, b]}", "[a, b], delimiter: ab}"), 3, "one character"),
        (CSV.replace("charges: {code: a, day: b}", "charges: {code: a}"), 5, "day is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    with pytest.raises(RuleError) as caught:
        load_channels(site=site(tmp_path, text))
    assert (caught.value.file, caught.value.line) == ("north.yaml", line)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("provider,npi\n1,2\n", 1),
        ("provider,npi,family,given,taxonomy,effective_from,effective_to,owner\n1,123,X,Y,,,,me\n", 2),
        ("provider,npi,family,given,taxonomy,effective_from,effective_to,owner\n1,1999000015,X,Y,,,,\n", 2),
        ("provider,npi,family,given,taxonomy,effective_from,effective_to,owner\n1,1999000015,X,Y,,soon,,me\n", 2),
        ('provider,npi,family,given,taxonomy,effective_from,effective_to,owner\n1,"1999000015"x,X,Y,,,,me\n', 2),
    ],
)
def test_a_wrong_roster_is_refused_with_its_line(tmp_path: Path, rows: str, line: int) -> None:
    with pytest.raises(RuleError) as caught:
        load_channels(site=site(tmp_path, GOOD + "providers: people.csv\n", people=rows))
    assert (caught.value.file, caught.value.line) == ("people.csv", line)


def test_the_set_of_verbs_is_closed_and_small() -> None:
    assert 30 <= len(VERBS) <= 40
    assert set(base_map("hl7v2").messages) >= {
        "ADT^A01", "ADT^A40", "SIU^S26", "OML^O21", "ORU^R01", "DFT^P11", "BAR^P12", "MDM^T02", "RDE^O11",
    }  # fmt: skip


def test_a_site_overrides_one_element_and_keeps_the_others(tmp_path: Path) -> None:
    text = GOOD + "map:\n  patient:\n    birthDate: {date: ZPD-3}\n    maritalStatus: null\n"
    rules = load_channels(site=site(tmp_path, text))["north"].templates["patient"].rules
    shipped = base_map("hl7v2").templates["patient"].rules
    assert rules["birthDate"].values[0].argument.text == "ZPD-3" and "maritalStatus" not in rules
    assert rules["name"] is shipped["name"] and "maritalStatus" in shipped


def test_a_bad_change_is_refused_and_the_channels_stay(tmp_path: Path) -> None:
    refused: list[RuleError] = []
    changed: list[tuple[str, ...]] = []
    book = ChannelBook(site(tmp_path, GOOD), refused.append)
    book.subscribe(changed.append)
    before = book.channel("north")
    assert book.refresh() == ()
    rewrite(site(tmp_path, GOOD + "verbs: 1\n"))
    assert book.refresh() == () and book.channel("north") is before
    assert [(one.file, one.line) for one in refused] == [("north.yaml", 4)]
    assert book.refresh() == () and len(refused) == 1
    rewrite(site(tmp_path, GOOD + "finish: charges\n"))
    assert book.refresh() == ("north",) and book.channel("north").finish == "charges"
    assert book.sources["north"] is book.channel("north").source
    (tmp_path / "sources" / "north.yaml").unlink()
    assert book.refresh() == ("north",) and changed == [("north",), ("north",)]
    with pytest.raises(Refused):
        book.channel("north")
    assert sorted(book.sources) == ["default", "synthea"]


def test_a_changed_code_map_changes_its_channel(tmp_path: Path) -> None:
    head = "payer,payer_id,name,effective_from,effective_to,owner\n"
    book = ChannelBook(site(tmp_path, GOOD + "payers: list.csv\n", list=head))
    sha256 = book.channel("north").sha256
    rewrite(site(tmp_path, GOOD + "payers: list.csv\n", list=head + "1,SYNPA,,,,me\n"))
    assert book.refresh() == ("north",)
    assert book.channel("north").sha256 != sha256 and book.channel("north").files == ("north.yaml", "list.csv")


def rewrite(folder: Path) -> None:
    """Gives the files another time: two writes may fall into one tick of the file system's clock."""
    for number, file in enumerate(sorted((folder / "sources").iterdir())):
        found = file.stat()
        os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000 * (number + 1)))


def test_feeds_are_found_by_how_they_come_in() -> None:
    for folder in SYSTEMS.iterdir():
        for one in load_channels(folder).values():
            assert one.transport.kind in ("mllp", "directory", "sftp")
            assert one.transport.options and one.zone.utcoffset is not None


def test_a_fhir_feed_has_a_book_too() -> None:
    book = ChannelBook()
    assert book.routes("http") and not book.routes("mllp")
    assert {name: source.name for name, source in book.sources.items()} == {"default": "default", "synthea": "synthea"}
