"""What the trace store says of an encounter is what the ledger says, span for span: nobody has to believe either."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace

import pytest
from cli.client import Line
from flow_types import Line200
from rcm.journey.v1 import journey_pb2
from spans import Span, read_spans

Traces = dict[str, list[Span]]
TOLERANCE_NS = 1_000_000
WITHIN_S = 60.0


def root_of(own: Iterable[Span]) -> Span | None:
    """The root of the first end: the one that links to no earlier one."""
    roots = [span for span in own if not span.parent_id and not span.links]
    return roots[0] if len(roots) == 1 else None


def stages_of(journey: journey_pb2.Journey) -> set[tuple[object, ...]]:
    """The finished stages of the ledger, with their borders in nanoseconds."""
    return {
        (stage.name, stage.round, stage.episode, stage.started_at.ToNanoseconds(), stage.ended_at.ToNanoseconds())
        for stage in journey.stages
        if stage.HasField("ended_at")
    }


def spans_of(own: Iterable[Span]) -> set[tuple[object, ...]]:
    """The stages of a journey's trace, in the same words."""
    return {
        (
            span.attributes["rcm.stage"],
            span.attributes["rcm.stage.round"],
            span.attributes["rcm.episode"],
            span.start_ns,
            span.end_ns,
        )
        for span in own
        if span.name.startswith("stage ")
    }


def differences(journey: journey_pb2.Journey, own: list[Span]) -> list[str]:
    """Where a journey's trace and its ledger do not say the same."""
    wrong = [f"only in the ledger: {one}" for one in stages_of(journey) - spans_of(own)]
    if not journey.notices:  # what a late fact has moved was sent as it was before, too, and the ledger says so
        wrong += [f"only in the trace: {one}" for one in spans_of(own) - stages_of(journey)]
    root = root_of(own)
    if not journey.encounter_to_payment_us:
        return wrong + ["a root without an end"] * (root is not None)
    if root is None:
        return [*wrong, "no root"]
    apart = abs(root.end_ns - root.start_ns - journey.encounter_to_payment_us * 1000)
    wrong += [f"encounter to payment differs by {apart} ns"] * (apart > TOLERANCE_NS)
    first = [one for one in spans_of(own) & stages_of(journey) if one[2] == 0]
    added_up = sum(int(str(end)) - int(str(start)) for *_, start, end in first)
    return wrong + ["stages do not add up to the root"] * (added_up != root.end_ns - root.start_ns)


async def both(line: Line200) -> tuple[list[journey_pb2.Journey], Traces]:
    """Ledger and traces, when the last spans have been written or time is over."""
    client = Line(line.place)
    deadline = time.monotonic() + WITHIN_S
    wanted = {story.encounter for story in line.run.stories}
    try:
        while True:
            journeys = [one for one in await client.journeys() if one.encounter in wanted]
            traces = await asyncio.to_thread(read_spans, line.stack.traces_dir)
            same = not any(differences(one, traces.get(one.journey_id, [])) for one in journeys)
            if same or time.monotonic() > deadline:
                return journeys, traces
            await asyncio.sleep(1)
    finally:
        await client.close()


@pytest.fixture(scope="module")
def said(line: Line200) -> tuple[list[journey_pb2.Journey], Traces]:
    return asyncio.run(both(line))


def test_trace_and_ledger_agree_on_every_journey(said: tuple[list[journey_pb2.Journey], Traces]) -> None:
    journeys, traces = said
    assert len(journeys) == 500
    ended = [one for one in journeys if one.encounter_to_payment_us]
    assert len(ended) > 250
    wrong = {one.encounter: differences(one, traces.get(one.journey_id, [])) for one in journeys}
    assert {encounter: found for encounter, found in wrong.items() if found} == {}


def test_the_journeys_own_trace_comes_from_the_journey_service_alone(
    said: tuple[list[journey_pb2.Journey], Traces],
) -> None:
    journeys, traces = said
    own = [span for one in journeys for span in traces.get(one.journey_id, [])]
    assert {span.service for span in own} == {"journey"}
    assert len({span.span_id for span in own}) == len(own), "a span was written twice"


def test_the_check_notices_a_trace_that_differs(said: tuple[list[journey_pb2.Journey], Traces]) -> None:
    journeys, traces = said
    journey = next(one for one in journeys if one.encounter_to_payment_us and len(one.stages) > 4)
    own = traces[journey.journey_id]
    root = root_of(own)
    assert root is not None
    assert differences(journey, own) == []
    assert sum(bool(one.notices) for one in journeys) < len(journeys) / 4
    longer = [replace(span, end_ns=span.end_ns + 2_000_000) if span is root else span for span in own]
    assert any("differs by 2000000 ns" in one for one in differences(journey, longer))
    assert differences(journey, [span for span in own if span is not root]) == ["no root"]
    less = [span for span in own if span.name != "stage coding"]
    assert any("only in the ledger: ('coding'" in one for one in differences(journey, less))
    journey.ClearField("notices")
    moved = [replace(span, start_ns=span.start_ns + 1) if span.name == "stage payer" else span for span in own]
    assert any("only in the trace: ('payer'" in one for one in differences(journey, moved))
