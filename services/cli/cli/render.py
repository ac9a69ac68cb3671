"""What people look at: the table of encounters, the totals, and a journey as a waterfall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from rcm.journey.v1 import journey_pb2
from rcm.remittance.v1 import remittance_pb2
from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

STAGE_COLUMNS = (
    ("documentation", "doc"),
    ("coding", "coding"),
    ("coder-review", "review"),
    ("charge", "charge"),
    ("missing-charge", "missing"),
    ("submission", "submit"),
    ("hold", "hold"),
    ("clearinghouse", "clearing"),
    ("payer", "payer"),
    ("rejection", "reject"),
    ("denial", "denial"),
)
STATUS_STYLE = {
    "paid": "green",
    "partly-paid": "yellow",
    "denied": "red",
    "rejected": "red",
    "held": "magenta",
    "review": "magenta",
    "refused": "dim",
}
MONEY = ("billed", "paid", "adjusted", "patient", "open")


def dollars(cents: int) -> str:
    """1234567 -> 12,345.67"""
    sign = "-" if cents < 0 else ""
    whole, part = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{part:02}"


def span(microseconds: int) -> str:
    """A length for people: 850 µs, 12 ms, 1.25 s, 3 min, 5.0 h, 14.0 d."""
    seconds = microseconds / 1_000_000
    scale = ((86_400, "d"), (3_600, "h"), (120, "min"))
    for size, unit in scale:
        if seconds >= size:
            divisor = 60 if unit == "min" else size
            return f"{seconds / divisor:.1f} {unit}"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{microseconds / 1000:.0f} ms" if microseconds >= 1000 else f"{microseconds} µs"


def status_of(journey: journey_pb2.Journey) -> Text:
    """Outcome with its reason, coloured."""
    word = journey.outcome or journey.state
    told = f"{word}: {journey.reason}" if journey.reason and word not in ("paid", "partly-paid") else word
    return Text(told, style=STATUS_STYLE.get(word, ""))


def _stage_spans(journey: journey_pb2.Journey) -> dict[str, int]:
    spans: Counter[str] = Counter()
    for stage in journey.stages:
        spans[stage.name] += stage.elapsed_us
    return spans


def encounter_table(journeys: Sequence[journey_pb2.Journey], kinds: dict[str, str]) -> Table:
    """One line per encounter. `kinds` names the story by encounter reference, where it is known."""
    used = {stage.name for journey in journeys for stage in journey.stages}
    columns = [(name, short) for name, short in STAGE_COLUMNS if name in used]
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for title in ("encounter", "claim"):
        table.add_column(title, no_wrap=True)
    for title in MONEY:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for _, short in columns:
        table.add_column(short, justify="right", no_wrap=True, style="dim")
    for journey in journeys:
        spans = _stage_spans(journey)
        table.add_row(
            kinds.get(journey.encounter) or journey.encounter.removeprefix("Encounter/"),
            journey.claim_id[:8] or "-",
            *(dollars(getattr(journey, f"{name}_cents")) for name in MONEY),
            status_of(journey),
            *(span(spans[name]).replace(" ", "") if name in spans else "" for name, _ in columns),
        )
    return table


def outcome_table(journeys: Iterable[journey_pb2.Journey]) -> Table:
    """How many journeys ended how, with their dollars."""
    groups: dict[str, list[journey_pb2.Journey]] = {}
    for journey in journeys:
        groups.setdefault(journey.outcome or journey.state, []).append(journey)
    table = Table(title="Outcomes", title_justify="left", box=None, pad_edge=False)
    table.add_column("outcome")
    table.add_column("encounters", justify="right")
    for title in MONEY:
        table.add_column(title, justify="right")
    for outcome, group in sorted(groups.items()):
        sums = (sum(getattr(one, f"{name}_cents") for one in group) for name in MONEY)
        table.add_row(outcome, str(len(group)), *(dollars(value) for value in sums))
    return table


def ledger_table(ledger: remittance_pb2.GetLedgerResponse) -> Table:
    """The ledger's own totals by payer and for the tenant, with the proof of the equation."""
    table = Table(
        title="Ledger: billed = paid + adjusted + patient + open", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("payer")
    for title in MONEY:
        table.add_column(title, justify="right")
    table.add_column("balances")
    for balance in [*ledger.payers, ledger.tenant]:
        right = sum(getattr(balance, f"{name}_cents") for name in MONEY[1:])
        proof = Text("yes", style="green") if right == balance.billed_cents else Text("NO", style="bold red")
        table.add_row(balance.key, *(dollars(getattr(balance, f"{name}_cents")) for name in MONEY), proof)
    return table


def waterfall(journey: journey_pb2.Journey, width: int = 60) -> Table:
    """The journey's stages as bars over its elapsed time."""
    begin = _instant(journey.started_at)
    ends = [_instant(stage.ended_at) for stage in journey.stages if stage.HasField("ended_at")]
    whole = max(((end - begin).total_seconds() for end in ends), default=0.0) or 1.0
    title = f"Journey {journey.journey_id}  {journey.encounter}  {span(journey.elapsed_us)}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name, justify in (("stage", "left"), ("length", "right"), ("", "left"), ("ended by", "left")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for stage in journey.stages:
        start = (_instant(stage.started_at) - begin).total_seconds()
        end = (_instant(stage.ended_at) - begin).total_seconds() if stage.HasField("ended_at") else whole
        style = "red" if stage.round or stage.name in ("rejection", "denial", "hold") else "cyan"
        name = stage.name + (f" (round {stage.round + 1})" if stage.round else "")
        table.add_row(
            name, span(stage.elapsed_us), Bar(whole, start, end, width=width, color=style), stage.cause or "waiting"
        )
    total = sum(stage.elapsed_us for stage in journey.stages)
    table.add_row("sum of stages", span(total), "", "= elapsed" if total == journey.elapsed_us else "DIFFERS")
    return table


def _instant(stamp: object) -> datetime:
    return stamp.ToDatetime()  # type: ignore[attr-defined,no-any-return]


def steps_table(journey: journey_pb2.Journey) -> Table:
    """Every fact of the journey in order."""
    table = Table(title="Facts", title_justify="left", box=None, pad_edge=False)
    for name in ("at", "fact", "detail", "told by"):
        table.add_column(name, no_wrap=True)
    begin = _instant(journey.started_at)
    for step in journey.steps:
        after = int((_instant(step.occurred_at) - begin).total_seconds() * 1_000_000)
        table.add_row(f"+{span(after)}" if after >= 0 else f"-{span(-after)}", step.event, step.detail, step.producer)
    return table


def console(width: int | None = None) -> Console:
    """The console; wide enough for the encounter table where the output is no terminal."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=width or 200)
