"""What is measured of the ledger: how long stages and journeys took when they end, and what is unfinished.

A measurement of a journey is made in the context of its root span, so that its exemplar opens the journey. Lengths are
in seconds, dollars in cents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from chassis.telemetry import context_of_journey
from kernel.clock import Clock
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from journey.handlers import Exported
from journey.model import Journey, Stage
from journey.objectives import Met, objectives_of
from journey.spans import root_id
from journey.store import Unfinished

UNKNOWN = "unknown"
SECOND_US = 1_000_000
# How late the end of a stage may become known and still be measured: an outage of a day, no more.
NEWS = timedelta(days=1)
Labels = dict[str, str | bool]


def _about(journey: Journey, outcome: str = "") -> Labels:
    labels: Labels = {"rcm.payer.class": journey.payer_class or UNKNOWN, "rcm.feed": journey.source or UNKNOWN}
    return labels | ({"rcm.outcome": outcome} if outcome else {})


def _in_episode(journey: Journey, episode: int) -> Context:
    return context_of_journey(journey.journey_id, root_id(journey.journey_id, episode))


class Measures:
    """The ledger's instruments. What is observed of what is unfinished comes from `show`, never from I/O."""

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self._clock = clock
        self._lasting = {
            name: meter.create_histogram(name, "s")
            for name in (
                "rcm.encounter_to_payment.duration",
                "rcm.stage.duration",
                "rcm.claim.out.duration",
                "rcm.machine.duration",
                "rcm.claim.first_answer",
                "rcm.remittance.posting.duration",
                "rcm.settlement.duration",
                "rcm.denial.first_touch",
            )
        }
        self._count = {
            name: meter.create_counter(name)
            for name in (
                "rcm.journey.ended",
                "rcm.journey.cents",
                "rcm.journey.notices",
                "rcm.slo.count",
                "rcm.slo.cents",
            )
        }
        self._facts: Counter[str] = Counter()
        self._unfinished: Sequence[Unfinished] = ()
        self._at_risk: Mapping[str, int] = {}
        self._unbegun = 0
        self._observe(meter)

    def heard(self, event_type: str) -> None:
        """One more fact in the ledger."""
        self._facts[event_type] += 1

    def ended(self, exported: Iterable[Exported]) -> None:
        """Stages and journeys that came to an end for the first time, but for what a rebuild or a first import tells
        of long ago: a counter says what happens now."""
        since = self._clock.now() - NEWS
        for one in exported:
            stages = [stage for stage in one.stages if stage.ended_at and stage.ended_at >= since]
            for stage in stages:
                self._stage(one.journey, stage)
            for met in objectives_of(one.journey, stages):
                self._objective(one.journey, met)
            if one.ended and one.journey.ends[0].at >= since:
                self._journey(one.journey)

    def show(self, unfinished: Iterable[Unfinished], at_risk: Mapping[str, int], unbegun: int) -> None:
        """What the gauges show from now on: of all tenants together."""
        self._unfinished = _together(unfinished)
        self._at_risk = dict(at_risk)
        self._unbegun = unbegun

    def _stage(self, journey: Journey, stage: Stage) -> None:
        labels = _about(journey) | {"rcm.stage": stage.name, "rcm.rework": bool(stage.loop)}
        context = _in_episode(journey, stage.episode)
        self._lasting["rcm.stage.duration"].record(stage.elapsed_us / SECOND_US, labels, context)

    def _objective(self, journey: Journey, met: Met) -> None:
        labels = _about(journey, met.outcome)
        self._lasting[met.metric].record(met.us / SECOND_US, labels, _in_episode(journey, met.episode))
        if met.slo:
            told = {"rcm.slo": met.slo, "rcm.outcome": "met" if met.is_met else "missed"}
            self._count["rcm.slo.count"].add(1, told)
            self._count["rcm.slo.cents"].add(met.cents, told)

    def _journey(self, journey: Journey) -> None:
        labels, context = _about(journey, journey.ends[0].outcome), _in_episode(journey, 0)
        lasted = (journey.etp_us or 0) / SECOND_US
        self._lasting["rcm.encounter_to_payment.duration"].record(lasted, labels, context)
        self._count["rcm.journey.ended"].add(1, labels)
        self._count["rcm.journey.cents"].add(journey.cents["billed_cents"], labels)
        for notice in journey.notices:
            self._count["rcm.journey.notices"].add(notice.count, {"rcm.notice": notice.kind})

    def _observe(self, meter: Meter) -> None:
        now = self._clock.now
        rows: Mapping[str, tuple[str, Callable[[Unfinished], float]]] = {
            "rcm.unfinished.count": ("", lambda one: one.count),
            "rcm.unfinished.cents": ("", lambda one: one.cents),
            "rcm.unfinished.oldest_age": ("s", lambda one: max(0.0, (now() - one.oldest).total_seconds())),
        }
        for name, (unit, value) in rows.items():
            meter.create_observable_gauge(name, [self._observer(value)], unit)
        meter.create_observable_counter("rcm.journey.facts", [self._observe_facts])
        meter.create_observable_gauge("rcm.journey.unbegun", [lambda _: [Observation(self._unbegun)]])
        meter.create_observable_gauge("rcm.claim.filing_at_risk", [self._observe_risk])

    def _observer(self, value: Callable[[Unfinished], float]) -> Callable[[CallbackOptions], Iterator[Observation]]:
        def observe(_: CallbackOptions) -> Iterator[Observation]:
            for one in self._unfinished:
                yield Observation(value(one), {"rcm.stage": one.stage, "rcm.payer.class": one.payer_class or UNKNOWN})

        return observe

    def _observe_facts(self, _: CallbackOptions) -> Iterator[Observation]:
        for event_type, count in list(self._facts.items()):  # another thread may be reading while one more is heard
            yield Observation(count, {"rcm.event.type": event_type})

    def _observe_risk(self, _: CallbackOptions) -> Iterator[Observation]:
        for payer_class, count in self._at_risk.items():
            yield Observation(count, {"rcm.payer.class": payer_class or UNKNOWN})


def _together(found: Iterable[Unfinished]) -> tuple[Unfinished, ...]:
    """One row for each stage and class of payer, over all tenants."""
    counts: Counter[tuple[str, str]] = Counter()
    cents: Counter[tuple[str, str]] = Counter()
    oldest: dict[tuple[str, str], datetime] = {}
    for one in found:
        key = (one.stage, one.payer_class)
        counts[key] += one.count
        cents[key] += one.cents
        oldest[key] = min(one.oldest, oldest.get(key, one.oldest))
    return tuple(Unfinished(*key, counts[key], cents[key], oldest[key]) for key in counts)
