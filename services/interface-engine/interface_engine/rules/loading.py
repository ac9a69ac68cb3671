"""Reads the channels from a folder of YAML files and the CSV files they name, or refuses with file, line, reason."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from kernel import codes
from kernel.period import Period

from interface_engine.rules import sections
from interface_engine.rules.channel import CHARGES, CSV, DISCHARGE, FHIR, FORMATS, HL7V2, Channel, Filter, MessageRow
from interface_engine.rules.codemaps import COLUMNS, SHAPES, read_map, read_payers, read_providers
from interface_engine.rules.marks import Mark, read_marks, wrong
from interface_engine.rules.source import BILLING_TYPES, HOLD, IGNORE, PASS, CodeRow, Source
from interface_engine.rules.templates import Expr, Place, Rule, Template, Terms, Test

__all__ = ["COLUMNS", "SHIPPED", "SYSTEMS", "base_map", "load_channels", "load_sources", "read_channel"]

SHIPPED = Path(__file__).parent / "sources"
SYSTEMS = Path(__file__).parent / "systems"
_BASE = Path(__file__).parent / "basemap"
_KEYS = (
    "name", "owner", "format", "timezone", "transport", "csv", "identity", "facilities", "providers", "payers",
    "coverage",
    "charges", "finish", "procedures", "orders", "filters", "messages", "tables", "systems", "map", "maps",
    "unmapped",
)  # fmt: skip
_ALL_FORMATS = ("name", "owner", "format", "maps", "unmapped", "transport", "timezone")
_BILLED = ("lines", "record")
Files = Mapping[str, Path]


def load_sources(site: Path | None = None) -> dict[str, Source]:
    """The code maps of every channel by name, for what is kept already."""
    return {name: channel.source for name, channel in load_channels(site=site).items()}


def load_channels(shipped: Path = SHIPPED, site: Path | None = None) -> dict[str, Channel]:
    """The channels by name: the shipped ones, and those of `<site>/sources`, where a file of the same name wins.

    RuleError names the file, the line and the reason of what cannot be used.
    """
    folders = [shipped, *([site / "sources"] if site is not None and (site / "sources").is_dir() else [])]
    files = {file.name: file for folder in folders for file in sorted(folder.iterdir()) if file.is_file()}
    channels: dict[str, Channel] = {}
    for name, file in files.items():
        if file.suffix not in (".yaml", ".yml"):
            continue
        channel = read_channel(file, files)
        if channel.name in channels:
            raise wrong(name, None, "another file has this source's name")
        channels[channel.name] = channel
    return channels


def read_channel(file: Path, files: Files) -> Channel:
    """One channel; `files` are those that it may name, by their names."""
    document = read_marks(file)
    given = document.mapping(_KEYS, ("name",))
    name = sections.read_name(given["name"])
    form = given["format"].choice(FORMATS) if "format" in given else FHIR
    if form == FHIR:
        for key in given.keys() - set(_ALL_FORMATS):
            given[key].fail(f"{key} has no meaning in a channel of FHIR: give its format")
    elif form == CSV and "csv" not in given:
        document.fail("csv is missing")
    used = _Used(files)
    made: dict[str, Any] = {"source": _source(name, form, given, used), "format": form}
    if "timezone" in given:
        made["zone"] = sections.read_zone(given["timezone"])
    if "transport" in given:
        made["transport"] = sections.read_transport(given["transport"])
    if form != FHIR:
        made |= _mapping(name, form, given, used)
    if "owner" in given:
        made["owner"] = given["owner"].text()
    return Channel(name=name, sha256=used.digest(file), files=used.names(file), **made)


class _Used:
    """The files that a channel names, and the digest of them all."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._read: dict[str, Path] = {}

    def find(self, mark: Mark, what: str) -> Path:
        name = mark.text()
        if name not in self._files:
            mark.fail(f"{what} that is not there")
        self._read[name] = self._files[name]
        return self._files[name]

    def names(self, file: Path) -> tuple[str, ...]:
        return (file.name, *sorted(self._read))

    def digest(self, file: Path) -> str:
        digest = sha256()
        for path in (file, *(self._read[name] for name in sorted(self._read))):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()


def _source(name: str, form: str, given: Mapping[str, Mark], used: _Used) -> Source:
    # Where charges come as charges, one that nobody can code holds; a ChargeItem of a FHIR feed may repeat a Procedure.
    unmapped: dict[str, str] = {} if form == FHIR else {"ChargeItem": HOLD}
    defaults: dict[str, CodeRow] = {}
    for type_name, mark in given["unmapped"].mapping().items() if "unmapped" in given else ():
        if type_name not in BILLING_TYPES:
            mark.fail(f"unmapped has {', '.join(BILLING_TYPES)} with hold, pass or default")
        if mark.is_scalar:
            unmapped[type_name] = mark.choice((HOLD, PASS, IGNORE))
        else:
            defaults[type_name] = _default(mark)
    codes_by_key: dict[tuple[str, str], tuple[CodeRow, ...]] = {}
    for file, wanted in _wanted(given.get("maps"), used).items():
        for row in read_map(file):
            _check_wanted(file.name, row.line, row.systems, row.meaning.billable, wanted)
            key = (row.systems[0], row.code)
            codes_by_key[key] = (*codes_by_key.get(key, ()), row.meaning)
    return Source(name, codes_by_key, unmapped, defaults)


def _default(mark: Mark) -> CodeRow:
    row = mark.mapping(("default",), ("default",))["default"].mapping(("system", "code"), ("system", "code"))
    system, code = codes.canonical_system(row["system"].text()), row["code"].text()
    if system not in SHAPES or not SHAPES[system](code):
        mark.fail("the default is a code of CPT, HCPCS or ICD-10-CM")
    return CodeRow(system, code, Period())


def _wanted(mark: Mark | None, used: _Used) -> dict[Path, set[tuple[str, str]]]:
    """Each code map with the pairs of systems that the channel takes from it."""
    wanted: dict[Path, set[tuple[str, str]]] = {}
    for item in mark.items() if mark is not None else ():
        row = item.mapping(("file", "from", "to"), ("file", "from", "to"))
        systems = (codes.canonical_system(row["from"].text()), codes.canonical_system(row["to"].text()))
        wanted.setdefault(used.find(row["file"], "a code map"), set()).add(systems)
    return wanted


def _check_wanted(file: str, line: int, systems: tuple[str, str], billable: bool, wanted: set[tuple[str, str]]) -> None:
    from_systems = {pair[0] for pair in wanted}
    if not (systems in wanted if billable else systems[0] in from_systems):
        raise wrong(file, line, "systems that no map of the source names")


def _mapping(name: str, form: str, given: Mapping[str, Mark], used: _Used) -> dict[str, Any]:
    """What a channel of HL7 v2 or CSV says beyond its code maps."""
    csv = sections.read_csv(given["csv"]) if "csv" in given else None
    base = base_map(form)
    tables = sections.read_tables(given["tables"], base.tables) if "tables" in given else dict(base.tables)
    if "systems" in given:
        tables["systems"] = {**tables["systems"], **{k: v.text() for k, v in given["systems"].mapping().items()}}
    terms = Terms(frozenset(csv.columns) if csv is not None else None, tables)
    made: dict[str, Any] = {
        "csv": csv,
        "tables": tables,
        "identity": sections.read_identity(given.get("identity"), name, terms),
        "messages": {**base.messages, **_messages(given, base.messages)},
        "templates": _templates(given.get("map"), base.templates, terms),
        "coverages": _coverages(given.get("coverage"), terms),
    }
    if "charges" in given or form == CSV:
        made["charges"] = sections.read_charges(given.get("charges"), terms)
    elif form == HL7V2:
        made["charges"] = sections.read_charges(None, terms)
    billed = "record" if "charges" in given else "lines"
    for key, options, default in (
        ("finish", (DISCHARGE, CHARGES), CHARGES if form == CSV else DISCHARGE),
        ("procedures", _BILLED, billed),
        ("orders", _BILLED, billed),
    ):
        made[key] = given[key].choice(options) if key in given else default
    if "facilities" in given:
        made["facilities"] = tuple(sections.read_facility(row, terms) for row in given["facilities"].items())
    if "filters" in given:
        made["filters"] = tuple(_filter(row, terms) for row in given["filters"].items())
    if "providers" in given:
        made["providers"] = read_providers(used.find(given["providers"], "a roster"))
    if "payers" in given:
        made["payers"] = read_payers(used.find(given["payers"], "a list of payers"))
    return made


def _messages(given: Mapping[str, Mark], rows: Mapping[str, MessageRow]) -> dict[str, MessageRow]:
    return sections.read_messages(given["messages"], rows) if "messages" in given else {}


def _coverages(mark: Mark | None, terms: Terms) -> tuple[Any, ...]:
    if mark is None:
        return (sections.read_coverage(sections.hl7_coverage(terms), terms, 0),) if terms.columns is None else ()
    if terms.columns is not None:
        return tuple(sections.read_coverage(row, terms, rank) for rank, row in enumerate(mark.items(), 1))
    shipped = sections.hl7_coverage(terms)
    merged = Mark(mark.file, mark.line, {**shipped.value, **mark.mapping()})
    return (sections.read_coverage(merged, terms, 0),)


def _filter(mark: Mark, terms: Terms) -> Filter:
    given = mark.mapping(("name", "when"), ("name", "when"))
    return Filter(sections.read_name(given["name"]), terms.test(given["when"]))


def _templates(mark: Mark | None, base: Mapping[str, Template], terms: Terms) -> dict[str, Template]:
    """The base templates with the channel's elements in place of theirs; an element with null is left out."""
    made = dict(base)
    for name, child in mark.mapping(tuple(base)).items() if mark is not None else ():
        template = base[name]
        own = terms.rules(template.type, child)
        dropped = {key for key, item in child.mapping().items() if item.value is None}
        for key in dropped - template.rules.keys():
            child.mapping()[key].fail(f"the base map has no {template.type}.{key} to leave out")
        kept = {key: rule for key, rule in template.rules.items() if key not in dropped}
        made[name] = Template(name, template.type, {**kept, **own})
    return made


class BaseMap:
    """The shared map of a format: its tables, its messages, its templates."""

    def __init__(self, form: str) -> None:
        self.tables: Mapping[str, Mapping[str, str]] = sections.read_tables(read_marks(_BASE / "tables.yaml"), {})
        rows = sections.read_messages(read_marks(_BASE / "messages.yaml"), {})
        self.messages: Mapping[str, MessageRow] = rows
        terms = Terms(None, self.tables)
        self.templates: dict[str, Template] = {}
        for name, mark in read_marks(_BASE / "templates.yaml").mapping().items():
            given = mark.mapping(("type", "elements"), ("type", "elements"))
            template = terms.template(name, given["type"].text(), given["elements"])
            self.templates[name] = template if form == HL7V2 else _placeless(template)


@cache
def base_map(form: str) -> BaseMap:
    """The base map; for CSV only what needs no field of HL7 v2."""
    return BaseMap(form)


def _placeless(template: Template) -> Template:
    rules = {key: rule for key, rule in template.rules.items() if not any(_has_place(one) for one in rule.values)}
    return Template(template.name, template.type, rules)


def _has_place(part: Any) -> bool:
    if isinstance(part, Place | Test):
        return True
    if isinstance(part, Rule):
        return any(_has_place(one) for one in part.values)
    if isinstance(part, Expr):
        return _has_place(part.argument) or any(_has_place(one) for one in part.options.values())
    if isinstance(part, tuple):
        return any(_has_place(one) for one in part)
    return isinstance(part, Mapping) and any(_has_place(one) for one in part.values())
