"""A straight-through encounter is one trace over every service that it touched; what wakes it later links to it."""

from __future__ import annotations

from collections import Counter

import pytest
from flow_types import Line200
from rcm.journey.v1 import journey_pb2
from spans import HEARS, Edge, Span, edges_of, quiet_spans
from table_of_edges import ACKNOWLEDGED, BURST, CALLS, FILE, PARTS, SETTLED, Part, fact_edges, is_expected

Traces = dict[str, list[Span]]
STRAIGHT = {"coding", "charge", "submission", "clearinghouse", "payer", "posting"}
AFTERWARDS = {"settlement", "patient", "settled"}


@pytest.fixture(scope="module")
def traces(line: Line200) -> Traces:
    """All spans, once the services have nothing more to write."""
    return quiet_spans(line.stack.traces_dir)


@pytest.fixture(scope="module")
def straight(line: Line200) -> list[journey_pb2.Journey]:
    """Journeys of one bundle that were paid without a stop."""
    single = {story.encounter for story in line.run.stories if len(story.files) == 1}
    found = [
        one
        for one in line.run.journeys
        if one.outcome == "paid"
        and one.encounter in single
        and not one.loops
        and {stage.name for stage in one.stages} - AFTERWARDS == STRAIGHT
    ]
    assert len(found) > 50
    return found


def traces_of(part: Part, journey_id: str, traces: Traces) -> list[list[Span]]:
    """The traces of a journey that are this part of it."""
    return [
        trace
        for trace in traces.values()
        if any(span.name == part.known_by for span in trace)
        and any(span.attributes.get("rcm.journey.id") == journey_id for span in trace)
    ]


def links_of(trace: list[Span]) -> set[str]:
    return {link for span in trace for link in span.links}


def problems_of(journey_id: str, traces: Traces) -> list[str]:
    """What is missing in the traces of a straight journey: parts, edges, links."""
    found = {part.name: traces_of(part, journey_id, traces) for part in PARTS}
    missing = [f"no trace: {name}" for name, of_part in found.items() if not of_part]
    bursts = {trace[0].trace_id for trace in found[BURST.name]}
    missing += [f"{len(bursts)} bursts"] * (len(bursts) > 1)
    for part in PARTS:
        for trace in found[part.name]:
            missing += [f"{part.name}: {edge}" for edge in part.edges() - edges_of(trace)]
            links = links_of(trace)
            missing += [f"{part.name}: no link to the burst"] * (part.links_to_burst and not links & bursts)
            missing += [f"{part.name}: no link to the journey"] * (part.links_to_journey and journey_id not in links)
    return missing


def test_a_straight_encounter_has_every_trace_edge_and_link_of_the_table(
    straight: list[journey_pb2.Journey], traces: Traces
) -> None:
    assert {one.encounter: wrong for one in straight if (wrong := problems_of(one.journey_id, traces))} == {}


def test_a_straight_encounter_is_acknowledged_and_settled_a_few_times_and_no_more(
    straight: list[journey_pb2.Journey], traces: Traces
) -> None:
    counts = Counter(
        (len(traces_of(ACKNOWLEDGED, one.journey_id, traces)), len(traces_of(SETTLED, one.journey_id, traces)))
        for one in straight
    )
    assert {settled for _, settled in counts} <= {1, 2}, counts  # an 835 may name a claim twice
    assert {acknowledged for acknowledged, _ in counts} <= {1, 2}, counts


ALL_EDGES = sorted(((part, edge) for part in PARTS for edge in part.edges()), key=str)


@pytest.mark.parametrize(
    ("part", "edge"), ALL_EDGES, ids=lambda value: getattr(value, "what", getattr(value, "known_by", ""))
)
def test_the_check_notices_each_edge_that_is_missing(
    part: Part, edge: Edge, straight: list[journey_pb2.Journey], traces: Traces
) -> None:
    journey_id = straight[0].journey_id
    assert problems_of(journey_id, traces) == []
    without = {trace_id: [span for span in trace if not makes(edge, span)] for trace_id, trace in traces.items()}
    assert any(str(edge) in problem or "no trace" in problem for problem in problems_of(journey_id, without))


def makes(edge: Edge, span: Span) -> bool:
    """Whether this is a span at the end of the edge."""
    return span.service == edge.callee and span.name in (edge.what, *(f"{hears}{edge.what}" for hears in HEARS))


def test_the_check_notices_a_link_that_is_missing(straight: list[journey_pb2.Journey], traces: Traces) -> None:
    journey_id = straight[0].journey_id
    without = {trace_id: [span for span in trace if not span.links] for trace_id, trace in traces.items()}
    problems = problems_of(journey_id, without)
    assert any(f"no trace: {ACKNOWLEDGED.name}" in problem for problem in problems), problems


def test_a_payment_links_to_the_file_that_brought_it(straight: list[journey_pb2.Journey], traces: Traces) -> None:
    """But for those that came before we had heard that their claim was sent: the claim's own burst posts them."""
    files = {trace_id for trace_id, trace in traces.items() if any(span.name == FILE.known_by for span in trace)}
    payments = [trace for one in straight for trace in traces_of(SETTLED, one.journey_id, traces)]
    assert sum(bool(links_of(trace) & files) for trace in payments) > len(payments) / 2


def test_no_trace_has_an_edge_that_the_table_does_not_know(traces: Traces) -> None:
    found = {edge for trace in traces.values() for edge in edges_of(trace)}
    assert sorted(map(str, (edge for edge in found if not is_expected(edge)))) == []
    assert len(found & CALLS) >= 5
    assert not is_expected(Edge("coding", "remittance", "encounter.coded"))


def test_a_file_of_a_payer_is_a_trace_of_its_own_that_everybody_hears_of(traces: Traces) -> None:
    files = [trace for trace in traces.values() if any(span.name == FILE.known_by for span in trace)]
    told = [trace for trace in files if any("remittance.received" in span.name for span in trace)]
    assert len(told) > 5
    assert [edge for trace in told for edge in fact_edges(FILE.facts) - edges_of(trace)] == []
